package org.alcazar.machine;

import java.util.List;
import java.util.Map;

/**
 * One core of an engine. Only its own thread calls it, but for what is marked otherwise. Groups of
 * registers move on request: {@link #fetch} copies them into the control block, {@code run} first
 * loads those marked dirty.
 */
public interface VirtualCore extends AutoCloseable {
    /**
     * Runs guest code until something must leave to the VMM.
     *
     * @return one of {@link Exit}; the qualification is in {@link ControlBlock#frame}
     */
    int run(ControlBlock block);

    /**
     * Copies the groups of {@code mask} that are not valid yet into the block and marks them valid.
     */
    void fetch(ControlBlock block, long mask);

    /**
     * Puts the core into the architecture's power-on state; all groups of the block are stale then.
     */
    void reset(ControlBlock block);

    /**
     * Where a guest-virtual address leads now, by the core's present mode, without side effects (no
     * accessed bits, no faults).
     *
     * @return the guest-physical address, or -1 if there is none
     */
    long translate(ControlBlock block, long address, int rights);

    /**
     * Registers, code around the program counter disassembled, and the page walk of {@code
     * address}, as lines for people.
     */
    String describe(ControlBlock block, long address);

    /**
     * Code from a guest-virtual address on in the core's present mode, an instruction a line: its
     * address, its bytes and its text. From any thread while the core does not run.
     *
     * @param count most lines; fewer where no memory is
     */
    default List<String> disassemble(ControlBlock block, long address, int count) {
        return List.of();
    }

    /**
     * How a guest-virtual address is translated, an entry of the tables a line, the result last.
     * From any thread while the core does not run.
     */
    default List<String> walk(ControlBlock block, long address) {
        return List.of();
    }

    /**
     * Where the core is and what it does, in one line for people. From any thread while the core
     * does not run.
     */
    String summary(ControlBlock block);

    /**
     * Engine counters by name, such as blocks decoded or TLB misses; each call gives the totals.
     */
    Map<String, Long> counters();

    @Override
    void close();
}
