package org.alcazar.host.tck;

import org.alcazar.machine.ControlBlock;
import org.alcazar.machine.EngineProvider;

/**
 * What {@link EngineTck} has to know about an engine: how to write the little programs of the suite
 * in its machine code, and how to map memory. Programs are written to {@link #ENTRY}; each ends by
 * falling into whatever the test appends.
 */
public interface EngineFixture {
    /** Guest-physical, and guest-virtual, address of programs. */
    long ENTRY = 0x10000;

    EngineProvider provider();

    /**
     * Puts the core at {@link #ENTRY} in a plain mode: flat addresses, no guest translation,
     * interrupts off.
     */
    void enter(ControlBlock block);

    /**
     * Puts a second level of translation under the core that maps nothing; {@link #map} adds to it.
     */
    void translate(ControlBlock block);

    /**
     * Maps one page and all rights below the core, or nothing for {@code host} -1. The test
     * invalidates afterwards. The core may be running.
     */
    void map(ControlBlock block, long guest, long host);

    /** Instructions that do nothing, {@code count} of them. */
    byte[] nops(int count);

    /** One instruction: a jump to itself. */
    byte[] loop();

    /** Stores the 32-bit result register to an address below 2 GiB again and again. */
    byte[] storeForever(long address);

    /** One instruction: wait for an interrupt. */
    byte[] halt();

    /** Loads a constant into the result register; at most two instructions. */
    byte[] constant(int value);

    /** One instruction at its end stores the 32-bit result register to an address below 2 GiB. */
    byte[] store(long address);

    /**
     * One instruction at its end loads 32 bits from an address below 2 GiB into the result
     * register.
     */
    byte[] load(long address);

    /** One instruction at its end writes the 32-bit result register to a port or DCR. */
    byte[] portOut(int port);

    byte[] portIn(int port);

    /** Calls the VMM. */
    byte[] hypercall();

    /** Turns on external interrupts. */
    byte[] enableInterrupts();

    /** The result register as the block's groups have it; the group is fetched already. */
    long result(ControlBlock block);

    /** The program counter, likewise. */
    long pc(ControlBlock block);

    /** A 32-bit value as the architecture's memory holds it, read as little-endian. */
    int inMemory(int value);
}
