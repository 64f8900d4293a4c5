package org.alcazar.hosts.linux;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * What the process's control groups allow, of both versions (cgroup-v2.rst, cgroup-v1 memory.rst
 * and sched-bwc.rst in the kernel's documentation). A group's ancestors bind it too. The processors
 * of a cpuset show in the affinity of threads and need no look here.
 *
 * @param memory bytes, or {@link Long#MAX_VALUE}
 * @param processors whole processors that the share of time is worth, at least 1, or {@link
 *     Integer#MAX_VALUE}
 */
record Cgroups(long memory, int processors) {
    /** Above this the first version means no limit: the greatest number of whole pages. */
    private static final long NO_LIMIT = Long.MAX_VALUE >> 1;

    static Cgroups read(SystemTree tree) {
        long memory = Long.MAX_VALUE;
        int processors = Integer.MAX_VALUE;
        for (String line : tree.lines("/proc/self/cgroup")) {
            String[] parts = line.split(":", 3); // number:controllers:path
            if (parts.length < 3) {
                continue;
            }
            List<String> controllers = Arrays.asList(parts[1].split(","));
            boolean second = parts[1].isEmpty();
            if (second || controllers.contains("memory")) {
                String file = second ? "memory.max" : "memory.limit_in_bytes";
                for (Path group : groups(tree, second ? "" : "memory", parts[2])) {
                    memory = Math.min(memory, bytes(tree, group.resolve(file)));
                }
            }
            if (second || controllers.contains("cpu")) {
                for (Path group : groups(tree, second ? "" : "cpu", parts[2])) {
                    processors =
                            Math.min(processors, second ? max(tree, group) : quota(tree, group));
                }
            }
        }
        return new Cgroups(memory, processors);
    }

    private static long bytes(SystemTree tree, Path file) {
        long bytes = tree.number(file.toString()).orElse(Long.MAX_VALUE);
        return bytes >= NO_LIMIT ? Long.MAX_VALUE : bytes;
    }

    private static int max(SystemTree tree, Path group) {
        String[] words = tree.text(group.resolve("cpu.max").toString()).split(" ");
        return words.length < 2 || words[0].equals("max")
                ? Integer.MAX_VALUE
                : whole(Long.parseLong(words[0]), Long.parseLong(words[1]));
    }

    private static int quota(SystemTree tree, Path group) {
        long quota = tree.number(group.resolve("cpu.cfs_quota_us").toString()).orElse(-1);
        long period = tree.number(group.resolve("cpu.cfs_period_us").toString()).orElse(0);
        return quota <= 0 || period <= 0 ? Integer.MAX_VALUE : whole(quota, period);
    }

    /** Half a processor is one: a thread needs one to run on, if not all the time. */
    private static int whole(long quota, long period) {
        return Math.clamp((quota + period - 1) / period, 1, Integer.MAX_VALUE);
    }

    /** The group's folder and its ancestors', as paths from the tree's root. */
    private static List<Path> groups(SystemTree tree, String controller, String path) {
        Optional<Mount> mount =
                tree.lines("/proc/self/mountinfo").stream()
                        .flatMap(line -> Mount.of(line).stream())
                        .filter(found -> found.has(controller))
                        .findFirst();
        if (mount.isEmpty()) {
            return List.of();
        }
        Path top = Path.of(mount.get().point());
        Path group = top.resolve(mount.get().below(path)).normalize();
        if (!group.startsWith(top) || !Files.isDirectory(tree.path(group.toString()))) {
            group = top; // the path is that of another name space
        }
        return java.util.stream.Stream.iterate(
                        group, g -> g != null && g.startsWith(top), Path::getParent)
                .toList();
    }

    /**
     * A mounted hierarchy.
     *
     * @param root the group that is mounted
     * @param options of the file system: its controllers, in the first version
     */
    private record Mount(String root, String point, String type, List<String> options) {
        /** A line of mountinfo, if it is about control groups (proc_pid_mountinfo(5)). */
        static Optional<Mount> of(String line) {
            String[] halves = line.split(" - ", 2);
            String[] left = halves[0].split(" ");
            String[] right = halves.length < 2 ? new String[0] : halves[1].split(" ");
            if (left.length < 5 || right.length < 3 || !right[0].startsWith("cgroup")) {
                return Optional.empty();
            }
            return Optional.of(
                    new Mount(left[3], left[4], right[0], Arrays.asList(right[2].split(","))));
        }

        /** Whether it has a controller; the empty name means the second version. */
        boolean has(String controller) {
            return controller.isEmpty()
                    ? type.equals("cgroup2")
                    : type.equals("cgroup") && options.contains(controller);
        }

        /** A group's path below this mount. */
        String below(String path) {
            String rest =
                    !root.equals("/") && path.startsWith(root)
                            ? path.substring(root.length())
                            : path;
            return rest.replaceFirst("^/+", "");
        }
    }
}
