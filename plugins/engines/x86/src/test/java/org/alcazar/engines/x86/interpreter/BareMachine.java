package org.alcazar.engines.x86.interpreter;

import org.alcazar.engines.x86.TestEngines;
import org.alcazar.engines.x86.TestMemory;
import org.alcazar.engines.x86.api.Bits;
import org.alcazar.engines.x86.api.X86;
import org.alcazar.host.HostRam;
import org.alcazar.machine.BusDevice;
import org.alcazar.machine.ControlBlock;
import org.alcazar.machine.Engine;
import org.alcazar.machine.EngineProvider;
import org.alcazar.machine.Exit;
import org.alcazar.machine.InterruptSource;
import org.alcazar.machine.PhysicalBus;
import org.alcazar.machine.RamPages;
import org.alcazar.machine.Ranges;
import org.alcazar.machine.Requests;
import org.alcazar.machine.VirtualCore;
import org.alcazar.machine.Width;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/**
 * A core and a bus, nothing else: guest-physical memory is the process's reserved range from 0 on,
 * so only one lives at a time. COM1's data port collects text; a write to port 0xf4 ends the run; a
 * core can interrupt itself.
 */
final class BareMachine implements AutoCloseable {
    static final long BYTES = TestMemory.BYTES;

    /** Where {@link #longMode} puts page tables (7 pages) and descriptors. */
    private static final long TABLES = 0x1000;

    private static final long GDT = 0x8000;
    private static final long LOCAL_APIC = 0xfee0_0000L;

    final PhysicalBus bus = new PhysicalBus();
    final ControlBlock block = new ControlBlock(X86.ARCHITECTURE);
    final Engine engine;
    final VirtualCore core;
    private final ByteArrayOutputStream text = new ByteArrayOutputStream();
    private long exitValue = -1;
    private int vector = InterruptSource.NONE;

    static {
        TestMemory.reserve();
    }

    BareMachine() {
        this("max");
    }

    /** With a processor model of its own. */
    BareMachine(String model) {
        this(model, TestEngines.provider());
    }

    /** On an engine of its own. */
    BareMachine(EngineProvider provider) {
        this("max", provider);
    }

    private BareMachine(String model, EngineProvider provider) {
        HostRam.fill(0, Math.min(BYTES, HostRam.SIZE), (byte) 0);
        bus.attachPorts(0x3f8, 8, new Com1());
        bus.attachPorts(0xf4, 4, new DebugExit());
        bus.attachMemory(LOCAL_APIC, 4096, new LocalApic());
        engine = provider.create(bus, Map.of(X86InterpreterProvider.CPU_MODEL, model));
        core = engine.newCore(0, block);
        block.ports = Ranges.NONE;
        block.interrupts = this::acknowledge;
    }

    /**
     * As much of a local APIC as guests need to interrupt themselves: fixed vectors and NMIs by the
     * command register, one at a time.
     */
    private final class LocalApic implements BusDevice {
        private static final int VERSION = 0x30, COMMAND = 0x300, NON_MASKABLE = 4;

        @Override
        public long read(long offset, Width width) {
            return offset == VERSION ? 0x5_0014 : 0;
        }

        @Override
        public void write(long offset, Width width, long value) {
            if (offset != COMMAND) {
                return;
            }
            if ((value >> 8 & 7) == NON_MASKABLE) {
                block.requests().post(Requests.NMI);
            } else {
                vector = (int) value & 0xff;
                block.requests().post(Requests.INTERRUPT);
            }
        }
    }

    private int acknowledge() {
        int waiting = vector;
        vector = InterruptSource.NONE;
        return waiting;
    }

    private final class Com1 implements BusDevice {
        @Override
        public long read(long offset, Width width) {
            return offset == 5 ? 0x60 : 0;
        }

        @Override
        public void write(long offset, Width width, long value) {
            if (offset == 0) {
                text.write((int) value);
            }
        }
    }

    private final class DebugExit implements BusDevice {
        @Override
        public long read(long offset, Width width) {
            return width.mask();
        }

        @Override
        public void write(long offset, Width width, long value) {
            exitValue = value;
            block.requests().post(Requests.KICK);
        }
    }

    String text() {
        return text.toString(StandardCharsets.ISO_8859_1);
    }

    /** What the guest wrote to port 0xf4, or -1. */
    long exitValue() {
        return exitValue;
    }

    long[] group(int id) {
        core.fetch(block, 1L << id);
        block.dirty |= 1L << id;
        return block.group(id);
    }

    long register(int number) {
        core.fetch(block, 1L << X86.GENERAL);
        return block.group(X86.GENERAL)[number];
    }

    /** Identity-mapped 64-bit mode at CPL 0 with RIP at {@code entry}. */
    void longMode(long entry) {
        RamPages.setLong(TABLES, TABLES + 0x1003);
        RamPages.setLong(TABLES + 0x1000, TABLES + 0x2003);
        for (int i = 0; i < 512; i++) {
            RamPages.setLong(TABLES + 0x2000 + 8 * i, (long) i << 21 | 0x83);
        }
        RamPages.setLong(GDT + 8, 0x00af9b000000ffffL);
        RamPages.setLong(GDT + 16, 0x00cf93000000ffffL);
        long[] control = group(X86.CONTROL);
        control[X86.CR0] =
                Bits.CR0_PE | Bits.CR0_PG | Bits.CR0_WP | Bits.CR0_NE | Bits.CR0_ET | Bits.CR0_MP;
        control[X86.CR3] = TABLES;
        control[X86.CR4] = Bits.CR4_PAE | Bits.CR4_OSFXSR | Bits.CR4_OSXMMEXCPT;
        control[X86.EFER] = Bits.EFER_LME | Bits.EFER_LMA | Bits.EFER_SCE | Bits.EFER_NXE;
        segments(0xa9b, 8, 0xc93, 16);
        long[] general = group(X86.GENERAL);
        general[X86.RIP] = entry;
        general[X86.RFLAGS] = 2;
        general[X86.RSP] = 0x80000;
    }

    private void segments(int code, int codeSelector, int data, int dataSelector) {
        long[] s = group(X86.SEGMENTS);
        for (int i = 0; i < 6; i++) {
            s[4 * i + X86.SELECTOR] = i == X86.CS ? codeSelector : dataSelector;
            s[4 * i + X86.BASE] = 0;
            s[4 * i + X86.LIMIT] = 0xffffffffL;
            s[4 * i + X86.ATTRIBUTES] = i == X86.CS ? code : data;
        }
        s[X86.GDTR_BASE] = GDT;
        s[X86.GDTR_LIMIT] = 23;
    }

    /** Flat 32-bit protected mode without paging. */
    void protectedMode(long entry) {
        RamPages.setLong(GDT + 8, 0x00cf9b000000ffffL);
        RamPages.setLong(GDT + 16, 0x00cf93000000ffffL);
        group(X86.CONTROL)[X86.CR0] = Bits.CR0_PE | Bits.CR0_ET;
        segments(0xc9b, 8, 0xc93, 16);
        long[] general = group(X86.GENERAL);
        general[X86.RIP] = entry;
        general[X86.RFLAGS] = 2;
        general[X86.RSP] = 0x80000;
    }

    void load(long at, byte... code) {
        RamPages.write(at, code, 0, code.length);
    }

    /** Loads an ELF file's segments by their physical addresses. @return the entry point */
    long loadElf(byte[] file) {
        ByteBuffer b = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
        boolean wide = file[4] == 2;
        int at = wide ? (int) b.getLong(32) : b.getInt(28);
        int size = b.getShort(wide ? 54 : 42);
        int count = b.getShort(wide ? 56 : 44);
        for (int i = 0; i < count; i++, at += size) {
            if (b.getInt(at) == 1) {
                int offset = wide ? (int) b.getLong(at + 8) : b.getInt(at + 4);
                long address = wide ? b.getLong(at + 24) : b.getInt(at + 12);
                int bytes = wide ? (int) b.getLong(at + 32) : b.getInt(at + 16);
                RamPages.write(address, file, offset, bytes);
            }
        }
        return wide ? b.getLong(24) : b.getInt(24) & 0xffffffffL;
    }

    /** Runs a number of instructions at most. @return the exit */
    int run(long budget) {
        block.budget = budget;
        int reason = core.run(block);
        while (reason == Exit.KICK && exitValue < 0) {
            reason = core.run(block);
        }
        return reason;
    }

    @Override
    public void close() {
        core.close();
        engine.close();
    }
}
