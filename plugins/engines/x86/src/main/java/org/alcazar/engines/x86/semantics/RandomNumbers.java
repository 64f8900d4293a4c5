package org.alcazar.engines.x86.semantics;

import org.alcazar.engines.x86.api.Bits;
import org.alcazar.engines.x86.state.Cpu;
import org.alcazar.engines.x86.state.RandomStream;

/**
 * RDRAND and RDSEED (APM volume 3): the next of {@link RandomStream}, always at the first attempt.
 */
public final class RandomNumbers {
    private RandomNumbers() {}

    /** The next number; flags as after success. */
    private static long next(Cpu cpu) {
        cpu.setStatus(Bits.CF);
        return RandomStream.next(cpu);
    }

    public static int rdrand16(Cpu cpu) {
        return (int) next(cpu) & 0xffff;
    }

    public static int rdrand32(Cpu cpu) {
        return (int) next(cpu);
    }

    public static long rdrand64(Cpu cpu) {
        return next(cpu);
    }

    public static int rdseed16(Cpu cpu) {
        return (int) next(cpu) & 0xffff;
    }

    public static int rdseed32(Cpu cpu) {
        return (int) next(cpu);
    }

    public static long rdseed64(Cpu cpu) {
        return next(cpu);
    }
}
