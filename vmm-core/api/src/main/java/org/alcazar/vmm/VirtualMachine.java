package org.alcazar.vmm;

import org.alcazar.machine.Architecture;
import org.alcazar.machine.GuestPhysicalMap;

import java.util.List;
import java.util.Optional;

/** A VM as plugins see it. */
public interface VirtualMachine {
    /** From 1 on, as in {@code VmmControl}; never given twice by one VMM. */
    int id();

    /** For people and messages; no two VMs of a VMM have the same at a time. */
    String name();

    /** A snapshot: it may have changed when the caller looks at it. */
    VmState state();

    /** That of its engine; all vcores have the same. */
    Architecture architecture();

    /** All of them in the order of their numbers, at least one; the list cannot be changed. */
    List<Vcore> vcores();

    /** The VM's own time, which stands still while the VM is paused. */
    GuestClock clock();

    /** Its RAM by guest-physical address; usable from any thread until the VM is destroyed. */
    GuestMemory memory();

    /** Which guest-physical ranges are RAM, where they lie on the host, and with which rights. */
    GuestPhysicalMap physicalMap();

    /** The guest asks for power-off: the VM stops with status 0, soon. */
    void powerOff();

    /**
     * The guest asks for a reset: devices and cores are reset and the guest is loaded again, soon;
     * or the VM ends under {@code no-reboot}.
     *
     * @param reason a few words for people: who asked, and how
     */
    void reset(String reason);

    /**
     * Pauses the VM, soon, as {@code VmmControl.pause} does: what a debugger calls on a vcore's
     * thread, which runs no more guest code then. Any thread; nothing happens to a VM that does not
     * run.
     *
     * @param reason a few words for people: who asked, and why
     */
    void pause(String reason);

    /** The guest ends the VM, soon, with a status of its own: the low 8 bits of {@code status}. */
    void exit(int status);

    /**
     * Stops the VM as failed, soon.
     *
     * @param reason one line for people that names the culprit
     * @param cause goes to the log and into the VM's dump
     */
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
     *
     * @return empty if nobody offers it
     */
    <T> Optional<T> find(Class<T> role);
}
