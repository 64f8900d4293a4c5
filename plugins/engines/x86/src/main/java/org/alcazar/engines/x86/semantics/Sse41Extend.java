package org.alcazar.engines.x86.semantics;

import org.alcazar.engines.x86.state.Cpu;

/** PMOVSX and PMOVZX: the source's low elements, made wider. */
public final class Sse41Extend {
    private Sse41Extend() {}

    public static void pmovsxbw(Cpu cpu, int dst, long v) {
        SseInteger.set(cpu, dst, bytesToWords((int) v), bytesToWords((int) (v >> 32)));
    }

    public static void pmovzxbw(Cpu cpu, int dst, long v) {
        SseInteger.set(cpu, dst, Mmx.spreadBytes((int) v), Mmx.spreadBytes((int) (v >> 32)));
    }

    public static void pmovsxbd(Cpu cpu, int dst, int v) {
        SseInteger.set(cpu, dst, pair((byte) v, (byte) (v >> 8)), pair((byte) (v >> 16), v >> 24));
    }

    public static void pmovzxbd(Cpu cpu, int dst, int v) {
        SseInteger.set(cpu, dst, pair(v & 0xff, v >> 8 & 0xff), pair(v >> 16 & 0xff, v >>> 24));
    }

    public static void pmovsxbq(Cpu cpu, int dst, int v) {
        SseInteger.set(cpu, dst, (byte) v, (byte) (v >> 8));
    }

    public static void pmovzxbq(Cpu cpu, int dst, int v) {
        SseInteger.set(cpu, dst, v & 0xff, v >> 8 & 0xff);
    }

    public static void pmovsxwd(Cpu cpu, int dst, long v) {
        SseInteger.set(
                cpu,
                dst,
                pair((short) v, (short) (v >> 16)),
                pair((short) (v >> 32), (short) (v >> 48)));
    }

    public static void pmovzxwd(Cpu cpu, int dst, long v) {
        SseInteger.set(cpu, dst, Mmx.spreadWords((int) v), Mmx.spreadWords((int) (v >> 32)));
    }

    public static void pmovsxwq(Cpu cpu, int dst, int v) {
        SseInteger.set(cpu, dst, (short) v, v >> 16);
    }

    public static void pmovzxwq(Cpu cpu, int dst, int v) {
        SseInteger.set(cpu, dst, v & 0xffff, v >>> 16);
    }

    public static void pmovsxdq(Cpu cpu, int dst, long v) {
        SseInteger.set(cpu, dst, v << 32 >> 32, v >> 32);
    }

    public static void pmovzxdq(Cpu cpu, int dst, long v) {
        SseInteger.set(cpu, dst, v & 0xffffffffL, v >>> 32);
    }

    private static long bytesToWords(int v) {
        return pair(
                (byte) v & 0xffff | (byte) (v >> 8) << 16,
                (byte) (v >> 16) & 0xffff | v >> 24 << 16);
    }

    private static long pair(int low, int high) {
        return low & 0xffffffffL | (long) high << 32;
    }
}
