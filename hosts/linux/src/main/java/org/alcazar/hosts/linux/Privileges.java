package org.alcazar.hosts.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** What this process may do. */
final class Privileges {
    private static final int RLIMIT_MEMLOCK = 8;
    private static final int RLIMIT_RTPRIO = 14;

    private final long effective;

    Privileges(SystemTree tree) {
        effective =
                tree.lines("/proc/self/status").stream()
                        .filter(line -> line.startsWith("CapEff:"))
                        .mapToLong(line -> Long.parseUnsignedLong(line.substring(7).strip(), 16))
                        .findFirst()
                        .orElse(0);
    }

    /** A capability (capabilities(7)), by its number in the kernel. */
    enum Capability {
        CAP_NET_ADMIN(12),
        CAP_IPC_LOCK(14),
        CAP_SYS_NICE(23);

        private final int bit;

        Capability(int bit) {
            this.bit = bit;
        }
    }

    boolean has(Capability capability) {
        return (effective >>> capability.bit & 1) != 0;
    }

    /** Why memory can't be locked, as far as privileges go. */
    String aboutLocking() {
        long limit = limit(RLIMIT_MEMLOCK);
        return "RLIMIT_MEMLOCK is %s and CAP_IPC_LOCK %s"
                .formatted(
                        limit < 0 ? "unlimited" : (limit >> 10) + " KiB",
                        present(Capability.CAP_IPC_LOCK));
    }

    /** Why there is no real-time priority. */
    String aboutPriority() {
        return "RLIMIT_RTPRIO is %d and CAP_SYS_NICE %s"
                .formatted(limit(RLIMIT_RTPRIO), present(Capability.CAP_SYS_NICE));
    }

    String present(Capability capability) {
        return has(capability) ? "is there" : "is missing";
    }

    /** Whether any memory may be locked, however little. */
    boolean locksAll() {
        return has(Capability.CAP_IPC_LOCK) || limit(RLIMIT_MEMLOCK) < 0;
    }

    boolean hasPriority() {
        return has(Capability.CAP_SYS_NICE) || limit(RLIMIT_RTPRIO) != 0;
    }

    /** The soft limit; negative if there is none. */
    private static long limit(int which) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment pair = arena.allocate(16, Long.BYTES);
            long result = Syscall.PRLIMIT64.call(0, which, 0, pair.address());
            return result < 0 ? 0 : pair.get(ValueLayout.JAVA_LONG, 0);
        }
    }
}
