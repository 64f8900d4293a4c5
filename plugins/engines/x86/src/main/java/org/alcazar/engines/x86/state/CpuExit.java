package org.alcazar.engines.x86.state;

/**
 * Leaves guest code in the middle of an instruction for an exit that is described in the control
 * block's frame. Each core owns one instance. The instruction starts anew after the reply; accesses
 * that were completed before are answered from the core's {@link AccessLog}.
 */
public final class CpuExit extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** One of {@link org.alcazar.machine.Exit}. */
    public int reason;

    CpuExit() {
        super("exit", null, false, false);
    }
}
