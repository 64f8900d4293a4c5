package org.alcazar.engines.x86.semantics;

import org.alcazar.engines.x86.decode.Instruction;
import org.alcazar.engines.x86.state.Cpu;

/**
 * MMX, and what SSE2 has of it lane by lane (APM volumes 4 and 5). All values are 64 bits: an MMX
 * register, or one half of an XMM register.
 */
public final class Mmx {
    private static final long HIGH8 = 0x8080808080808080L;
    private static final long HIGH16 = 0x8000800080008000L;
    private static final long HIGH32 = 0x8000000080000000L;
    private static final long LOW8 = 0x0101010101010101L;
    private static final long LOW16 = 0x0001000100010001L;

    private Mmx() {}

    /** What each MMX instruction does to the x87 state: top of stack 0, all registers valid. */
    public static void enter(Cpu cpu) {
        cpu.fpTop = 0;
        cpu.ftw = 0;
    }

    /** Sets MMX register n, whose exponent part becomes all ones. */
    public static void write(Cpu cpu, int n, long value) {
        cpu.fpSignificand[n & 7] = value;
        cpu.fpExponent[n & 7] = 0xffff;
    }

    /** Empties the x87 stack. */
    public static void emms(Cpu cpu, Instruction insn) {
        cpu.fpTop = 0;
        cpu.ftw = 0xffff;
    }

    /** Stores the bytes of MMX reg whose mask byte in rm has its top bit set, at DS:rDI. */
    public static void maskmovq(Cpu cpu, Instruction insn) {
        long value = cpu.fpSignificand[insn.reg & 7];
        long mask = cpu.fpSignificand[insn.rm & 7];
        enter(cpu);
        SseMemory.maskedStore(cpu, insn, value, 0, pmovmskb(mask), 8);
    }

    /** All ones in the bytes where a is below b, both signed. */
    static long less8(long a, long b) {
        long less = (a & ~b | ~(a ^ b) & psubb(a, b)) & HIGH8;
        return (less << 1) - (less >>> 7);
    }

    /** All ones in the bytes where a is below b, both unsigned. */
    static long below8(long a, long b) {
        long below = (~a & b | ~(a ^ b) & psubb(a, b)) & HIGH8;
        return (below << 1) - (below >>> 7);
    }

    static long less16(long a, long b) {
        long less = (a & ~b | ~(a ^ b) & psubw(a, b)) & HIGH16;
        return (less << 1) - (less >>> 15);
    }

    static long below16(long a, long b) {
        long below = (~a & b | ~(a ^ b) & psubw(a, b)) & HIGH16;
        return (below << 1) - (below >>> 15);
    }

    /** Bits of a where the mask is set, else of b. */
    static long choose(long mask, long a, long b) {
        return b ^ (a ^ b) & mask;
    }

    public static long paddb(long a, long b) {
        return (a & ~HIGH8) + (b & ~HIGH8) ^ (a ^ b) & HIGH8;
    }

    public static long psubb(long a, long b) {
        return (a | HIGH8) - (b & ~HIGH8) ^ (a ^ ~b) & HIGH8;
    }

    public static long pcmpeqb(long a, long b) {
        long x = a ^ b;
        long equal = ~((x & ~HIGH8) + ~HIGH8 | x) & HIGH8;
        return (equal << 1) - (equal >>> 7);
    }

    public static long paddw(long a, long b) {
        return (a & ~HIGH16) + (b & ~HIGH16) ^ (a ^ b) & HIGH16;
    }

    public static long psubw(long a, long b) {
        return (a | HIGH16) - (b & ~HIGH16) ^ (a ^ ~b) & HIGH16;
    }

    public static long pcmpeqw(long a, long b) {
        long x = a ^ b;
        long equal = ~((x & ~HIGH16) + ~HIGH16 | x) & HIGH16;
        return (equal << 1) - (equal >>> 15);
    }

    public static long paddd(long a, long b) {
        return (a & ~HIGH32) + (b & ~HIGH32) ^ (a ^ b) & HIGH32;
    }

    public static long psubd(long a, long b) {
        return (a | HIGH32) - (b & ~HIGH32) ^ (a ^ ~b) & HIGH32;
    }

    public static long pcmpeqd(long a, long b) {
        long x = a ^ b;
        long equal = ~((x & ~HIGH32) + ~HIGH32 | x) & HIGH32;
        return (equal << 1) - (equal >>> 31);
    }

    public static long paddq(long a, long b) {
        return a + b;
    }

    public static long psubq(long a, long b) {
        return a - b;
    }

    public static long pand(long a, long b) {
        return a & b;
    }

    public static long pandn(long a, long b) {
        return ~a & b;
    }

    public static long por(long a, long b) {
        return a | b;
    }

    public static long pxor(long a, long b) {
        return a ^ b;
    }

    public static long paddsb(long a, long b) {
        long r = 0;
        for (int i = 0; i < 64; i += 8) {
            int x = (byte) (a >>> i);
            int y = (byte) (b >>> i);
            r |= (Math.clamp(x + y, -128, 127) & 0xffL) << i;
        }
        return r;
    }

    public static long psubsb(long a, long b) {
        long r = 0;
        for (int i = 0; i < 64; i += 8) {
            int x = (byte) (a >>> i);
            int y = (byte) (b >>> i);
            r |= (Math.clamp(x - y, -128, 127) & 0xffL) << i;
        }
        return r;
    }

    public static long paddusb(long a, long b) {
        long r = 0;
        for (int i = 0; i < 64; i += 8) {
            int x = (int) (a >>> i) & 0xff;
            int y = (int) (b >>> i) & 0xff;
            r |= (Math.min(x + y, 0xff) & 0xffL) << i;
        }
        return r;
    }

    public static long psubusb(long a, long b) {
        return psubb(a, b) & ~below8(a, b);
    }

    public static long pavgb(long a, long b) {
        long r = 0;
        for (int i = 0; i < 64; i += 8) {
            int x = (int) (a >>> i) & 0xff;
            int y = (int) (b >>> i) & 0xff;
            r |= ((x + y + 1 >> 1) & 0xffL) << i;
        }
        return r;
    }

    public static long pcmpgtb(long a, long b) {
        return less8(b, a);
    }

    public static long paddsw(long a, long b) {
        long r = 0;
        for (int i = 0; i < 64; i += 16) {
            int x = (short) (a >>> i);
            int y = (short) (b >>> i);
            r |= (Math.clamp(x + y, -32768, 32767) & 0xffffL) << i;
        }
        return r;
    }

    public static long psubsw(long a, long b) {
        long r = 0;
        for (int i = 0; i < 64; i += 16) {
            int x = (short) (a >>> i);
            int y = (short) (b >>> i);
            r |= (Math.clamp(x - y, -32768, 32767) & 0xffffL) << i;
        }
        return r;
    }

    public static long paddusw(long a, long b) {
        long r = 0;
        for (int i = 0; i < 64; i += 16) {
            int x = (int) (a >>> i) & 0xffff;
            int y = (int) (b >>> i) & 0xffff;
            r |= (Math.min(x + y, 0xffff) & 0xffffL) << i;
        }
        return r;
    }

    public static long psubusw(long a, long b) {
        return psubw(a, b) & ~below16(a, b);
    }

    public static long pavgw(long a, long b) {
        long r = 0;
        for (int i = 0; i < 64; i += 16) {
            int x = (int) (a >>> i) & 0xffff;
            int y = (int) (b >>> i) & 0xffff;
            r |= ((x + y + 1 >> 1) & 0xffffL) << i;
        }
        return r;
    }

    public static long pcmpgtw(long a, long b) {
        return less16(b, a);
    }

    public static long pcmpgtd(long a, long b) {
        return (int) a > (int) b
                ? a >> 32 > b >> 32 ? -1 : 0xffffffffL
                : a >> 32 > b >> 32 ? -1L << 32 : 0;
    }

    public static long pmullw(long a, long b) {
        long r = 0;
        for (int i = 0; i < 64; i += 16) {
            int x = (short) (a >>> i);
            int y = (short) (b >>> i);
            r |= ((x * y) & 0xffffL) << i;
        }
        return r;
    }

    public static long pmulhw(long a, long b) {
        long r = 0;
        for (int i = 0; i < 64; i += 16) {
            int x = (short) (a >>> i);
            int y = (short) (b >>> i);
            r |= ((x * y >> 16) & 0xffffL) << i;
        }
        return r;
    }

    public static long pmulhuw(long a, long b) {
        long r = 0;
        for (int i = 0; i < 64; i += 16) {
            int x = (int) (a >>> i) & 0xffff;
            int y = (int) (b >>> i) & 0xffff;
            r |= ((x * y >>> 16) & 0xffffL) << i;
        }
        return r;
    }

    public static long pminub(long a, long b) {
        return choose(below8(a, b), a, b);
    }

    public static long pmaxub(long a, long b) {
        return choose(below8(b, a), a, b);
    }

    public static long pminsw(long a, long b) {
        return choose(less16(a, b), a, b);
    }

    public static long pmaxsw(long a, long b) {
        return choose(less16(b, a), a, b);
    }

    public static long pmaddwd(long a, long b) {
        int low = (short) a * (short) b + (short) (a >> 16) * (short) (b >> 16);
        int high = (short) (a >> 32) * (short) (b >> 32) + (short) (a >> 48) * (short) (b >> 48);
        return low & 0xffffffffL | (long) high << 32;
    }

    public static long pmuludq(long a, long b) {
        return (a & 0xffffffffL) * (b & 0xffffffffL);
    }

    /** Sum of absolute differences of the eight bytes. */
    public static long psadbw(long a, long b) {
        int sum = 0;
        for (int i = 0; i < 64; i += 8) {
            sum += Math.abs(((int) (a >>> i) & 0xff) - ((int) (b >>> i) & 0xff));
        }
        return sum;
    }

    public static long psllw(long a, long count) {
        if (Long.compareUnsigned(count, 15) > 0) {
            return 0;
        }
        return (a & (0xffff >>> count) * LOW16) << count;
    }

    public static long psllwI(long a, int count) {
        return psllw(a, (long) count);
    }

    public static long psrlw(long a, long count) {
        if (Long.compareUnsigned(count, 15) > 0) {
            return 0;
        }
        return a >>> count & (0xffff >>> count) * LOW16;
    }

    public static long psrlwI(long a, int count) {
        return psrlw(a, (long) count);
    }

    public static long psraw(long a, long count) {
        int n = (int) Math.min(count & Long.MAX_VALUE | count >>> 63 << 62, 15);
        long r = 0;
        for (int i = 0; i < 64; i += 16) {
            r |= ((short) (a >>> i) >> n & 0xffffL) << i;
        }
        return r;
    }

    public static long psrawI(long a, int count) {
        return psraw(a, (long) count);
    }

    public static long pslld(long a, long count) {
        if (Long.compareUnsigned(count, 31) > 0) {
            return 0;
        }
        return (a & (0xffffffffL >>> count) * 0x100000001L) << count;
    }

    public static long pslldI(long a, int count) {
        return pslld(a, (long) count);
    }

    public static long psrld(long a, long count) {
        if (Long.compareUnsigned(count, 31) > 0) {
            return 0;
        }
        return a >>> count & (0xffffffffL >>> count) * 0x100000001L;
    }

    public static long psrldI(long a, int count) {
        return psrld(a, (long) count);
    }

    public static long psrad(long a, long count) {
        int n = (int) Math.min(count & Long.MAX_VALUE | count >>> 63 << 62, 31);
        return (int) a >> n & 0xffffffffL | a >> 32 >> n << 32;
    }

    public static long psradI(long a, int count) {
        return psrad(a, (long) count);
    }

    public static long psllq(long a, long count) {
        return Long.compareUnsigned(count, 63) > 0 ? 0 : a << count;
    }

    public static long psllqI(long a, int count) {
        return psllq(a, (long) count);
    }

    public static long psrlq(long a, long count) {
        return Long.compareUnsigned(count, 63) > 0 ? 0 : a >>> count;
    }

    public static long psrlqI(long a, int count) {
        return psrlq(a, (long) count);
    }

    /** Four words of a and four of b to bytes, with signed saturation. */
    public static long packsswb(long a, long b) {
        return packHalf(a, -128, 127) | packHalf(b, -128, 127) << 32;
    }

    public static long packuswb(long a, long b) {
        return packHalf(a, 0, 255) | packHalf(b, 0, 255) << 32;
    }

    private static long packHalf(long a, int min, int max) {
        long r = 0;
        for (int i = 0; i < 4; i++) {
            r |= (Math.clamp((short) (a >>> 16 * i), min, max) & 0xffL) << 8 * i;
        }
        return r;
    }

    public static long packssdw(long a, long b) {
        return word((int) a)
                | word((int) (a >>> 32)) << 16
                | word((int) b) << 32
                | word((int) (b >>> 32)) << 48;
    }

    private static long word(int v) {
        return Math.clamp(v, -32768, 32767) & 0xffffL;
    }

    public static long punpcklbw(long a, int b) {
        return spreadBytes((int) a) | spreadBytes(b) << 8;
    }

    public static long punpcklwd(long a, int b) {
        return spreadWords((int) a) | spreadWords(b) << 16;
    }

    public static long punpckldq(long a, int b) {
        return a & 0xffffffffL | (long) b << 32;
    }

    public static long punpckhbw(long a, long b) {
        return punpcklbw(a >>> 32, (int) (b >>> 32));
    }

    public static long punpckhwd(long a, long b) {
        return punpcklwd(a >>> 32, (int) (b >>> 32));
    }

    public static long punpckhdq(long a, long b) {
        return a >>> 32 | b & 0xffffffff00000000L;
    }

    /** Byte i goes to byte 2 * i. */
    static long spreadBytes(int v) {
        long x = v & 0xffffffffL;
        x = (x | x << 16) & 0x0000ffff0000ffffL;
        return (x | x << 8) & 0x00ff00ff00ff00ffL;
    }

    /** Word i goes to word 2 * i. */
    static long spreadWords(int v) {
        return v & 0xffffL | (v & 0xffff0000L) << 16;
    }

    public static long pshufw(long b, int imm) {
        return b >>> 16 * (imm & 3) & 0xffff
                | (b >>> 16 * (imm >> 2 & 3) & 0xffff) << 16
                | (b >>> 16 * (imm >> 4 & 3) & 0xffff) << 32
                | b >>> 16 * (imm >> 6 & 3) << 48;
    }

    public static long pinsrw(long a, int v, int imm) {
        int shift = 16 * (imm & 3);
        return a & ~(0xffffL << shift) | (v & 0xffffL) << shift;
    }

    public static int pextrw(long b, int imm) {
        return (int) (b >>> 16 * (imm & 3)) & 0xffff;
    }

    /** Top bits of the eight bytes. */
    public static int pmovmskb(long b) {
        return (int) ((b >>> 7 & LOW8) * 0x0102040810204080L >>> 56);
    }

    public static long movd32(int v) {
        return v & 0xffffffffL;
    }

    public static long movd64(long v) {
        return v;
    }

    public static int movdStore32(int v) {
        return v;
    }

    public static long movdStore64(long v) {
        return v;
    }

    public static long movq(long v) {
        return v;
    }
}
