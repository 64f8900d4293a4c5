package org.alcazar.hosts.l4;

import java.util.List;

/** Exceptions of x86 (AMD64 APM volume 2, 8.2), for the kernel's decisions and for people. */
final class X86Exceptions {
    static final int GENERAL_PROTECTION = 13;
    static final int PAGE_FAULT = 14;

    private static final int WRITE = 1 << 1;
    private static final int FETCH = 1 << 4;

    private static final List<String> NAMES =
            List.of(
                    "a division error",
                    "a debug exception",
                    "a non-maskable interrupt",
                    "a breakpoint",
                    "an overflow",
                    "a bound-range exception",
                    "an invalid opcode",
                    "device-not-available",
                    "a double fault",
                    "exception 9",
                    "an invalid task segment",
                    "segment-not-present",
                    "a stack exception",
                    "a general-protection exception",
                    "a page fault",
                    "exception 15",
                    "a floating-point exception",
                    "an alignment check",
                    "a machine check",
                    "a SIMD floating-point exception");

    private X86Exceptions() {}

    /** For people. */
    static String name(int vector, long error) {
        String name = vector < NAMES.size() ? NAMES.get(vector) : "exception " + vector;
        return vector == GENERAL_PROTECTION && error != 0
                ? name + " (error code 0x%x)".formatted(error)
                : name;
    }

    /** Which of {@link Flexpage}'s rights a page fault wanted. */
    static int rights(int error) {
        return (error & FETCH) != 0
                ? Flexpage.EXECUTE
                : (error & WRITE) != 0 ? Flexpage.WRITE : Flexpage.READ;
    }

    /** What was done with an address. */
    static String verb(int rights) {
        return (rights & Flexpage.EXECUTE) != 0
                ? "jumped to"
                : (rights & Flexpage.WRITE) != 0 ? "wrote to" : "read from";
    }
}
