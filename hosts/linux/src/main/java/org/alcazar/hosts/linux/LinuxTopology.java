package org.alcazar.hosts.linux;

import org.alcazar.host.HostTopology;
import org.alcazar.hosts.support.NativeRange;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** Memory nodes and caches as {@code /sys/devices/system} tells them. */
final class LinuxTopology implements HostTopology {
    private static final String NODES = "/sys/devices/system/node";
    private static final String CPUS = "/sys/devices/system/cpu/cpu";

    private final List<Node> nodes;
    private final List<Cache> caches;

    /**
     * @param numbers the system's number of each of the host's processors
     */
    LinuxTopology(SystemTree tree, List<Integer> numbers) {
        Map<Integer, Integer> cpus = new TreeMap<>();
        for (int cpu = 0; cpu < numbers.size(); cpu++) {
            cpus.put(numbers.get(cpu), cpu);
        }
        List<Node> found =
                tree.numbered(NODES, "node").stream().map(n -> node(tree, n, cpus)).toList();
        nodes =
                found.isEmpty()
                        ? List.of(
                                new Node(
                                        0,
                                        List.copyOf(cpus.values()),
                                        NativeRange.physicalMemory(),
                                        List.of(10)))
                        : found;
        caches = caches(tree, cpus);
    }

    private static List<Integer> own(String list, Map<Integer, Integer> cpus) {
        return SystemTree.list(list).stream()
                .filter(cpus::containsKey)
                .map(cpus::get)
                .sorted()
                .toList();
    }

    private static Node node(SystemTree tree, int number, Map<Integer, Integer> cpus) {
        String folder = NODES + "/node" + number + "/";
        long bytes =
                tree.lines(folder + "meminfo").stream()
                        .filter(line -> line.contains("MemTotal:"))
                        .mapToLong(line ->
                                Long.parseLong(line.replaceAll(".*MemTotal:|\\D", "")) << 10)
                        .findFirst()
                        .orElse(0);
        List<Integer> distances = new ArrayList<>();
        for (String word : tree.text(folder + "distance").split("\\s+")) {
            if (!word.isEmpty()) {
                distances.add(Integer.valueOf(word));
            }
        }
        return new Node(number, own(tree.text(folder + "cpulist"), cpus), bytes, distances);
    }

    private static List<Cache> caches(SystemTree tree, Map<Integer, Integer> cpus) {
        Set<Cache> found = new LinkedHashSet<>();
        for (int number : cpus.keySet()) {
            for (int index : tree.numbered(CPUS + number + "/cache", "index")) {
                String folder = CPUS + number + "/cache/index" + index + "/";
                found.add(
                        new Cache(
                                (int) tree.number(folder + "level").orElse(0),
                                switch (tree.text(folder + "type")) {
                                    case "Data" -> Content.DATA;
                                    case "Instruction" -> Content.INSTRUCTIONS;
                                    default -> Content.BOTH;
                                },
                                tree.number(folder + "size").orElse(0),
                                (int) tree.number(folder + "coherency_line_size").orElse(0),
                                own(tree.text(folder + "shared_cpu_list"), cpus)));
            }
        }
        return found.stream().sorted(Comparator.comparingInt(Cache::level)).toList();
    }

    @Override
    public List<Node> nodes() {
        return nodes;
    }

    @Override
    public List<Cache> caches() {
        return caches;
    }
}
