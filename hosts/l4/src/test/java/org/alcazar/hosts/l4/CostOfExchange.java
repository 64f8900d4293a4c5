package org.alcazar.hosts.l4;

import org.alcazar.host.HostExitPortal;
import org.alcazar.host.HostRefusal;
import org.alcazar.host.HostThread;

import java.util.Arrays;

/**
 * What a round of two messages between a VMM's thread and a VM's costs here, in nanoseconds; run by
 * hand. The medians of 20 parts, with both threads free, and both on processor 0.
 */
final class CostOfExchange {
    private static final int PARTS = 20;
    private static final int ROUNDS = 20_000;

    private CostOfExchange() {}

    /** Prints two lines. */
    public static void main(String[] arguments) throws HostRefusal {
        try (L4Host host = L4HostTest.open("memory=16M")) {
            for (int cpu : new int[] {HostThread.ANY_CPU, 0}) {
                host.processors()
                        .start(
                                "vmm",
                                cpu,
                                () -> System.out.println(cpu + ": " + measure(host, cpu)))
                        .join(Long.MAX_VALUE);
            }
        }
    }

    private static String measure(L4Host host, int cpu) {
        HostExitPortal portal = host.find(HostExitPortal.class).orElseThrow();
        try (HostExitPortal.Gate gate =
                portal.open("vm", "v0", cpu, words -> words[0] = HostExitPortal.tag(1, 10, 0))) {
            long[] message = new long[HostExitPortal.WORDS];
            long[] nanos = new long[PARTS];
            for (int part = -PARTS; part < PARTS; part++) {
                long start = host.clock().nanoTime();
                for (int i = 0; i < ROUNDS; i++) {
                    message[0] = HostExitPortal.tag(1, 30, 0);
                    gate.exchange(message);
                }
                nanos[Math.floorMod(part, PARTS)] = (host.clock().nanoTime() - start) / ROUNDS;
            }
            Arrays.sort(nanos);
            return "%d ns a round (%d to %d)"
                    .formatted(nanos[PARTS / 2], nanos[0], nanos[PARTS - 1]);
        } catch (HostRefusal e) {
            return String.valueOf(e.getMessage());
        }
    }
}
