package org.alcazar.host.tck.tiny;

import org.alcazar.host.HostMemory;
import org.alcazar.host.tck.EngineFixture;
import org.alcazar.machine.ControlBlock;
import org.alcazar.machine.EngineProvider;
import org.alcazar.machine.Translation;

import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * Programs of the engine suite for the test machine. Register 1 is the result register, 2 holds
 * addresses.
 */
public final class TinyFixture implements EngineFixture {
    private static final int RESULT = 1;
    private static final int ADDRESS = 2;

    private int nextEntry;

    @Override
    public EngineProvider provider() {
        return new TinyEngine.Provider();
    }

    @Override
    public void enter(ControlBlock block) {
        long[] general = block.group(Tiny.GENERAL);
        Arrays.fill(general, 0);
        general[Tiny.PC] = ENTRY;
        block.dirty |= 1L << Tiny.GENERAL;
    }

    @Override
    public void translate(ControlBlock block) {
        block.translation = Translation.SOFTWARE_TLB;
        Arrays.fill(block.group(Tiny.TLB), 0);
        block.dirty |= 1L << Tiny.TLB;
    }

    @Override
    public void map(ControlBlock block, long guest, long host) {
        long[] tlb = block.group(Tiny.TLB);
        int at = nextEntry;
        for (int i = 0; i < tlb.length; i += 2) {
            at = (tlb[i] & -HostMemory.PAGE_SIZE) == guest && tlb[i] != 0 ? i : at;
        }
        nextEntry = at == nextEntry ? (nextEntry + 2) % tlb.length : nextEntry;
        tlb[at] = host < 0 ? 0 : guest | 1;
        tlb[at + 1] = host;
        block.dirty |= 1L << Tiny.TLB;
    }

    @Override
    public byte[] nops(int count) {
        return new byte[4 * count];
    }

    @Override
    public byte[] loop() {
        return words(Tiny.word(Tiny.BRANCH, 0, 0, 0));
    }

    @Override
    public byte[] halt() {
        return words(Tiny.word(Tiny.WAIT, 0, 0, 0));
    }

    @Override
    public byte[] constant(int value) {
        return load(RESULT, value);
    }

    @Override
    public byte[] store(long address) {
        return at(Tiny.SW, address);
    }

    @Override
    public byte[] storeForever(long address) {
        byte[] store = store(address);
        return ByteBuffer.allocate(store.length + 4)
                .put(store)
                .putInt(Tiny.word(Tiny.BRANCH, 0, 0, -4))
                .array();
    }

    @Override
    public byte[] load(long address) {
        return at(Tiny.LW, address);
    }

    private static byte[] at(int opcode, long address) {
        byte[] pointer = load(ADDRESS, (int) address);
        return ByteBuffer.allocate(pointer.length + 4)
                .put(pointer)
                .putInt(Tiny.word(opcode, RESULT, ADDRESS, 0))
                .array();
    }

    @Override
    public byte[] portOut(int port) {
        return words(Tiny.word(Tiny.MTDCR, RESULT, 0, port));
    }

    @Override
    public byte[] portIn(int port) {
        return words(Tiny.word(Tiny.MFDCR, RESULT, 0, port));
    }

    @Override
    public byte[] hypercall() {
        return words(Tiny.word(Tiny.CALL, 0, 0, 0));
    }

    @Override
    public byte[] enableInterrupts() {
        return words(Tiny.word(Tiny.ENABLE, 0, 0, 0));
    }

    @Override
    public long result(ControlBlock block) {
        return block.group(Tiny.GENERAL)[RESULT];
    }

    @Override
    public long pc(ControlBlock block) {
        return block.group(Tiny.GENERAL)[Tiny.PC];
    }

    @Override
    public int inMemory(int value) {
        return Integer.reverseBytes(value);
    }

    private static byte[] load(int register, int value) {
        return words(
                Tiny.word(Tiny.LUI, register, 0, value >>> 16),
                Tiny.word(Tiny.ORI, register, register, value));
    }

    private static byte[] words(int... words) {
        ByteBuffer code = ByteBuffer.allocate(4 * words.length);
        for (int word : words) {
            code.putInt(word);
        }
        return code.array();
    }
}
