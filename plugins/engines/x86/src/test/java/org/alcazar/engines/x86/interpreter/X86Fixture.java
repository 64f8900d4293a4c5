package org.alcazar.engines.x86.interpreter;

import org.alcazar.engines.x86.TestEngines;
import org.alcazar.engines.x86.TestMemory;
import org.alcazar.engines.x86.api.Bits;
import org.alcazar.engines.x86.api.LongModeTables;
import org.alcazar.engines.x86.api.X86;
import org.alcazar.host.HostMemory;
import org.alcazar.host.HostRam;
import org.alcazar.host.HostRange;
import org.alcazar.host.HostRefusal;
import org.alcazar.host.PageExtent;
import org.alcazar.host.PageRequest;
import org.alcazar.host.tck.EngineFixture;
import org.alcazar.machine.ControlBlock;
import org.alcazar.machine.EngineProvider;
import org.alcazar.machine.GuestPhysicalMap;
import org.alcazar.machine.PhysicalBus;
import org.alcazar.machine.Rights;
import org.alcazar.machine.Translation;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * Programs of the engine suite in 32-bit protected mode without guest paging, over nested tables.
 * EAX is the result register.
 */
final class X86Fixture implements EngineFixture {
    private LongModeTables tables;

    X86Fixture() {
        TestMemory.reserve();
        tables = newTables();
    }

    private static LongModeTables newTables() {
        try {
            return new LongModeTables(new CarvedMemory(), "tck");
        } catch (HostRefusal e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public EngineProvider provider() {
        return TestEngines.provider();
    }

    @Override
    public void enter(ControlBlock block) {
        long[] general = block.group(X86.GENERAL);
        Arrays.fill(general, 0);
        general[X86.RIP] = ENTRY;
        general[X86.RFLAGS] = 2;
        long[] segments = block.group(X86.SEGMENTS);
        for (int s = X86.ES; s <= X86.GS; s++) {
            segments[4 * s + X86.SELECTOR] = s == X86.CS ? 0x10 : 0x18;
            segments[4 * s + X86.BASE] = 0;
            segments[4 * s + X86.LIMIT] = 0xffff_ffffL;
            segments[4 * s + X86.ATTRIBUTES] = s == X86.CS ? 0xc9b : 0xc93;
        }
        block.group(X86.CONTROL)[X86.CR0] = Bits.CR0_PE | Bits.CR0_ET;
        Arrays.fill(block.group(X86.EVENTS), 0);
        block.dirty |=
                1L << X86.GENERAL | 1L << X86.SEGMENTS | 1L << X86.CONTROL | 1L << X86.EVENTS;
    }

    @Override
    public void translate(ControlBlock block) {
        tables = newTables();
        block.translation = Translation.NESTED;
        block.translationRoot = tables.root();
    }

    @Override
    public void map(ControlBlock block, long guest, long host) {
        tables.clear(guest, HostMemory.PAGE_SIZE);
        if (host >= 0) {
            GuestPhysicalMap page = new GuestPhysicalMap();
            page.add(
                    new GuestPhysicalMap.Range(
                            guest,
                            HostMemory.PAGE_SIZE,
                            host,
                            Rights.ALL,
                            PhysicalBus.isRam(host)));
            try {
                tables.map(page, guest, 1);
            } catch (HostRefusal e) {
                throw new IllegalStateException(e);
            }
        }
    }

    @Override
    public byte[] nops(int count) {
        byte[] code = new byte[count];
        Arrays.fill(code, (byte) 0x90);
        return code;
    }

    @Override
    public byte[] loop() {
        return new byte[] {(byte) 0xeb, (byte) 0xfe};
    }

    @Override
    public byte[] halt() {
        return new byte[] {(byte) 0xf4};
    }

    @Override
    public byte[] constant(int value) {
        return immediate32(0xb8, value);
    }

    @Override
    public byte[] store(long address) {
        return immediate32(0xa3, (int) address);
    }

    @Override
    public byte[] storeForever(long address) {
        return ByteBuffer.allocate(7)
                .put(store(address))
                .put(new byte[] {(byte) 0xeb, (byte) 0xf9})
                .array();
    }

    @Override
    public byte[] load(long address) {
        return immediate32(0xa1, (int) address);
    }

    @Override
    public byte[] portOut(int port) {
        return new byte[] {(byte) 0xe7, (byte) port};
    }

    @Override
    public byte[] portIn(int port) {
        return new byte[] {(byte) 0xe5, (byte) port};
    }

    @Override
    public byte[] hypercall() {
        return new byte[] {0x0f, 0x01, (byte) 0xd9};
    }

    @Override
    public byte[] enableInterrupts() {
        return new byte[] {(byte) 0xfb};
    }

    @Override
    public long result(ControlBlock block) {
        return block.group(X86.GENERAL)[X86.RAX];
    }

    @Override
    public long pc(ControlBlock block) {
        return block.group(X86.GENERAL)[X86.RIP];
    }

    @Override
    public int inMemory(int value) {
        return value;
    }

    private static byte[] immediate32(int opcode, int value) {
        return ByteBuffer.allocate(5)
                .order(ByteOrder.LITTLE_ENDIAN)
                .put((byte) opcode)
                .putInt(value)
                .array();
    }

    /** Pages straight out of the process's range, never given back: a test JVM is short-lived. */
    private static final class CarvedMemory implements HostMemory {
        @Override
        public long totalBytes() {
            return HostRam.SIZE;
        }

        @Override
        public long bytesInUse(String owner) {
            return 0;
        }

        @Override
        public PageExtent allocate(PageRequest request) throws HostRefusal {
            long address =
                    HostRange.carve(request.pages() * HostMemory.PAGE_SIZE, request.alignment());
            HostRam.fill(address, request.pages() * HostMemory.PAGE_SIZE, (byte) 0);
            return new PageExtent(request.owner(), address, request.pages());
        }

        @Override
        public void free(PageExtent extent) {
            HostRange.release(extent.address());
        }
    }
}
