package org.alcazar.engines.x86.interpreter;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.alcazar.engines.x86.api.Bits;
import org.alcazar.engines.x86.api.X86;
import org.alcazar.host.HostRam;
import org.alcazar.machine.BusDevice;
import org.alcazar.machine.RamPages;
import org.alcazar.machine.Width;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

import java.util.HexFormat;

/** What of the instruction extensions user code on the machine's own processor can't show. */
class ExtensionTest {
    private static final long CODE = 0x10000, DATA = 0x40000, HANDLERS = 0x30000, IDT = 0x9000;

    /** Mapped, beyond RAM; not mapped. */
    private static final long DEVICE = 0x3000_0000, NOWHERE = 0x5000_0000;

    private static final int NOTHING = -1;

    private BareMachine machine = new BareMachine();
    private int accesses;

    @AfterEach
    void close() {
        machine.close();
    }

    private void model(String name) {
        machine.close();
        machine = new BareMachine(name);
    }

    private void start() {
        machine.longMode(CODE);
        for (int vector = 0; vector < 32; vector++) {
            long handler = HANDLERS + 16 * vector;
            RamPages.setLong(
                    IDT + 16 * vector,
                    handler & 0xffff | 8L << 16 | 0x8e00L << 32 | handler >> 16 << 48);
            machine.load(handler, (byte) 0xf4);
        }
        long[] segments = machine.group(X86.SEGMENTS);
        segments[X86.IDTR_BASE] = IDT;
        segments[X86.IDTR_LIMIT] = 32 * 16 - 1;
        set(X86.RSI, DATA);
        set(X86.RDI, DATA);
    }

    private void set(int register, long value) {
        machine.group(X86.GENERAL)[register] = value;
    }

    /** Executes one instruction. @return its exception, or {@link #NOTHING} */
    private int run(String hex) {
        machine.load(CODE, HexFormat.of().parseHex(hex.replace(" ", "") + "f4"));
        set(X86.RIP, CODE);
        machine.group(X86.EVENTS)[X86.ACTIVITY] = X86.ACTIVE;
        machine.run(1);
        long rip = machine.register(X86.RIP);
        return rip >= HANDLERS ? (int) (rip - HANDLERS) / 16 : NOTHING;
    }

    private void control(long cr0, boolean osfxsr) {
        long[] control = machine.group(X86.CONTROL);
        long basic = Bits.CR0_PE | Bits.CR0_PG | Bits.CR0_WP | Bits.CR0_NE | Bits.CR0_ET;
        control[X86.CR0] = basic | cr0;
        control[X86.CR4] = Bits.CR4_PAE | (osfxsr ? Bits.CR4_OSFXSR : 0);
    }

    @Test
    @DisplayName("an MMX load that faults leaves the x87 stack alone, one that works does not")
    void mmxFaults() {
        start();
        long tags = machine.group(X86.FPU)[X86.FTW];
        set(X86.RSI, NOWHERE);
        assertEquals(Bits.PFV, run("0f fc 06")); // paddb (%rsi),%mm0
        assertEquals(tags, machine.group(X86.FPU)[X86.FTW]);
        assertEquals(Bits.PFV, run("0f 7f 06")); // movq %mm0,(%rsi)
        assertEquals(tags, machine.group(X86.FPU)[X86.FTW]);
        set(X86.RSI, DATA);
        assertEquals(NOTHING, run("0f fc 06"));
        assertEquals(0, machine.group(X86.FPU)[X86.FTW]);
    }

    @Test
    @DisplayName("MASKMOVQ makes all x87 registers valid, even when it faults, as processors do")
    void maskmovq() {
        start();
        set(X86.RDI, NOWHERE);
        machine.group(X86.FPU)[X86.FTW] = 0xffff;
        assertEquals(Bits.PFV, run("0f f7 c1"));
        assertEquals(0, machine.group(X86.FPU)[X86.FTW]);
        set(X86.RDI, DATA);
        machine.group(X86.FPU)[X86.FTW] = 0xffff;
        assertEquals(NOTHING, run("0f f7 c1"));
        assertEquals(0, machine.group(X86.FPU)[X86.FTW]);
    }

    @Test
    @DisplayName("CLFLUSH, CLFLUSHOPT and CLWB translate their address and touch no device")
    void flush() {
        machine.bus.attachMemory(
                DEVICE,
                4096,
                new BusDevice() {
                    @Override
                    public long read(long offset, Width width) {
                        accesses++;
                        return 0;
                    }

                    @Override
                    public void write(long offset, Width width, long value) {
                        accesses++;
                    }
                });
        start();
        for (String flush : new String[] {"0f ae 3e", "66 0f ae 3e", "66 0f ae 36"}) {
            set(X86.RSI, DEVICE + 17);
            assertEquals(NOTHING, run(flush));
            set(X86.RSI, NOWHERE);
            assertEquals(Bits.PFV, run(flush));
            set(X86.RSI, 1L << 48);
            assertEquals(Bits.GP, run(flush));
        }
        assertEquals(0, accesses);
    }

    @Test
    @DisplayName("CLZERO clears the line of 64 bytes that RAX points into")
    void clzero() {
        start();
        HostRam.fill(DATA, 192, (byte) 0x55);
        set(X86.RAX, DATA + 64 + 37);
        assertEquals(NOTHING, run("0f 01 fc"));
        for (int i = 0; i < 192; i++) {
            assertEquals(i >> 6 == 1 ? 0 : 0x55, HostRam.getByte(DATA + i));
        }
        set(X86.RAX, NOWHERE);
        assertEquals(Bits.PFV, run("0f 01 fc"));
    }

    @Test
    @DisplayName("RDPID reads TSC_AUX")
    void rdpid() {
        start();
        machine.group(X86.MSRS)[X86.TSC_AUX] = 0x89ab_cdefL;
        set(X86.RBX, -1);
        assertEquals(NOTHING, run("f3 0f c7 fb"));
        assertEquals(0x89ab_cdefL, machine.register(X86.RBX));
    }

    @Test
    @DisplayName("without their features LZCNT and TZCNT are BSR and BSF")
    void counts() {
        for (String name : new String[] {"x86-64-v1", "x86-64-v2", "max"}) {
            model(name);
            start();
            set(X86.RCX, 0x4000);
            assertEquals(NOTHING, run("f3 0f bd c1")); // lzcnt %ecx,%eax
            assertEquals(name.equals("max") ? 17 : 14, machine.register(X86.RAX));
            set(X86.RCX, 0);
            set(X86.RAX, 5);
            assertEquals(NOTHING, run("f3 0f bc c1")); // tzcnt %ecx,%eax
            assertEquals(name.equals("max") ? 32 : 5, machine.register(X86.RAX));
        }
    }

    @Test
    @DisplayName("each model refuses the instructions that it does not announce")
    void models() {
        String[] code = {
            "f2 0f f0 06", // lddqu
            "0f 38 00 c1", // pshufb, MMX
            "66 0f 38 17 c1", // ptest
            "66 0f 3a 63 c1 00", // pcmpistri
            "f2 0f 38 f1 c1", // crc32
            "66 0f 38 dc c1", // aesenc
            "66 0f 3a 44 c1 00", // pclmulqdq
            "0f 38 c8 c1", // sha1nexte
            "66 0f 38 f6 c1", // adcx
            "f2 0f 79 c1", // insertq
            "66 0f 38 cf c1", // gf2p8mulb
            "0f 01 fc" // clzero
        };
        for (String name : new String[] {"x86-64-v1", "x86-64-v2", "max"}) {
            int have = name.equals("max") ? code.length : name.equals("x86-64-v2") ? 5 : 0;
            model(name);
            start();
            for (int i = 0; i < code.length; i++) {
                set(X86.RAX, DATA);
                assertEquals(i < have ? NOTHING : Bits.UD, run(code[i]), name + " " + code[i]);
            }
        }
    }

    @Test
    @DisplayName("control bits refuse vector instructions, and leave CRC32, POPCNT and ADCX alone")
    void controlBits() {
        String[] integer = {"f2 0f 38 f1 c1", "f3 0f b8 c1", "66 0f 38 f6 c1", "f3 0f bd c1"};
        String[] vector = {"66 0f 38 00 c1", "66 0f 38 dc c1", "0f 38 c8 c1", "66 0f 3a 14 c0 01"};
        long[] cr0 = {0, 0, Bits.CR0_TS, Bits.CR0_EM, Bits.CR0_EM | Bits.CR0_TS};
        int[] want = {NOTHING, Bits.UD, Bits.NM, Bits.UD, Bits.UD};
        int[] wantMmx = {NOTHING, NOTHING, Bits.NM, Bits.UD, Bits.UD};
        for (int i = 0; i < cr0.length; i++) {
            start();
            control(cr0[i], i != 1);
            for (String hex : integer) {
                assertEquals(NOTHING, run(hex), hex);
            }
            for (String hex : vector) {
                assertEquals(want[i], run(hex), hex + " " + i);
            }
            assertEquals(wantMmx[i], run("0f 38 00 c1"), "MMX " + i);
        }
    }

    @Test
    @DisplayName("misaligned mode lets arithmetic take unaligned operands, but no aligned moves")
    void misaligned() {
        start();
        set(X86.RSI, DATA + 1);
        RamPages.setLong(DATA, 0x1f80);
        RamPages.setLong(DATA + 16, 0x2_1f80);
        assertEquals(Bits.GP, run("66 0f fe 06")); // paddd (%rsi),%xmm0
        assertEquals(NOTHING, run("0f ae 57 10")); // ldmxcsr 16(%rdi)
        assertEquals(NOTHING, run("66 0f fe 06"));
        assertEquals(NOTHING, run("66 0f 3a 40 06 ff")); // dpps
        assertEquals(Bits.GP, run("66 0f 6f 06")); // movdqa
        assertEquals(Bits.GP, run("66 0f 38 2a 06")); // movntdqa
        model("x86-64-v2");
        start();
        RamPages.setLong(DATA + 16, 0x2_1f80);
        assertEquals(Bits.GP, run("0f ae 57 10"), "no such mode");
    }
}
