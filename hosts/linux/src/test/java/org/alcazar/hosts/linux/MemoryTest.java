package org.alcazar.hosts.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.host.HostMemory;
import org.alcazar.host.HostNotes;
import org.alcazar.host.HostPrimitives;
import org.alcazar.host.HostRam;
import org.alcazar.host.HostRefusal;
import org.alcazar.host.PageExtent;
import org.alcazar.host.PageRequest;
import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** What memory got, by what Linux itself says of it. */
class MemoryTest {
    private static final long MIB = 1L << 20;

    /** The figures of the mapping that holds an extent's last byte. */
    private static List<String> mapping(PageExtent extent) throws IOException {
        long at = HostRam.slice(extent.address(), extent.bytes()).address() + extent.bytes() - 1;
        List<String> lines = Files.readAllLines(Path.of("/proc/self/smaps"));
        int start = -1;
        for (int i = 0; i < lines.size(); i++) {
            String[] ends = lines.get(i).split("[- ]", 3);
            boolean header = lines.get(i).matches("[0-9a-f]+-[0-9a-f]+ .*");
            if (header && start >= 0) {
                return lines.subList(start, i);
            }
            if (header
                    && Long.compareUnsigned(Long.parseUnsignedLong(ends[0], 16), at) <= 0
                    && Long.compareUnsigned(at, Long.parseUnsignedLong(ends[1], 16)) < 0) {
                start = i;
            }
        }
        return start < 0 ? List.of() : lines.subList(start, lines.size());
    }

    private static long kilobytes(List<String> mapping, String name) {
        return mapping.stream()
                .filter(line -> line.startsWith(name + ":"))
                .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
                .findFirst()
                .orElse(0);
    }

    private static String flags(List<String> mapping) {
        return mapping.stream().filter(l -> l.startsWith("VmFlags:")).findFirst().orElse("") + " ";
    }

    private static List<String> notes(LinuxHost host) {
        return host.find(HostNotes.class).orElseThrow().notes();
    }

    private static PageExtent take(LinuxHost host, long bytes, int node) throws HostRefusal {
        return host.memory()
                .allocate(
                        new PageRequest(
                                "test",
                                bytes / HostMemory.PAGE_SIZE,
                                HostMemory.PAGE_SIZE,
                                node,
                                Long.MAX_VALUE));
    }

    @Test
    void memoryIsLockedOrItIsSaidWhyNot() throws Exception {
        try (LinuxHost host = LinuxHostTest.open("memory=64M,lock=true")) {
            PageExtent extent = take(host, 4 * MIB, PageRequest.ANY_NODE);
            List<String> mapping = mapping(extent);
            boolean locked = flags(mapping).contains(" lo ");
            String notes = String.join("\n", notes(host));
            assertEquals(!locked, notes.contains("lock=true: 4 MiB can't be locked"), notes);
            assertEquals(locked, notes.contains("4 MiB of it locked"), notes);
            if (locked) {
                assertTrue(kilobytes(mapping, "Locked") >= 4096, () -> mapping.toString());
            }
            HostRam.setLong(extent.address(), -1);
            host.memory().free(extent);
            assertFalse(flags(mapping(extent)).contains(" lo "), "unlocked when it is freed");
            assertEquals(0, HostRam.getLong(extent.address()));
            assertTrue(String.join("\n", notes(host)).contains(" 0 MiB of it locked"));
        }
    }

    @Test
    void pagesOfThePoolAreThereOrItIsSaidWhatIsThereInstead() throws Exception {
        try (LinuxHost host = LinuxHostTest.open("memory=64M,huge-pages=2M")) {
            PageExtent extent = take(host, 5 * MIB, PageRequest.ANY_NODE);
            assertEquals(0, extent.address() % (2 * MIB));
            PageExtent head = new PageExtent("test", extent.address(), 1024);
            boolean huge = kilobytes(mapping(head), "KernelPageSize") == 2048;
            String notes = String.join("\n", notes(host));
            assertEquals(!huge, notes.contains("huge-pages=2M: 2 pages wanted"), () -> notes);
            assertEquals(huge, notes.contains("4 MiB in pages of 2M"), () -> notes);
            assertEquals(4, kilobytes(mapping(extent), "KernelPageSize"), "the odd MiB");
            for (long at = 0; at < extent.bytes(); at += 8) {
                assertEquals(0, HostRam.getLong(extent.address() + at));
            }
            HostRam.fill(extent.address(), extent.bytes(), (byte) 1);
            host.memory().free(extent);
            assertEquals(4, kilobytes(mapping(head), "KernelPageSize"), "given back");
            assertEquals(0, HostRam.getLong(extent.address()));
        }
    }

    @Test
    void withoutHugePagesTheKernelIsToldSo() throws Exception {
        try (LinuxHost host = LinuxHostTest.open("memory=64M,huge-pages=off")) {
            PageExtent extent = take(host, 4 * MIB, PageRequest.ANY_NODE);
            boolean there = Files.exists(Path.of("/sys/kernel/mm/transparent_hugepage"));
            assertEquals(there, flags(mapping(extent)).contains(" nh "));
            host.memory().free(extent);
            assertFalse(flags(mapping(extent)).contains(" nh "));
        }
    }

    @Test
    void aNodeThatIsNotThereIsDoneWithoutAndCounted() throws Exception {
        try (LinuxHost host = LinuxHostTest.open("memory=64M")) {
            PageExtent extent = take(host, MIB, 900);
            HostPrimitives primitives = host.find(HostPrimitives.class).orElseThrow();
            assertEquals(1, primitives.counts().get("numa-fallback"));
            host.memory().free(extent);
            assertEquals(1, primitives.counts().get("page-allocation"));
            assertEquals(1, primitives.counts().get("page-free"));
        }
    }

    @Test
    void memoryOfANodeIsMemory() throws Exception {
        try (LinuxHost host = LinuxHostTest.open("memory=64M")) {
            PageExtent extent = take(host, 2 * MIB, 0);
            HostRam.setLong(extent.address(), 5);
            host.memory().free(extent);
            assertEquals(0, HostRam.getLong(extent.address()));
        }
    }
}
