package org.alcazar.hosts.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.host.HostTopology;
import org.alcazar.host.HostTopology.Cache;
import org.alcazar.host.HostTopology.Content;
import org.alcazar.host.HostTopology.Node;
import org.alcazar.hosts.linux.Privileges.Capability;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** What the host reads out of /proc and /sys, from trees made for it. */
class SystemTest {
    private static final int ANY = Integer.MAX_VALUE;

    @TempDir private Path root;
    private SystemTree tree;

    @BeforeEach
    void aTree() {
        tree = new SystemTree(root);
    }

    private void file(String name, String text) throws IOException {
        Path file = root.resolve(name);
        Files.createDirectories(file.getParent());
        Files.writeString(file, text);
    }

    @Test
    void withoutControlGroupsNothingIsBound() {
        assertEquals(new Cgroups(Long.MAX_VALUE, ANY), Cgroups.read(tree));
    }

    @Test
    void theSecondVersionBindsByEveryAncestor() throws IOException {
        file("proc/self/cgroup", "0::/a/b\n");
        file(
                "proc/self/mountinfo",
                """
                24 1 8:1 / / rw - ext4 /dev/root rw
                31 24 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw
                """);
        file("sys/fs/cgroup/a/b/memory.max", "max\n");
        file("sys/fs/cgroup/a/b/cpu.max", "max 100000\n");
        file("sys/fs/cgroup/a/memory.max", "1073741824\n");
        file("sys/fs/cgroup/a/cpu.max", "150000 100000\n");
        assertEquals(new Cgroups(1L << 30, 2), Cgroups.read(tree));
        file("sys/fs/cgroup/a/b/memory.max", "536870912\n");
        file("sys/fs/cgroup/a/b/cpu.max", "10000 100000\n");
        assertEquals(new Cgroups(512L << 20, 1), Cgroups.read(tree));
    }

    @Test
    void theFirstVersionHasAHierarchyForEachController() throws IOException {
        file("proc/self/cgroup", "4:memory:/vm\n2:cpu,cpuacct:/vm\n1:cpuset:/\n0::/\n");
        file(
                "proc/self/mountinfo",
                """
                32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct
                35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
                41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
                """);
        file("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
        file("sys/fs/cgroup/memory/vm/memory.limit_in_bytes", "2147483648\n");
        file("sys/fs/cgroup/cpu/vm/cpu.cfs_quota_us", "300000\n");
        file("sys/fs/cgroup/cpu/vm/cpu.cfs_period_us", "100000\n");
        file("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n");
        file("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
        assertEquals(new Cgroups(2L << 30, 3), Cgroups.read(tree));
        file("sys/fs/cgroup/memory/vm/memory.limit_in_bytes", "9223372036854771712\n");
        file("sys/fs/cgroup/cpu/vm/cpu.cfs_quota_us", "-1\n");
        assertEquals(new Cgroups(Long.MAX_VALUE, ANY), Cgroups.read(tree));
    }

    @Test
    void aContainerThatSeesItsGroupAsTheTopIsBoundByIt() throws IOException {
        file("proc/self/cgroup", "0::/docker/abc/inner\n");
        file(
                "proc/self/mountinfo",
                "31 24 0:26 /docker/abc /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
        file("sys/fs/cgroup/memory.max", "1073741824\n");
        file("sys/fs/cgroup/inner/memory.max", "max\n");
        assertEquals(1L << 30, Cgroups.read(tree).memory());
        file("proc/self/cgroup", "0::/../elsewhere\n"); // of another name space
        assertEquals(1L << 30, Cgroups.read(tree).memory());
    }

    @Test
    void listsAndNumbersAreRead() throws IOException {
        assertEquals(List.of(0, 1, 2, 3, 8), SystemTree.list("0-3,8"));
        assertEquals(List.of(), SystemTree.list("\n"));
        file("a", "48K\n");
        file("b", "max\n");
        assertEquals(48 << 10, tree.number("/a").orElseThrow());
        assertTrue(tree.number("/b").isEmpty());
        assertTrue(tree.number("/c").isEmpty());
    }

    @Test
    void capabilitiesAreRead() throws IOException {
        file("proc/self/status", "Name:\tjava\nCapEff:\t0000000000004000\n");
        Privileges privileges = new Privileges(tree);
        assertTrue(privileges.has(Capability.CAP_IPC_LOCK));
        assertFalse(privileges.has(Capability.CAP_SYS_NICE));
        assertTrue(privileges.aboutPriority().endsWith("CAP_SYS_NICE is missing"));
        assertFalse(
                new Privileges(new SystemTree(root.resolve("no"))).has(Capability.CAP_IPC_LOCK));
    }

    @Test
    void thePoolOfHugePagesIsWhatNobodyIsPromised() throws IOException {
        String pool = "sys/kernel/mm/hugepages/hugepages-2048kB/";
        file(pool + "nr_hugepages", "10\n");
        file(pool + "free_hugepages", "8\n");
        file(pool + "resv_hugepages", "3\n");
        assertEquals(5, HugePages.TWO_MIB.free(tree));
        assertEquals(0, HugePages.ONE_GIB.free(tree));
        assertTrue(HugePages.TWO_MIB.remedy(tree, 7).startsWith("echo 12 > "));
        file(pool + "nr_overcommit_hugepages", "4\n");
        file(pool + "surplus_hugepages", "1\n");
        assertEquals(8, HugePages.TWO_MIB.free(tree));
        file("sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never\n");
        assertTrue(HugePages.transparent(tree));
        file("sys/kernel/mm/transparent_hugepage/enabled", "always madvise [never]\n");
        assertFalse(HugePages.transparent(tree));
    }

    private void node(int number, String cpus, String distances) throws IOException {
        String folder = "sys/devices/system/node/node" + number + "/";
        file(folder + "cpulist", cpus + "\n");
        file(folder + "distance", distances + "\n");
        file(folder + "meminfo", "Node " + number + " MemTotal:       1024 kB\n");
    }

    private void cache(int cpu, int index, String level, String type, String size, String shared)
            throws IOException {
        String folder = "sys/devices/system/cpu/cpu" + cpu + "/cache/index" + index + "/";
        file(folder + "level", level + "\n");
        file(folder + "type", type + "\n");
        file(folder + "size", size + "\n");
        file(folder + "coherency_line_size", "64\n");
        file(folder + "shared_cpu_list", shared + "\n");
    }

    @Test
    void nodesAndCachesAreThoseOfTheHostsOwnProcessors() throws IOException {
        node(0, "0-1", "10 21");
        node(1, "2-3", "21 10");
        for (int cpu = 0; cpu < 4; cpu++) {
            cache(cpu, 0, "1", "Data", "32K", Integer.toString(cpu));
            cache(cpu, 1, "3", "Unified", "8M", cpu < 2 ? "0-1" : "2-3");
        }
        HostTopology topology = new LinuxTopology(tree, List.of(1, 2, 3));
        assertEquals(
                List.of(
                        new Node(0, List.of(0), 1 << 20, List.of(10, 21)),
                        new Node(1, List.of(1, 2), 1 << 20, List.of(21, 10))),
                topology.nodes());
        assertEquals(
                List.of(
                        new Cache(1, Content.DATA, 32 << 10, 64, List.of(0)),
                        new Cache(1, Content.DATA, 32 << 10, 64, List.of(1)),
                        new Cache(1, Content.DATA, 32 << 10, 64, List.of(2)),
                        new Cache(3, Content.BOTH, 8 << 20, 64, List.of(0)),
                        new Cache(3, Content.BOTH, 8 << 20, 64, List.of(1, 2))),
                topology.caches());
    }

    @Test
    void aSystemThatTellsNothingIsOneNode() {
        HostTopology topology = new LinuxTopology(tree, List.of(0, 1));
        assertEquals(1, topology.nodes().size());
        assertEquals(List.of(0, 1), topology.nodes().getFirst().cpus());
        assertEquals(List.of(), topology.caches());
    }

    @Test
    void thisSystemIsRead() throws Exception {
        try (LinuxHost host = LinuxHostTest.open("")) {
            HostTopology topology = host.find(HostTopology.class).orElseThrow();
            assertFalse(topology.nodes().isEmpty());
            assertEquals(
                    host.processors().count(),
                    topology.nodes().stream().mapToInt(node -> node.cpus().size()).sum());
            assertTrue(host.processors().frequency(0) >= 0);
            assertTrue(host.memory().totalBytes() > 0);
        }
    }
}
