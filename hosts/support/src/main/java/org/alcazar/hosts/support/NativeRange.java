package org.alcazar.hosts.support;

import org.alcazar.host.HostRange;
import org.alcazar.host.HostRefusal;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.management.ManagementFactory;
import java.util.Optional;

/**
 * Reserves address space without using memory, and discards pages: by mmap and madvise where the
 * system is Linux, else by the JVM's own allocator, which uses all memory at once and discards by
 * clearing.
 */
@SuppressWarnings("restricted")
public final class NativeRange {
    private static final long PAGE = 4096;

    /**
     * PROT_READ | PROT_WRITE, and MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, as Linux numbers
     * them on all but a few old architectures.
     */
    private static final int PROTECTION = 3;

    private static final int FLAGS = 0x02 | 0x20 | 0x4000;
    private static final int MADV_DONTNEED = 4;
    private static final int MADV_HUGEPAGE = 14;

    /** What is reserved at least, so that several hosts fit into one test process. */
    private static final long MIN_RESERVATION = 16L << 30;

    /** The greatest page of x86-64: what is aligned within the range is so for the processor. */
    private static final long ALIGNMENT = 1L << 30;

    /** What a system without mmap gets: small enough to be real memory. */
    private static final long FALLBACK_BYTES = 2L << 30;

    private static final Optional<MethodHandle> MADVISE =
            CLibrary.find(
                    "madvise",
                    FunctionDescriptor.of(
                            ValueLayout.JAVA_INT,
                            ValueLayout.ADDRESS,
                            ValueLayout.JAVA_LONG,
                            ValueLayout.JAVA_INT));

    private NativeRange() {}

    /**
     * Provides the process's range if no host has done so: as large as the machine's memory, with
     * the exchange of 16 bytes where there is one.
     *
     * @param host for the message
     * @throws HostRefusal if the system gives no such range
     */
    public static void provide(String host) throws HostRefusal {
        try {
            HostRange.reserve(
                    () -> reserve(Math.max(MIN_RESERVATION, physicalMemory())),
                    WideExchange.find().orElse(null));
        } catch (IllegalStateException e) {
            throw new HostRefusal("host " + host + ": " + e.getMessage(), e);
        }
    }

    /** Bytes of memory that this machine has, whole pages. */
    public static long physicalMemory() {
        var os =
                ManagementFactory.getPlatformMXBean(com.sun.management.OperatingSystemMXBean.class);
        return os.getTotalMemorySize() & -PAGE;
    }

    /**
     * Address space, aligned to 1 GiB where there is mmap.
     *
     * @throws IllegalStateException if the system gives no such range
     */
    public static MemorySegment reserve(long bytes) {
        Optional<MethodHandle> mmap =
                CLibrary.find(
                        "mmap",
                        FunctionDescriptor.of(
                                ValueLayout.ADDRESS,
                                ValueLayout.ADDRESS,
                                ValueLayout.JAVA_LONG,
                                ValueLayout.JAVA_INT,
                                ValueLayout.JAVA_INT,
                                ValueLayout.JAVA_INT,
                                ValueLayout.JAVA_LONG));
        if (mmap.isEmpty()) {
            return Arena.global().allocate(Math.min(bytes, FALLBACK_BYTES), PAGE);
        }
        try {
            MemorySegment at =
                    (MemorySegment)
                            mmap.get()
                                    .invokeExact(
                                            MemorySegment.NULL,
                                            bytes + ALIGNMENT,
                                            PROTECTION,
                                            FLAGS,
                                            -1,
                                            0L);
            if (at.address() == -1) {
                throw new IllegalStateException(
                        "mmap refuses "
                                + (bytes >> 30)
                                + " GiB of address space; raise the limit (ulimit -v)");
            }
            long skipped = -at.address() & ALIGNMENT - 1;
            MemorySegment range = at.reinterpret(bytes + ALIGNMENT).asSlice(skipped, bytes);
            advise(range, MADV_HUGEPAGE);
            return range;
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException("mmap: " + e, e);
        }
    }

    /** Gives the memory behind whole pages back to the system; they read as zero afterwards. */
    public static void discard(MemorySegment pages) {
        if (!advise(pages, MADV_DONTNEED)) {
            pages.fill((byte) 0);
        }
    }

    private static boolean advise(MemorySegment pages, int advice) {
        try {
            return MADVISE.isPresent()
                    && (int) MADVISE.get().invokeExact(pages, pages.byteSize(), advice) == 0;
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException("madvise: " + e, e);
        }
    }
}
