package org.alcazar.engines.x86.semantics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.alcazar.engines.x86.api.Bits;
import org.alcazar.engines.x86.api.X86;
import org.alcazar.engines.x86.mmu.Guest;
import org.alcazar.engines.x86.state.Cpu;
import org.alcazar.engines.x86.state.CpuExit;
import org.alcazar.engines.x86.state.CpuFault;
import org.alcazar.engines.x86.state.CpuModel;
import org.alcazar.engines.x86.state.Reset;
import org.alcazar.machine.InterruptSource;
import org.alcazar.machine.Ranges;
import org.alcazar.machine.Standstill;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Model-specific registers: what they hold, what they refuse (APM volume 2, 3.2, 7.7-7.9, 9.3). */
class MsrTest {
    private static final int SYSCFG = 0xc001_0010, HWCR = 0xc001_0015;

    private final Guest guest = new Guest();
    private final Cpu cpu = guest.cpu;

    @BeforeEach
    void power() {
        Reset.power(cpu, CpuModel.SIGNATURE);
    }

    @AfterEach
    void close() {
        guest.close();
    }

    private void refused(int number, long value) {
        CpuFault fault =
                assertThrows(
                        CpuFault.class,
                        () -> Msrs.write(cpu, number, value),
                        () -> Integer.toHexString(number) + " = " + Long.toHexString(value));
        assertEquals(Bits.GP, fault.vector);
        assertEquals(0, fault.errorCode);
    }

    private void unknown(int number) {
        assertEquals(Bits.GP, assertThrows(CpuFault.class, () -> Msrs.read(cpu, number)).vector);
        refused(number, 0);
    }

    private void keeps(int number, long written, long read) {
        Msrs.write(cpu, number, written);
        assertEquals(read, Msrs.read(cpu, number), Integer.toHexString(number));
    }

    @Test
    @DisplayName("the direction bits of fixed ranges are hidden and kept unless SYSCFG shows them")
    void directions() {
        long directed = 0x1e06_0e16_1804_1101L;
        keeps(0x268, directed, 0x0606_0606_0004_0101L);
        keeps(SYSCFG, 1 << 19, 1 << 19);
        keeps(0x268, directed, directed);
        Msrs.write(cpu, SYSCFG, 0);
        keeps(0x268, 0, 0);
        Msrs.write(cpu, SYSCFG, 1 << 19);
        assertEquals(directed & 0x1818_1818_1818_1818L, Msrs.read(cpu, 0x268));
        refused(0x268, 0x26);
        refused(0x268, 0x1f);
        refused(0x250, 2L << 56);
    }

    @Test
    @DisplayName("memory-type registers refuse unknown types, reserved bits and far addresses")
    void memoryTypes() {
        keeps(0x200, 0xffff_ffff_f006L, 0xffff_ffff_f006L);
        keeps(0x201, 0xffff_ffff_f800L, 0xffff_ffff_f800L);
        refused(0x200, 2);
        refused(0x200, 7);
        refused(0x200, 0x100);
        refused(0x200, 1L << 48);
        refused(0x201, 1 << 10);
        refused(0x20f, 1L << 52);
        keeps(0x2ff, 0xc06, 0xc06);
        refused(0x2ff, 0x1000);
        refused(0x2ff, 0x106);
        refused(0x2ff, 3);
        keeps(0x277, 0x0007_0105_0406_0007L, 0x0007_0105_0406_0007L);
        refused(0x277, 2L << 32);
        refused(0x277, 8);
        refused(0xfe, 0);
        assertEquals(0x508, Msrs.read(cpu, 0xfe));
    }

    @Test
    @DisplayName("AMD's ranges and tops of memory hold addresses and their two bits, nothing else")
    void topsAndRanges() {
        keeps(0xc001_001a, 0xc000_0000L, 0xc000_0000L);
        keeps(0xc001_001d, 0x4_4000_0000L, 0x4_4000_0000L);
        refused(0xc001_001a, 1 << 22);
        refused(0xc001_001d, 1L << 48);
        keeps(0xc001_0016, 0xa_0018, 0xa_0018);
        keeps(0xc001_0019, 0xffff_fffe_0800L, 0xffff_fffe_0800L);
        refused(0xc001_0016, 4);
        refused(0xc001_0017, 0x400);
        refused(SYSCFG, 1);
        refused(SYSCFG, 1 << 23);
        keeps(SYSCFG, 0x1f << 18, 0x1f << 18);
    }

    @Test
    @DisplayName("a machine-check status takes only zero until HWCR lets it take anything")
    void machineCheck() {
        assertEquals(0x106, Msrs.read(cpu, 0x179));
        refused(0x179, 0);
        refused(0x17a, 8);
        keeps(0x17a, 7, 7);
        keeps(0x17b, -1, -1);
        for (int bank = 0; bank < 6; bank++) {
            int base = 0x400 + 4 * bank;
            keeps(base, -1, -1);
            keeps(base + 1, 0, 0);
            refused(base + 1, 1);
            keeps(base + 2, 0x1234, 0x1234);
            keeps(base + 3, 5, 5);
            keeps(0xc001_0044 + bank, 3, 3);
        }
        unknown(0x418);
        keeps(HWCR, 1 << 18, 1 << 24 | 1 << 18);
        keeps(0x401, 1L << 63, 1L << 63);
        assertEquals(1L << 63, cpu.msr[X86.MC0_CTL + 1]);
        keeps(HWCR, 1L << 40, 1 << 24);
    }

    @Test
    @DisplayName("branch recording has two control bits and registers that can only be read")
    void branchRecording() {
        keeps(0x1d9, 3, 3);
        keeps(0x1d9, 0x780, 0);
        refused(0x1d9, 4);
        refused(0x1d9, 0x40);
        for (int number = 0x1db; number <= 0x1de; number++) {
            assertEquals(0, Msrs.read(cpu, number));
            refused(number, 0);
        }
        unknown(0x1da);
    }

    @Test
    @DisplayName("counters have legacy numbers and their own; undefined control bits read as zero")
    void counters() {
        keeps(0xc001_0202, -1L & ~(1L << 22), 0x30f_ff97_ffffL);
        assertEquals(0x30f_ff97_ffffL, Msrs.read(cpu, 0xc001_0001));
        keeps(0xc001_0207, -1, (1L << 48) - 1);
        assertEquals((1L << 48) - 1, Msrs.read(cpu, 0xc001_0007));
        keeps(0xc001_020b, 77, 77);
        unknown(0xc001_020c);
        cpu.gpr[X86.RCX] = 5;
        SystemInstructions.rdpmc(cpu, new org.alcazar.engines.x86.decode.Instruction());
        assertEquals(77, cpu.gpr[X86.RAX]);
        cpu.gpr[X86.RCX] = 6;
        assertThrows(CpuFault.class, this::readCounter);
        cpu.gpr[X86.RCX] = 0;
        cpu.cr0 |= Bits.CR0_PE;
        guest.cpl(3);
        assertThrows(CpuFault.class, this::readCounter);
        cpu.cr4 |= Bits.CR4_PCE;
        readCounter();
    }

    private void readCounter() {
        SystemInstructions.rdpmc(cpu, new org.alcazar.engines.x86.decode.Instruction());
    }

    @Test
    @DisplayName("leaves of topology and caches agree with each other and with the older leaves")
    void topology() {
        Cpu third = new Cpu(3, guest.block, guest.bus, CpuModel.MAX, new Standstill());
        long[] thread = leaf(third, 0xb, 0);
        assertEquals(0, thread[X86.RAX]);
        assertEquals(1, thread[X86.RBX]);
        assertEquals(0x100, thread[X86.RCX]);
        assertEquals(3, thread[X86.RDX]);
        long[] core = leaf(third, 0xb, 1);
        assertEquals(0x201, core[X86.RCX]);
        assertEquals(3, core[X86.RDX]);
        long[] end = leaf(third, 0xb, 2);
        assertEquals(0, end[X86.RBX]);
        assertEquals(2, end[X86.RCX]);
        assertEquals(3, end[X86.RDX]);
        assertEquals(3, leaf(third, 1, 0)[X86.RBX] >>> 24);
        assertEquals(3, leaf(third, 0x8000_001e, 0)[X86.RAX]);
        assertEquals(3, leaf(third, 0x8000_001e, 0)[X86.RBX]);
        assertEquals(0, leaf(third, 0x8000_001e, 0)[X86.RCX]);
        assertEquals(1, leaf(third, 0x8000_0001, 0)[X86.RCX] >>> 22 & 1);
        long[] sizes = {32 << 10, 64 << 10, 512 << 10, 8 << 20, 0};
        int[] levels = {1, 1, 2, 3, 0};
        for (int i = 0; i < 5; i++) {
            long[] cache = leaf(third, 0x8000_001d, i);
            long ways = (cache[X86.RBX] >>> 22) + 1;
            long line = (cache[X86.RBX] & 0xfff) + 1;
            assertEquals(levels[i], cache[X86.RAX] >>> 5 & 7);
            if (sizes[i] != 0) {
                assertEquals(sizes[i], ways * line * (cache[X86.RCX] + 1), "cache " + i);
            }
        }
        assertEquals(32, leaf(third, 0x8000_0005, 0)[X86.RCX] >>> 24);
        assertEquals(64, leaf(third, 0x8000_0005, 0)[X86.RDX] >>> 24);
        assertEquals(512, leaf(third, 0x8000_0006, 0)[X86.RCX] >>> 16);
        assertEquals(16, leaf(third, 0x8000_0006, 0)[X86.RDX] >>> 18);
    }

    @Test
    @DisplayName("all leaves of topology tell the same: one package, a thread a core")
    void severalCores() {
        int[] counts = {1, 2, 3, 4, 5, 64};
        int[] bits = {0, 1, 2, 2, 3, 6};
        for (int i = 0; i < counts.length; i++) {
            int count = counts[i];
            Cpu last = new Cpu(count - 1, guest.block, guest.bus, CpuModel.MAX, new Standstill());
            last.cores = count;
            long several = count > 1 ? 1 : 0;
            assertEquals(count, leaf(last, 1, 0)[X86.RBX] >>> 16 & 0xff);
            assertEquals(several, leaf(last, 1, 0)[X86.RDX] >>> 28 & 1);
            assertEquals(several, leaf(last, 0x8000_0001, 0)[X86.RCX] >>> 1 & 1);
            assertEquals(count - 1, leaf(last, 0x8000_0008, 0)[X86.RCX] & 0xff);
            assertEquals(bits[i], leaf(last, 0x8000_0008, 0)[X86.RCX] >>> 12 & 0xf);
            assertEquals(0, leaf(last, 0xb, 0)[X86.RAX]);
            assertEquals(bits[i], leaf(last, 0xb, 1)[X86.RAX]);
            assertEquals(count, leaf(last, 0xb, 1)[X86.RBX]);
            assertEquals(count - 1, leaf(last, 0xb, 1)[X86.RDX]);
            assertEquals(count - 1, leaf(last, 0x8000_001e, 0)[X86.RBX]);
            assertEquals(0, leaf(last, 0x8000_001e, 0)[X86.RCX]);
            assertEquals(0, leaf(last, 0x8000_001d, 2)[X86.RAX] >>> 14);
            assertEquals(count - 1, leaf(last, 0x8000_001d, 3)[X86.RAX] >>> 14);
        }
    }

    @Test
    @DisplayName("the local APIC's modes follow each other as the manual has it")
    void apicBase() {
        long base = 0xfee0_0000L, enabled = 1 << 11, extended = 1 << 10, boot = 1 << 8;
        Map<Integer, Long> told = new HashMap<>();
        guest.block.interrupts =
                new InterruptSource() {
                    @Override
                    public int acknowledge() {
                        return NONE;
                    }

                    @Override
                    public void coreRegister(int register, long value) {
                        told.put(register, value);
                    }
                };
        refused(0x1b, base | extended);
        keeps(0x1b, base | enabled | extended, base | enabled | extended | boot);
        assertEquals(base | enabled | extended | boot, told.get(X86.APIC_BASE));
        refused(0x1b, base | enabled);
        refused(0x1b, base | extended);
        keeps(0x1b, base, base | boot);
        refused(0x1b, base | enabled | extended);
        keeps(0x1b, 0xfed0_0000L | enabled, 0xfed0_0000L | enabled | boot);
        refused(0x1b, base | enabled | 1);
        refused(0x1b, 1L << 52 | enabled);
        Cpu old = new Cpu(0, guest.block, guest.bus, CpuModel.X86_64_V1, new Standstill());
        Reset.power(old, CpuModel.SIGNATURE);
        assertThrows(CpuFault.class, () -> Msrs.write(old, 0x1b, base | enabled | extended));
    }

    @Test
    @DisplayName("who serves interrupts hears of a new offset of the time-stamp counter")
    void offset() {
        List<Long> told = new ArrayList<>();
        guest.block.interrupts =
                new InterruptSource() {
                    @Override
                    public int acknowledge() {
                        return NONE;
                    }

                    @Override
                    public void coreRegister(int register, long value) {
                        assertEquals(X86.TSC_OFFSET, register);
                        told.add(value);
                    }
                };
        guest.block.time = retired -> 1000;
        Msrs.write(cpu, 0x10, 5000);
        Msrs.write(cpu, 0x3b, 70);
        assertEquals(List.of(4000L, 70L), told);
    }

    @Test
    @DisplayName("registers of features that are not announced do not reach the VMM")
    void interceptedButUnannounced() {
        guest.block.registers = Ranges.NONE.with(0x800, 0x8ff).with(0x6e0, 0x6e0);
        Cpu old = new Cpu(0, guest.block, guest.bus, CpuModel.X86_64_V1, new Standstill());
        Reset.power(old, CpuModel.SIGNATURE);
        assertThrows(CpuFault.class, () -> Msrs.read(old, 0x802));
        assertThrows(CpuFault.class, () -> Msrs.write(old, 0x6e0, 1));
        assertThrows(CpuExit.class, () -> Msrs.read(cpu, 0x802));
        assertThrows(CpuExit.class, () -> Msrs.write(cpu, 0x6e0, 1));
    }

    private static long[] leaf(Cpu cpu, int leaf, int subLeaf) {
        cpu.gpr[X86.RAX] = leaf & 0xffff_ffffL;
        cpu.gpr[X86.RCX] = subLeaf;
        Cpuid.execute(cpu);
        return cpu.gpr.clone();
    }

    @Test
    @DisplayName("what kernels expect of the family is there and does nothing")
    void family() {
        int[] numbers = {0xc001_001f, 0xc001_0055, 0xc001_0064, 0xc001_0112, 0xc001_1022};
        for (int number : numbers) {
            keeps(number, -1, 0);
        }
        keeps(0xc001_1029, 0, 2);
        keeps(0x8b, 0, 1);
    }

    @Test
    @DisplayName("what is not announced is not there")
    void unannounced() {
        for (int number :
                new int[] {
                    0x48,
                    0x49,
                    0xce,
                    0x1a0,
                    0xe7,
                    0xe8,
                    0x10a,
                    0x345,
                    0x802,
                    0xc000_0104,
                    0xc000_0300,
                    0xc001_0114,
                    0xc001_0117,
                    0xc001_0140,
                    0xc001_0240,
                    0xc001_1027,
                    0xc001_1030
                }) {
            unknown(number);
        }
        Cpu old = new Cpu(0, guest.block, guest.bus, CpuModel.X86_64_V1, new Standstill());
        Reset.power(old, CpuModel.SIGNATURE);
        assertThrows(CpuFault.class, () -> Msrs.read(old, 0x3b));
        assertThrows(CpuFault.class, () -> Msrs.read(old, 0xc000_0103));
        assertThrows(CpuFault.class, () -> Msrs.read(old, 0xc001_0200));
        assertEquals(0, Msrs.read(old, 0xc001_0000));
    }
}
