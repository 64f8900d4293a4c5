package org.alcazar.vmm;

import org.alcazar.machine.ControlBlock;
import org.alcazar.machine.Requests;

import java.util.List;

/** One virtual core of a VM. */
public interface Vcore {
    /** From 0, the boot core. */
    int index();

    VirtualMachine vm();

    /**
     * For extensions and exit handlers on this vcore's own thread, and for anybody while the VM is
     * paused.
     */
    ControlBlock block();

    /** Copies register groups into the block. Same rule. */
    void fetch(long groups);

    Requests requests();

    /** Posts requests and makes the core notice soon, also when it sleeps. Any thread. */
    void post(int requests);

    /**
     * For a {@code RegisterHandler} in the midst of an access: it is the engine's after all, as if
     * nobody had hooked the register. For one that the engine does not have that means the
     * architecture's exception (#GP(0) on x86).
     */
    void decline();

    /**
     * Where a guest-virtual address leads now. While the VM does not run.
     *
     * @return the guest-physical address, or -1 if it leads nowhere
     */
    long translate(long address);

    /**
     * Code from a guest-virtual address on, an instruction a line. While the VM does not run.
     *
     * @param count most lines; fewer where no memory is
     */
    List<String> disassemble(long address, int count);

    /** How a guest-virtual address is translated, step by step. While the VM does not run. */
    List<String> walk(long address);

    /** Registers, code and page walk, as lines for people. While the VM does not run. */
    String describe();

    /** Where the core is and what it does, in one line. While the VM does not run. */
    String summary();

    /** Guest instructions retired. */
    long retired();
}
