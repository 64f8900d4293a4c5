package org.alcazar.vmm;

/** States of a VM (DESIGN §6). Each transition is one method of the VM, legal or refused. */
public enum VmState {
    CREATED,
    RUNNING,
    PAUSED,
    /** Runs for a set time, then pauses. */
    SIMULATING,
    STOPPED,
    FAILED
}
