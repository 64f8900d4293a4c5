package org.alcazar.vmm.management;

/**
 * A call into a plugin that did not return in time. Its VM was failed and its thread interrupted;
 * the VM's memory and the plugin's classes stay until the call returns.
 *
 * @param vm number of the VM
 * @param vmName name of the VM
 * @param what was called, of which part, and for which action of the guest, in a few words
 * @param seconds since the call began
 */
public record StuckCall(int vm, String vmName, String what, double seconds) {}
