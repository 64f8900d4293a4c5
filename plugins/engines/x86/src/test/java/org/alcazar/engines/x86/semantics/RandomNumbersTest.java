package org.alcazar.engines.x86.semantics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.engines.x86.TestEngines;
import org.alcazar.engines.x86.api.Bits;
import org.alcazar.engines.x86.api.X86;
import org.alcazar.engines.x86.mmu.Guest;
import org.alcazar.engines.x86.state.Cpu;
import org.alcazar.engines.x86.state.CpuModel;
import org.alcazar.engines.x86.state.GroupExchange;
import org.alcazar.engines.x86.state.RandomStream;
import org.alcazar.engines.x86.state.Reset;
import org.alcazar.machine.ControlBlock;
import org.alcazar.machine.Engine;
import org.alcazar.machine.PhysicalBus;
import org.alcazar.machine.Standstill;
import org.alcazar.machine.VirtualCore;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

import java.util.Map;

class RandomNumbersTest {
    private final Guest guest = new Guest();
    private final Cpu cpu = guest.cpu;

    @AfterEach
    void close() {
        guest.close();
    }

    private Cpu core(int index) {
        return new Cpu(index, guest.block, guest.bus, CpuModel.MAX, new Standstill());
    }

    @Test
    @DisplayName("a number always comes, with CF set and the other flags clear")
    void flags() {
        cpu.setRflags(Bits.STATUS | 2);
        RandomNumbers.rdrand64(cpu);
        assertEquals(Bits.CF, cpu.rflags() & Bits.STATUS);
        cpu.setRflags(Bits.STATUS | 2);
        assertEquals(0, RandomNumbers.rdseed16(cpu) >>> 16);
        assertEquals(Bits.CF, cpu.rflags() & Bits.STATUS);
    }

    @Test
    @DisplayName("streams follow from seed and core, and differ by either")
    void streams() {
        Cpu other = core(1);
        RandomStream.seed(cpu, 1);
        RandomStream.seed(other, 1);
        long first = RandomNumbers.rdrand64(cpu);
        assertNotEquals(first, RandomNumbers.rdrand64(other));
        RandomStream.seed(cpu, 2);
        assertNotEquals(first, RandomNumbers.rdrand64(cpu));
        RandomStream.seed(cpu, 1);
        assertEquals(first, RandomNumbers.rdrand64(cpu));
    }

    @Test
    @DisplayName("a stream goes on where its saved state was, and over a reset")
    void saved() {
        RandomStream.seed(cpu, 7);
        RandomNumbers.rdrand32(cpu);
        GroupExchange.fetch(cpu, guest.block, 1L << X86.EXTENDED);
        long next = RandomNumbers.rdseed64(cpu);
        Cpu restored = core(0);
        guest.block.dirty = 1L << X86.EXTENDED;
        GroupExchange.load(restored, guest.block);
        Reset.power(restored, 0);
        assertEquals(next, RandomNumbers.rdrand64(restored));
    }

    @Test
    @DisplayName("each bit is set about half of the time")
    void spread() {
        int[] ones = new int[64];
        for (int i = 0; i < 4096; i++) {
            long value = RandomNumbers.rdrand64(cpu);
            for (int bit = 0; bit < 64; bit++) {
                ones[bit] += (int) (value >>> bit & 1);
            }
        }
        for (int count : ones) {
            assertTrue(count > 1800 && count < 2300, () -> "ones: " + count);
        }
    }

    private static long start(Map<String, String> options, int index) {
        ControlBlock block = new ControlBlock(X86.ARCHITECTURE);
        Engine engine = TestEngines.create(new PhysicalBus(), options);
        VirtualCore core = engine.newCore(index, block);
        core.reset(block);
        core.fetch(block, 1L << X86.EXTENDED);
        engine.close();
        return block.group(X86.EXTENDED)[X86.RANDOM];
    }

    @Test
    @DisplayName("the engine's option sets the seed")
    void option() {
        assertEquals(start(Map.of("seed", "5"), 0), start(Map.of("seed", "5"), 0));
        assertNotEquals(start(Map.of("seed", "5"), 0), start(Map.of("seed", "6"), 0));
        assertNotEquals(start(Map.of("seed", "5"), 0), start(Map.of("seed", "5"), 1));
        assertEquals(start(Map.of("seed", "0"), 0), start(Map.of(), 0));
    }
}
