package org.alcazar.engines.x86.semantics;

import org.alcazar.engines.x86.state.Cpu;

/**
 * Shifts and rotates (APM volume 3). Counts are taken modulo 32, or 64 for quadwords; a count of 0
 * changes no flag. Where the manual leaves OF undefined (counts other than 1), it follows the same
 * formula as for 1; AF is cleared.
 */
public final class Shift {
    private static final long CF = 1L << 63;
    private static final long PO = 1L << 62;

    private Shift() {}

    /**
     * Result, sign-extended, with CF in bit 0 of {@code carry} and OF in bit 0 of {@code overflow}.
     */
    private static void flags(Cpu cpu, long result, long carry, long overflow) {
        cpu.flagResult = result;
        cpu.flagAux = carry << 63 | (carry ^ overflow) << 63 >>> 1;
    }

    /** CF and OF by the bits 0 of the arguments; other flags stay. */
    private static void rotated(Cpu cpu, long carry, long overflow) {
        cpu.flagAux = cpu.flagAux & ~(CF | PO) | carry << 63 | (carry ^ overflow) << 63 >>> 1;
    }

    public static int shl8(Cpu cpu, int a, int count) {
        int n = count & 31;
        if (n == 0) {
            return a;
        }
        long wide = (a & 0xffL) << n;
        int r = (int) wide;
        long carry = wide >>> 8 & 1;
        flags(cpu, (byte) r, carry, carry ^ r >>> 7 & 1);
        return r;
    }

    public static int shr8(Cpu cpu, int a, int count) {
        int n = count & 31;
        if (n == 0) {
            return a;
        }
        long wide = a & 0xffL;
        int r = (int) (wide >>> n);
        flags(cpu, (byte) r, wide >>> n - 1 & 1, (long) r >>> 6 & 1);
        return r;
    }

    public static int sar8(Cpu cpu, int a, int count) {
        int n = count & 31;
        if (n == 0) {
            return a;
        }
        long wide = (byte) a;
        int r = (int) (wide >> n);
        flags(cpu, (byte) r, wide >> n - 1 & 1, 0);
        return r;
    }

    public static int rol8(Cpu cpu, int a, int count) {
        int n = count & 31;
        if (n == 0) {
            return a;
        }
        int r = (a & 0xff) << (n & 7) | (a & 0xff) >>> 8 - (n & 7);
        rotated(cpu, r & 1, r & 1 ^ r >>> 7 & 1);
        return r;
    }

    public static int ror8(Cpu cpu, int a, int count) {
        int n = count & 31;
        if (n == 0) {
            return a;
        }
        int r = (a & 0xff) >>> (n & 7) | (a & 0xff) << 8 - (n & 7);
        rotated(cpu, r >>> 7 & 1, r >>> 7 & 1 ^ r >>> 6 & 1);
        return r;
    }

    public static int rcl8(Cpu cpu, int a, int count) {
        int n = (count & 31) % 9;
        if (n == 0) {
            return a;
        }
        long wide = a & 0xffL | (cpu.carry() ? 1L << 8 : 0);
        long turned = wide << n | wide >>> 9 - n;
        int r = (int) turned;
        long carry = turned >>> 8 & 1;
        rotated(cpu, carry, carry ^ r >>> 7 & 1);
        return r;
    }

    public static int rcr8(Cpu cpu, int a, int count) {
        int n = (count & 31) % 9;
        if (n == 0) {
            return a;
        }
        long wide = a & 0xffL | (cpu.carry() ? 1L << 8 : 0);
        long turned = wide >>> n | wide << 9 - n;
        int r = (int) turned;
        rotated(cpu, turned >>> 8 & 1, r >>> 7 & 1 ^ r >>> 6 & 1);
        return r;
    }

    public static int shl16(Cpu cpu, int a, int count) {
        int n = count & 31;
        if (n == 0) {
            return a;
        }
        long wide = (a & 0xffffL) << n;
        int r = (int) wide;
        long carry = wide >>> 16 & 1;
        flags(cpu, (short) r, carry, carry ^ r >>> 15 & 1);
        return r;
    }

    public static int shr16(Cpu cpu, int a, int count) {
        int n = count & 31;
        if (n == 0) {
            return a;
        }
        long wide = a & 0xffffL;
        int r = (int) (wide >>> n);
        flags(cpu, (short) r, wide >>> n - 1 & 1, (long) r >>> 14 & 1);
        return r;
    }

    public static int sar16(Cpu cpu, int a, int count) {
        int n = count & 31;
        if (n == 0) {
            return a;
        }
        long wide = (short) a;
        int r = (int) (wide >> n);
        flags(cpu, (short) r, wide >> n - 1 & 1, 0);
        return r;
    }

    public static int rol16(Cpu cpu, int a, int count) {
        int n = count & 31;
        if (n == 0) {
            return a;
        }
        int r = (a & 0xffff) << (n & 15) | (a & 0xffff) >>> 16 - (n & 15);
        rotated(cpu, r & 1, r & 1 ^ r >>> 15 & 1);
        return r;
    }

    public static int ror16(Cpu cpu, int a, int count) {
        int n = count & 31;
        if (n == 0) {
            return a;
        }
        int r = (a & 0xffff) >>> (n & 15) | (a & 0xffff) << 16 - (n & 15);
        rotated(cpu, r >>> 15 & 1, r >>> 15 & 1 ^ r >>> 14 & 1);
        return r;
    }

    public static int rcl16(Cpu cpu, int a, int count) {
        int n = (count & 31) % 17;
        if (n == 0) {
            return a;
        }
        long wide = a & 0xffffL | (cpu.carry() ? 1L << 16 : 0);
        long turned = wide << n | wide >>> 17 - n;
        int r = (int) turned;
        long carry = turned >>> 16 & 1;
        rotated(cpu, carry, carry ^ r >>> 15 & 1);
        return r;
    }

    public static int rcr16(Cpu cpu, int a, int count) {
        int n = (count & 31) % 17;
        if (n == 0) {
            return a;
        }
        long wide = a & 0xffffL | (cpu.carry() ? 1L << 16 : 0);
        long turned = wide >>> n | wide << 17 - n;
        int r = (int) turned;
        rotated(cpu, turned >>> 16 & 1, r >>> 15 & 1 ^ r >>> 14 & 1);
        return r;
    }

    /**
     * Counts beyond 16 are undefined for words: on AMD processors the second operand comes in twice
     * and CF is clear, and so is OF here.
     */
    public static int shld16(Cpu cpu, int a, int b, int count) {
        int n = count & 31;
        if (n == 0) {
            return a;
        }
        long wide = (a & 0xffffL) << 32 | (b & 0xffffL) << 16 | b & 0xffffL;
        long shifted = wide << n;
        int r = (int) (shifted >>> 32) & 0xffff;
        boolean beyond = n > 16;
        long carry = beyond ? 0 : shifted >>> 48 & 1;
        flags(cpu, (short) r, carry, beyond ? 0 : carry ^ r >>> 15);
        return r;
    }

    public static int shrd16(Cpu cpu, int a, int b, int count) {
        int n = count & 31;
        if (n == 0) {
            return a;
        }
        long wide = (b & 0xffffL) << 32 | (b & 0xffffL) << 16 | a & 0xffffL;
        int r = (int) (wide >>> n) & 0xffff;
        flags(cpu, (short) r, n > 16 ? 0 : wide >>> n - 1 & 1, r >>> 15 ^ r >>> 14 & 1);
        return r;
    }

    public static int shl32(Cpu cpu, int a, int count) {
        int n = count & 31;
        if (n == 0) {
            return a;
        }
        long wide = (a & 0xffffffffL) << n;
        int r = (int) wide;
        long carry = wide >>> 32 & 1;
        flags(cpu, r, carry, carry ^ r >>> 31 & 1);
        return r;
    }

    public static int shr32(Cpu cpu, int a, int count) {
        int n = count & 31;
        if (n == 0) {
            return a;
        }
        long wide = a & 0xffffffffL;
        int r = (int) (wide >>> n);
        flags(cpu, r, wide >>> n - 1 & 1, (long) r >>> 30 & 1);
        return r;
    }

    public static int sar32(Cpu cpu, int a, int count) {
        int n = count & 31;
        if (n == 0) {
            return a;
        }
        long wide = a;
        int r = (int) (wide >> n);
        flags(cpu, r, wide >> n - 1 & 1, 0);
        return r;
    }

    public static int rol32(Cpu cpu, int a, int count) {
        int n = count & 31;
        if (n == 0) {
            return a;
        }
        int r = Integer.rotateLeft(a, n);
        rotated(cpu, r & 1, r & 1 ^ r >>> 31 & 1);
        return r;
    }

    public static int ror32(Cpu cpu, int a, int count) {
        int n = count & 31;
        if (n == 0) {
            return a;
        }
        int r = Integer.rotateRight(a, n);
        rotated(cpu, r >>> 31 & 1, r >>> 31 & 1 ^ r >>> 30 & 1);
        return r;
    }

    public static int rcl32(Cpu cpu, int a, int count) {
        int n = count & 31;
        if (n == 0) {
            return a;
        }
        long wide = a & 0xffffffffL | (cpu.carry() ? 1L << 32 : 0);
        long turned = wide << n | wide >>> 33 - n;
        int r = (int) turned;
        long carry = turned >>> 32 & 1;
        rotated(cpu, carry, carry ^ r >>> 31 & 1);
        return r;
    }

    public static int rcr32(Cpu cpu, int a, int count) {
        int n = count & 31;
        if (n == 0) {
            return a;
        }
        long wide = a & 0xffffffffL | (cpu.carry() ? 1L << 32 : 0);
        long turned = wide >>> n | wide << 33 - n;
        int r = (int) turned;
        rotated(cpu, turned >>> 32 & 1, r >>> 31 & 1 ^ r >>> 30 & 1);
        return r;
    }

    public static int shld32(Cpu cpu, int a, int b, int count) {
        int n = count & 31;
        if (n == 0) {
            return a;
        }
        int r = a << n | b >>> 32 - n;
        long carry = a >>> 32 - n & 1;
        flags(cpu, r, carry, carry ^ r >>> 31 & 1);
        return r;
    }

    public static int shrd32(Cpu cpu, int a, int b, int count) {
        int n = count & 31;
        if (n == 0) {
            return a;
        }
        int r = a >>> n | b << 32 - n;
        flags(cpu, r, a >>> n - 1 & 1, r >>> 31 & 1 ^ r >>> 30 & 1);
        return r;
    }

    public static long shl64(Cpu cpu, long a, int count) {
        int n = count & 63;
        if (n == 0) {
            return a;
        }
        long r = a << n;
        long carry = a >>> 64 - n & 1;
        flags(cpu, r, carry, carry ^ r >>> 63 & 1);
        return r;
    }

    public static long shr64(Cpu cpu, long a, int count) {
        int n = count & 63;
        if (n == 0) {
            return a;
        }
        long wide = a;
        long r = wide >>> n;
        flags(cpu, r, wide >>> n - 1 & 1, r >>> 62 & 1);
        return r;
    }

    public static long sar64(Cpu cpu, long a, int count) {
        int n = count & 63;
        if (n == 0) {
            return a;
        }
        long wide = a;
        long r = wide >> n;
        flags(cpu, r, wide >> n - 1 & 1, 0);
        return r;
    }

    public static long rol64(Cpu cpu, long a, int count) {
        int n = count & 63;
        if (n == 0) {
            return a;
        }
        long r = Long.rotateLeft(a, n);
        rotated(cpu, r & 1, r & 1 ^ r >>> 63 & 1);
        return r;
    }

    public static long ror64(Cpu cpu, long a, int count) {
        int n = count & 63;
        if (n == 0) {
            return a;
        }
        long r = Long.rotateRight(a, n);
        rotated(cpu, r >>> 63 & 1, r >>> 63 & 1 ^ r >>> 62 & 1);
        return r;
    }

    public static long rcl64(Cpu cpu, long a, int count) {
        int n = count & 63;
        if (n == 0) {
            return a;
        }
        long in = cpu.carry() ? 1 : 0;
        long r = a << n | in << n - 1 | (n == 1 ? 0 : a >>> 65 - n);
        long carry = a >>> 64 - n & 1;
        rotated(cpu, carry, carry ^ r >>> 63);
        return r;
    }

    public static long rcr64(Cpu cpu, long a, int count) {
        int n = count & 63;
        if (n == 0) {
            return a;
        }
        long in = cpu.carry() ? 1 : 0;
        long r = a >>> n | in << 64 - n | (n == 1 ? 0 : a << 65 - n);
        rotated(cpu, a >>> n - 1 & 1, r >>> 63 ^ r >>> 62 & 1);
        return r;
    }

    public static long shld64(Cpu cpu, long a, long b, int count) {
        int n = count & 63;
        if (n == 0) {
            return a;
        }
        long r = a << n | b >>> 64 - n;
        long carry = a >>> 64 - n & 1;
        flags(cpu, r, carry, carry ^ r >>> 63 & 1);
        return r;
    }

    public static long shrd64(Cpu cpu, long a, long b, int count) {
        int n = count & 63;
        if (n == 0) {
            return a;
        }
        long r = a >>> n | b << 64 - n;
        flags(cpu, r, a >>> n - 1 & 1, r >>> 63 & 1 ^ r >>> 62 & 1);
        return r;
    }
}
