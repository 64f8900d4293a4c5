package org.alcazar.vmm.core;

import org.alcazar.host.HostThread;
import org.alcazar.vmm.plugin.ConfigurationException;

import java.util.ArrayList;
import java.util.List;

/**
 * On which processors of the host vcores run.
 *
 * @param auto vcore n on processor n, again from the first one when there are no more
 * @param cpus for each vcore its processor, again from the first one when there are more vcores;
 *     empty: anywhere
 */
record Pinning(boolean auto, List<Integer> cpus) {
    private static final Pinning FREE = new Pinning(false, List.of());

    /**
     * @param value {@code free}, {@code auto}, a number, numbers with commas, or a list of these
     */
    static Pinning of(Object value) throws ConfigurationException {
        Object only = value instanceof List<?> list && list.size() == 1 ? list.getFirst() : value;
        if (only.equals("") || only.equals("free") || only.equals(List.of())) {
            return FREE;
        }
        if (only.equals("auto")) {
            return new Pinning(true, List.of());
        }
        List<Integer> cpus = new ArrayList<>();
        for (Object entry : value instanceof List<?> list ? list : List.of(value)) {
            for (String part : String.valueOf(entry).split(",", -1)) {
                cpus.add(number(part.strip()));
            }
        }
        return new Pinning(false, List.copyOf(cpus));
    }

    private static int number(String text) throws ConfigurationException {
        if (!text.matches("[0-9]{1,6}")) {
            throw new ConfigurationException(
                    "pin=" + text + " is not free, auto or processors of the host such as [0, 1]");
        }
        return Integer.parseInt(text);
    }

    /**
     * Where a vcore runs: a processor, which need not exist, or ANY_CPU.
     *
     * @param count of the host's processors
     */
    int cpu(int vcore, int count) {
        if (auto) {
            return vcore % count;
        }
        return cpus.isEmpty() ? HostThread.ANY_CPU : cpus.get(vcore % cpus.size());
    }
}
