package org.alcazar.hosts.jvm;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Locale;
import java.util.Optional;

/**
 * Reserves address space without using memory, and discards pages: by mmap and madvise where the
 * system is Linux, else by the JVM's own allocator, which uses all memory at once and discards by
 * clearing.
 */
@SuppressWarnings("restricted")
final class NativeRange {
    private static final long PAGE = 4096;

    /**
     * PROT_READ | PROT_WRITE, and MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, as Linux numbers
     * them on all but a few old architectures.
     */
    private static final int PROTECTION = 3;

    private static final int FLAGS = 0x02 | 0x20 | 0x4000;
    private static final int MADV_DONTNEED = 4;
    private static final int MADV_HUGEPAGE = 14;

    /** What a system without mmap gets: small enough to be real memory. */
    private static final long FALLBACK_BYTES = 2L << 30;

    private static final Optional<MethodHandle> MADVISE =
            find(
                    "madvise",
                    FunctionDescriptor.of(
                            ValueLayout.JAVA_INT,
                            ValueLayout.ADDRESS,
                            ValueLayout.JAVA_LONG,
                            ValueLayout.JAVA_INT));

    private NativeRange() {}

    /**
     * @throws IllegalStateException if the system gives no such range
     */
    static MemorySegment reserve(long bytes) {
        Optional<MethodHandle> mmap =
                find(
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
                                            MemorySegment.NULL, bytes, PROTECTION, FLAGS, -1, 0L);
            if (at.address() == -1) {
                throw new IllegalStateException(
                        "mmap refuses "
                                + (bytes >> 30)
                                + " GiB of address space; raise the limit (ulimit -v)");
            }
            advise(at.reinterpret(bytes), MADV_HUGEPAGE);
            return at.reinterpret(bytes);
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException("mmap: " + e, e);
        }
    }

    /** Gives the memory behind whole pages back to the system; they read as zero afterwards. */
    static void discard(MemorySegment pages) {
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

    /** A function of the C library; empty if the system is not Linux or has none of this name. */
    static Optional<MethodHandle> find(String name, FunctionDescriptor type) {
        if (!System.getProperty("os.name", "").toLowerCase(Locale.ROOT).contains("linux")) {
            return Optional.empty();
        }
        Linker linker = Linker.nativeLinker();
        return linker.defaultLookup().find(name).map(symbol -> linker.downcallHandle(symbol, type));
    }
}
