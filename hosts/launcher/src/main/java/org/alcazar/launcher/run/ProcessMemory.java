package org.alcazar.launcher.run;

import java.lang.management.ClassLoadingMXBean;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.lang.management.MemoryType;
import java.lang.management.MemoryUsage;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/** What this process takes of the JVM's own memory; the guests' memory is not in it. */
final class ProcessMemory {
    private ProcessMemory() {}

    /**
     * Bytes by part (heap, metaspace, code-cache): {@code used} and {@code committed} now, {@code
     * peak} the sum of the pools' greatest uses since the start, and for the heap {@code live},
     * what was left after the last collections, for the code cache what each of its heaps uses. In
     * {@code classes} there are classes, {@code loaded} now and {@code unloaded} since the start.
     */
    static Map<String, Object> bytes() {
        List<MemoryPoolMXBean> heap = new ArrayList<>();
        List<MemoryPoolMXBean> metaspace = new ArrayList<>();
        List<MemoryPoolMXBean> code = new ArrayList<>();
        for (MemoryPoolMXBean pool : ManagementFactory.getMemoryPoolMXBeans()) {
            String name = pool.getName();
            if (pool.getType() == MemoryType.HEAP) {
                heap.add(pool);
            } else if (name.equals("Metaspace")) { // with the space of compressed classes
                metaspace.add(pool);
            } else if (name.startsWith("Code")) {
                code.add(pool);
            }
        }
        Map<String, Object> heapBytes = new LinkedHashMap<>(part(heap));
        heapBytes.put(
                "live", sum(heap, MemoryPoolMXBean::getCollectionUsage, MemoryUsage::getUsed));
        Map<String, Object> bytes = new LinkedHashMap<>();
        bytes.put("heap", heapBytes);
        bytes.put("metaspace", part(metaspace));
        Map<String, Object> codeBytes = new LinkedHashMap<>(part(code));
        code.forEach(pool -> codeBytes.put(heapName(pool), pool.getUsage().getUsed()));
        bytes.put("code-cache", codeBytes);
        ClassLoadingMXBean classes = ManagementFactory.getClassLoadingMXBean();
        bytes.put(
                "classes",
                Map.of(
                        "loaded", classes.getLoadedClassCount(),
                        "unloaded", classes.getUnloadedClassCount()));
        return bytes;
    }

    /** What HotSpot calls it: profiled, say, of "CodeHeap 'profiled nmethods'". */
    private static String heapName(MemoryPoolMXBean pool) {
        return pool.getName().replaceAll("^CodeHeap |'| nmethods", "");
    }

    private static Map<String, Object> part(List<MemoryPoolMXBean> pools) {
        Map<String, Object> part = new LinkedHashMap<>();
        part.put("used", sum(pools, MemoryPoolMXBean::getUsage, MemoryUsage::getUsed));
        part.put("committed", sum(pools, MemoryPoolMXBean::getUsage, MemoryUsage::getCommitted));
        part.put("peak", sum(pools, MemoryPoolMXBean::getPeakUsage, MemoryUsage::getUsed));
        return part;
    }

    /** A pool that does not know is left out. */
    private static long sum(
            List<MemoryPoolMXBean> pools,
            Function<MemoryPoolMXBean, MemoryUsage> usage,
            Function<MemoryUsage, Long> bytes) {
        return pools.stream()
                .map(pool -> Optional.ofNullable(usage.apply(pool)))
                .flatMap(Optional::stream)
                .mapToLong(bytes::apply)
                .sum();
    }
}
