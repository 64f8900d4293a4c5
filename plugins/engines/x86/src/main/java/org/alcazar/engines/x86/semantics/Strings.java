package org.alcazar.engines.x86.semantics;

import static org.alcazar.engines.x86.api.X86.DS;
import static org.alcazar.engines.x86.api.X86.ES;
import static org.alcazar.engines.x86.api.X86.RAX;
import static org.alcazar.engines.x86.api.X86.RCX;
import static org.alcazar.engines.x86.api.X86.RDI;
import static org.alcazar.engines.x86.api.X86.RSI;

import org.alcazar.engines.x86.api.Bits;
import org.alcazar.engines.x86.decode.Instruction;
import org.alcazar.engines.x86.state.Cpu;
import org.alcazar.host.HostRam;

import java.lang.invoke.VarHandle;

/**
 * String instructions, repetition inside (APM volume 3, 1.2.6). Registers are up to date after
 * every iteration, so a fault or exit leaves a state to go on from. Moves and fills of plain RAM
 * are done in bulk up to the end of a page, in any order for other cores, but in order with what
 * comes before and after (APM volume 2, 7.1.2).
 */
public final class Strings {
    /** Iterations between two looks at requests. */
    private static final int SLICE = 4096;

    private static final long PAGE = 4096;

    private Strings() {}

    private static int bytes(Instruction insn) {
        return (insn.opcode & 1) == 0 ? 1 : Math.min(insn.operandSize, isPort(insn) ? 4 : 8);
    }

    private static boolean isPort(Instruction insn) {
        return (insn.opcode & 0xfc) == 0x6c;
    }

    private static long source(Cpu cpu, Instruction insn, int bytes) {
        int segment = insn.segmentOverride >= 0 ? insn.segmentOverride : DS;
        long offset = Memory.trim(cpu.gpr[RSI], insn.addressSize);
        return Segments.linear(cpu, segment, offset, bytes, false);
    }

    private static long destination(Cpu cpu, Instruction insn, int bytes, boolean write) {
        long offset = Memory.trim(cpu.gpr[RDI], insn.addressSize);
        return Segments.linear(cpu, ES, offset, bytes, write);
    }

    private static void advance(Cpu cpu, Instruction insn, int register, long bytes) {
        long step = (cpu.flags & Bits.DF) != 0 ? -bytes : bytes;
        Memory.setLow(cpu, register, insn.addressSize, cpu.gpr[register] + step);
    }

    private static long count(Cpu cpu, Instruction insn) {
        return Memory.trim(cpu.gpr[RCX], insn.addressSize);
    }

    private static void done(Cpu cpu, Instruction insn, long iterations) {
        Memory.setLow(cpu, RCX, insn.addressSize, cpu.gpr[RCX] - iterations);
        cpu.accesses.clear();
    }

    /** Whether a debugger may want to see every iteration. */
    private static boolean traced(Cpu cpu) {
        return (cpu.flags & Bits.TF) != 0 || cpu.breakpoints.armed();
    }

    /** Iterations up to the first look at requests. */
    private static int slice(Cpu cpu) {
        return traced(cpu) ? 1 : SLICE;
    }

    /**
     * Whether to leave a repetition for what has been posted; RIP goes back to the instruction
     * then.
     */
    private static boolean interrupted(Cpu cpu, Instruction insn) {
        if (cpu.requests.pending() == 0 && !traced(cpu)) {
            return false;
        }
        cpu.rip -= insn.length;
        return true;
    }

    /** MOVS. */
    public static void movs(Cpu cpu, Instruction insn) {
        int bytes = bytes(insn);
        if (insn.repeat == 0) {
            move(cpu, insn, bytes);
            return;
        }
        int left = slice(cpu);
        for (long n = count(cpu, insn); n != 0; n = count(cpu, insn)) {
            long bulk = bulkMove(cpu, insn, bytes, n);
            if (bulk == 0) {
                move(cpu, insn, bytes);
                done(cpu, insn, 1);
                left--;
            } else {
                left -= 256;
            }
            if (left <= 0 && n > 1) {
                left = SLICE;
                if (interrupted(cpu, insn)) {
                    return;
                }
            }
        }
    }

    private static void move(Cpu cpu, Instruction insn, int bytes) {
        // All faults of the source precede those of the destination.
        long value = Memory.read(cpu, source(cpu, insn, bytes), bytes);
        Memory.write(cpu, destination(cpu, insn, bytes, true), bytes, value);
        advance(cpu, insn, RSI, bytes);
        advance(cpu, insn, RDI, bytes);
    }

    /** Iterations that fit in what is left of a page from {@code linear} on, upwards. */
    private static long fit(long linear, int bytes, long count) {
        return Math.min(count, (PAGE - (linear & PAGE - 1)) / bytes);
    }

    /**
     * Moves as much as lies in one page of RAM on either side.
     *
     * @return iterations done, 0 if this way is closed
     */
    private static long bulkMove(Cpu cpu, Instruction insn, int bytes, long count) {
        if (count < 2
                || (cpu.flags & (Bits.DF | Bits.TF | Bits.AC)) != 0
                || insn.addressSize == 2) {
            return 0;
        }
        long from = source(cpu, insn, bytes);
        if (fit(from, bytes, count) == 0) {
            return 0;
        }
        cpu.mmu.probeRead(from);
        long to = destination(cpu, insn, bytes, true);
        long n = fit(from, bytes, fit(to, bytes, count));
        if (n < 2 || !inLimits(cpu, insn, n * bytes)) {
            return 0;
        }
        int total = (int) n * bytes;
        int seen = cpu.mmu.invalidations;
        long source = cpu.mmu.bulk.read(from, total);
        long target = source < 0 ? -1 : cpu.mmu.bulk.write(to, total);
        if (target < 0 || seen != cpu.mmu.invalidations) {
            return 0;
        }
        VarHandle.releaseFence();
        if (target > source && target < source + total) {
            // A move that overlaps itself upwards repeats a pattern; the processor's order matters.
            for (long i = 0; i < total; i += bytes) {
                copyOne(source + i, target + i, bytes);
            }
        } else {
            HostRam.copy(source, target, total);
        }
        VarHandle.acquireFence();
        advance(cpu, insn, RSI, total);
        advance(cpu, insn, RDI, total);
        done(cpu, insn, n);
        return n;
    }

    /**
     * Whether both strings stay within 32-bit offsets and segment limits for this many bytes;
     * 64-bit segments have none.
     */
    private static boolean inLimits(Cpu cpu, Instruction insn, long total) {
        if (insn.mode == 64 && insn.addressSize == 8) {
            return true;
        }
        int segment = insn.segmentOverride >= 0 ? insn.segmentOverride : DS;
        return inLimit(cpu, segment, Memory.trim(cpu.gpr[RSI], 4) + total - 1)
                && inLimit(cpu, ES, Memory.trim(cpu.gpr[RDI], 4) + total - 1);
    }

    private static boolean inLimit(Cpu cpu, int segment, long last) {
        boolean expandDown = (cpu.segmentAttributes[segment] & 0xc) == 4;
        return cpu.code64() ? last >>> 32 == 0 : !expandDown && last <= cpu.segmentLimit[segment];
    }

    private static void copyOne(long from, long to, int bytes) {
        switch (bytes) {
            case 1 -> HostRam.setByte(to, HostRam.getByte(from));
            case 2 -> HostRam.setShort(to, HostRam.getShort(from));
            case 4 -> HostRam.setInt(to, HostRam.getInt(from));
            default -> HostRam.setLong(to, HostRam.getLong(from));
        }
    }

    /** STOS. */
    public static void stos(Cpu cpu, Instruction insn) {
        int bytes = bytes(insn);
        if (insn.repeat == 0) {
            store(cpu, insn, bytes);
            return;
        }
        int left = slice(cpu);
        for (long n = count(cpu, insn); n != 0; n = count(cpu, insn)) {
            long bulk = bulkStore(cpu, insn, bytes, n);
            if (bulk == 0) {
                store(cpu, insn, bytes);
                done(cpu, insn, 1);
                left--;
            } else {
                left -= 256;
            }
            if (left <= 0 && n > 1) {
                left = SLICE;
                if (interrupted(cpu, insn)) {
                    return;
                }
            }
        }
    }

    private static void store(Cpu cpu, Instruction insn, int bytes) {
        Memory.write(cpu, destination(cpu, insn, bytes, true), bytes, cpu.gpr[RAX]);
        advance(cpu, insn, RDI, bytes);
    }

    private static long bulkStore(Cpu cpu, Instruction insn, int bytes, long count) {
        if (count < 2 || (cpu.flags & (Bits.DF | Bits.TF)) != 0 || insn.addressSize == 2) {
            return 0;
        }
        long to = destination(cpu, insn, bytes, true);
        long n = fit(to, bytes, count);
        int total = (int) n * bytes;
        if (n < 2 || !storeInLimit(cpu, insn, total)) {
            return 0;
        }
        long target = cpu.mmu.bulk.write(to, total);
        if (target < 0) {
            return 0;
        }
        VarHandle.releaseFence();
        fill(target, total, bytes, cpu.gpr[RAX]);
        advance(cpu, insn, RDI, total);
        done(cpu, insn, n);
        return n;
    }

    private static boolean storeInLimit(Cpu cpu, Instruction insn, long total) {
        return insn.mode == 64 && insn.addressSize == 8
                || inLimit(cpu, ES, Memory.trim(cpu.gpr[RDI], 4) + total - 1);
    }

    private static void fill(long target, int total, int bytes, long value) {
        long pattern =
                switch (bytes) {
                    case 1 -> (value & 0xff) * 0x0101010101010101L;
                    case 2 -> (value & 0xffff) * 0x0001000100010001L;
                    case 4 -> (value & 0xffffffffL) * 0x0000000100000001L;
                    default -> value;
                };
        if (Long.rotateLeft(pattern, 8) == pattern) {
            HostRam.fill(target, total, (byte) pattern);
            return;
        }
        int i = 0;
        for (; i + 8 <= total; i += 8) {
            HostRam.setLong(target + i, pattern);
        }
        for (; i < total; i++) {
            HostRam.setByte(target + i, (byte) (pattern >>> 8 * (i & 7)));
        }
    }

    /** LODS. */
    public static void lods(Cpu cpu, Instruction insn) {
        int bytes = bytes(insn);
        if (insn.repeat == 0) {
            load(cpu, insn, bytes);
            return;
        }
        int left = slice(cpu);
        while (count(cpu, insn) != 0) {
            load(cpu, insn, bytes);
            done(cpu, insn, 1);
            if (--left <= 0 && count(cpu, insn) != 0) {
                left = SLICE;
                if (interrupted(cpu, insn)) {
                    return;
                }
            }
        }
    }

    private static void load(Cpu cpu, Instruction insn, int bytes) {
        Memory.setLow(cpu, RAX, bytes, Memory.read(cpu, source(cpu, insn, bytes), bytes));
        advance(cpu, insn, RSI, bytes);
    }

    /** SCAS: REPE and REPNE stop by ZF. */
    public static void scas(Cpu cpu, Instruction insn) {
        int bytes = bytes(insn);
        if (insn.repeat == 0) {
            scan(cpu, insn, bytes);
            return;
        }
        int left = slice(cpu);
        while (count(cpu, insn) != 0) {
            scan(cpu, insn, bytes);
            done(cpu, insn, 1);
            if (cpu.zero() != (insn.repeat == 0xf3)) {
                return;
            }
            if (--left <= 0 && count(cpu, insn) != 0) {
                left = SLICE;
                if (interrupted(cpu, insn)) {
                    return;
                }
            }
        }
    }

    private static void scan(Cpu cpu, Instruction insn, int bytes) {
        long value = Memory.read(cpu, destination(cpu, insn, bytes, false), bytes);
        Alu.compare(cpu, bytes, cpu.gpr[RAX], value);
        advance(cpu, insn, RDI, bytes);
    }

    /** CMPS. */
    public static void cmps(Cpu cpu, Instruction insn) {
        int bytes = bytes(insn);
        if (insn.repeat == 0) {
            compare(cpu, insn, bytes);
            return;
        }
        int left = slice(cpu);
        while (count(cpu, insn) != 0) {
            compare(cpu, insn, bytes);
            done(cpu, insn, 1);
            if (cpu.zero() != (insn.repeat == 0xf3)) {
                return;
            }
            if (--left <= 0 && count(cpu, insn) != 0) {
                left = SLICE;
                if (interrupted(cpu, insn)) {
                    return;
                }
            }
        }
    }

    private static void compare(Cpu cpu, Instruction insn, int bytes) {
        long a = Memory.read(cpu, source(cpu, insn, bytes), bytes);
        long b = Memory.read(cpu, destination(cpu, insn, bytes, false), bytes);
        Alu.compare(cpu, bytes, a, b);
        advance(cpu, insn, RSI, bytes);
        advance(cpu, insn, RDI, bytes);
    }

    /** INS: the destination is checked before the port is read. */
    public static void ins(Cpu cpu, Instruction insn) {
        int bytes = bytes(insn);
        int port = (int) cpu.gpr[2] & 0xffff;
        InputOutput.check(cpu, port, bytes);
        if (insn.repeat == 0) {
            input(cpu, insn, port, bytes);
            return;
        }
        while (count(cpu, insn) != 0) {
            input(cpu, insn, port, bytes);
            done(cpu, insn, 1);
            if (count(cpu, insn) != 0 && interrupted(cpu, insn)) {
                return;
            }
        }
    }

    private static void input(Cpu cpu, Instruction insn, int port, int bytes) {
        long to = destination(cpu, insn, bytes, true);
        cpu.mmu.probeWrite(to, bytes);
        Memory.write(cpu, to, bytes, InputOutput.read(cpu, port, bytes));
        advance(cpu, insn, RDI, bytes);
    }

    /** OUTS. */
    public static void outs(Cpu cpu, Instruction insn) {
        int bytes = bytes(insn);
        int port = (int) cpu.gpr[2] & 0xffff;
        InputOutput.check(cpu, port, bytes);
        if (insn.repeat == 0) {
            output(cpu, insn, port, bytes);
            return;
        }
        while (count(cpu, insn) != 0) {
            output(cpu, insn, port, bytes);
            done(cpu, insn, 1);
            if (count(cpu, insn) != 0 && interrupted(cpu, insn)) {
                return;
            }
        }
    }

    private static void output(Cpu cpu, Instruction insn, int port, int bytes) {
        long value = Memory.read(cpu, source(cpu, insn, bytes), bytes);
        InputOutput.write(cpu, port, bytes, value);
        advance(cpu, insn, RSI, bytes);
    }
}
