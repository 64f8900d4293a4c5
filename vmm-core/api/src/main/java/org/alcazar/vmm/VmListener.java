package org.alcazar.vmm;

/** Hears of a VM's life. Calls come on the thread that makes the transition and must be short. */
public interface VmListener {
    void stateChanged(VirtualMachine vm, VmState from, VmState to);
}
