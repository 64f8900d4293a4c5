package org.alcazar.engines.x86.state;

import org.alcazar.machine.InterruptSource;

/**
 * A core's way to its interrupt source. The core stands meanwhile, since the source may wait for a
 * lock whose holder has the cores stand.
 */
public final class InterruptPort implements InterruptSource {
    private final Cpu cpu;

    InterruptPort(Cpu cpu) {
        this.cpu = cpu;
    }

    /**
     * @return whether the core moved, and has to go on
     */
    private boolean stand() {
        boolean moved = cpu.party.moves();
        if (moved) {
            cpu.party.stand();
        }
        return moved;
    }

    private void go(boolean moved) {
        if (moved) {
            cpu.party.go();
        }
    }

    @Override
    public int acknowledge() {
        boolean moved = stand();
        int vector = cpu.block.interrupts.acknowledge();
        go(moved);
        return vector;
    }

    @Override
    public void taskPriority(int priority) {
        boolean moved = stand();
        cpu.block.interrupts.taskPriority(priority);
        go(moved);
    }

    @Override
    public int taskPriority() {
        boolean moved = stand();
        int priority = cpu.block.interrupts.taskPriority();
        go(moved);
        return priority;
    }

    @Override
    public void counterOverflow() {
        boolean moved = stand();
        cpu.block.interrupts.counterOverflow();
        go(moved);
    }

    @Override
    public boolean floatError(boolean pending) {
        boolean moved = stand();
        boolean ignored = cpu.block.interrupts.floatError(pending);
        go(moved);
        return ignored;
    }

    @Override
    public void initialised() {
        boolean moved = stand();
        cpu.block.interrupts.initialised();
        go(moved);
    }

    @Override
    public void coreRegister(int register, long value) {
        boolean moved = stand();
        cpu.block.interrupts.coreRegister(register, value);
        go(moved);
    }
}
