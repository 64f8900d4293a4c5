package org.alcazar.vmm;

import org.alcazar.machine.Architecture;
import org.alcazar.machine.GuestPhysicalMap;

import java.util.List;
import java.util.Optional;

/** A VM as plugins see it. */
public interface VirtualMachine {
    int id();

    String name();

    VmState state();

    Architecture architecture();

    List<Vcore> vcores();

    GuestClock clock();

    GuestMemory memory();

    GuestPhysicalMap physicalMap();

    /** The guest asks for power-off: the VM stops with status 0, soon. */
    void powerOff();

    /**
     * The guest asks for a reset: devices and cores are reset and the guest is loaded again, soon;
     * or the VM ends under {@code no-reboot}.
     */
    void reset(String reason);

    /** The guest ends the VM with a status of its own (0 to 255). */
    void exit(int status);

    /** Stops the VM as failed: {@code reason} is one line for people that names the culprit. */
    void fail(String reason, Throwable cause);

    /**
     * Runs an action on a vcore's thread between two runs of guest code, in the order of calls. How
     * input from outside (keys, packets) enters, so that it can be stamped and replayed.
     *
     * @param source names the input, such as {@code console}
     */
    void post(String source, Runnable action);

    /**
     * Something that a device or the platform offers to the others of this VM, such as a PCI bus.
     */
    <T> Optional<T> find(Class<T> role);
}
