package org.alcazar.hosts.l4;

/**
 * Timeouts of IPC as X.2 (5.4) puts them into 16 bits: mantissa in bits 0 to 9, exponent in bits 10
 * to 14, the product with two's power of microseconds. Points in time (bit 15) are not known here.
 */
final class Timeouts {
    static final int NEVER = 0;
    static final int ZERO = 1 << 10;

    private Timeouts() {}

    static boolean known(int timeout) {
        return (timeout & 0x8000) == 0;
    }

    /** Nanoseconds; {@link Long#MAX_VALUE} for never. */
    static long nanos(int timeout) {
        if ((timeout & 0xffff) == NEVER) {
            return Long.MAX_VALUE;
        }
        long mantissa = timeout & 0x3ff;
        int exponent = timeout >>> 10 & 0x1f;
        return (mantissa << exponent) * 1000;
    }

    /** The deadline that a timeout gives from now on. */
    static long deadline(int timeout, long now) {
        long nanos = nanos(timeout);
        return nanos == Long.MAX_VALUE ? Long.MAX_VALUE : now + nanos;
    }
}
