package org.alcazar.vmm;

import org.alcazar.machine.ControlBlock;
import org.alcazar.machine.InterruptSource;
import org.alcazar.machine.Requests;

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
     * Says where the core fetches its interrupt vectors. Before the start, or in the pause barrier.
     */
    void interruptSource(InterruptSource source);

    /**
     * For a {@code RegisterHandler} in the midst of an access: it is the engine's after all, as if
     * nobody had hooked the register. For one that the engine does not have that means the
     * architecture's exception (#GP(0) on x86).
     */
    void decline();

    /** Guest instructions retired. */
    long retired();
}
