package org.alcazar.testkit.device;

import org.alcazar.machine.Architecture;
import org.alcazar.machine.ControlBlock;
import org.alcazar.machine.Requests;
import org.alcazar.vmm.Vcore;
import org.alcazar.vmm.VirtualMachine;

import java.nio.ByteOrder;
import java.util.List;

/** A core without an engine: it keeps the requests that are posted to it. */
public final class StubVcore implements Vcore {
    private final int index;
    private boolean declined;
    private final ControlBlock block =
            new ControlBlock(new Architecture("none", ByteOrder.LITTLE_ENDIAN, 48, List.of()));

    public StubVcore(int index) {
        this.index = index;
    }

    /** Whether any of these requests was posted since the last call. */
    public boolean take(int requests) {
        return block.requests().take(requests) != 0;
    }

    /** Whether a register handler has left an access to the engine since the last call. */
    public boolean declined() {
        boolean was = declined;
        declined = false;
        return was;
    }

    @Override
    public int index() {
        return index;
    }

    @Override
    public VirtualMachine vm() {
        throw new UnsupportedOperationException("a core without a VM");
    }

    @Override
    public ControlBlock block() {
        return block;
    }

    @Override
    public void fetch(long groups) {}

    @Override
    public Requests requests() {
        return block.requests();
    }

    @Override
    public void post(int requests) {
        block.requests().post(requests);
    }

    @Override
    public void decline() {
        declined = true;
    }

    @Override
    public long translate(long address) {
        return address;
    }

    @Override
    public List<String> disassemble(long address, int count) {
        return List.of();
    }

    @Override
    public List<String> walk(long address) {
        return List.of();
    }

    @Override
    public String describe() {
        return summary();
    }

    @Override
    public String summary() {
        return "a core without a VM";
    }

    @Override
    public long retired() {
        return 0;
    }
}
