package org.alcazar.vmm.device;

import org.alcazar.machine.BusDevice;
import org.alcazar.machine.InterruptLine;
import org.alcazar.machine.InterruptSource;
import org.alcazar.machine.Width;
import org.alcazar.vmm.Counter;
import org.alcazar.vmm.GuestClock;
import org.alcazar.vmm.GuestMemory;
import org.alcazar.vmm.Hook;
import org.alcazar.vmm.Vcore;
import org.alcazar.vmm.VirtualMachine;
import org.alcazar.vmm.plugin.ConfigurationException;
import org.alcazar.vmm.plugin.PlatformType.MemoryRange;

import java.util.List;

/**
 * What a device gets of its VM. Everything that it hooks or provides belongs to it and is taken
 * back when it goes.
 *
 * <p>Threads: hooks run on the thread of the vcore that makes the access; timers, input and events
 * on some vcore's thread between two runs. The core lets one of them at a time into a device, but
 * for what each vcore sees as its own ({@link RegisterHandler}, {@link VcoreMemory}): there vcores
 * come at once, so that they do not wait for each other, and beside timers, input and events. Wires
 * and roles are direct calls from other devices, on their threads. What more than one of these
 * touches, a device guards with locks of its own. Hooks may be made and closed while the VM runs;
 * an access that has begun still reaches the old handler.
 */
public interface DeviceContext {
    /** The device's name in the VM, such as {@code com1}. */
    String name();

    GuestClock clock();

    GuestMemory memory();

    List<Vcore> vcores();

    /** For power-off, reset and exit. */
    VirtualMachine machine();

    /** The machine's memory map as its platform has planned it. */
    List<MemoryRange> memoryMap();

    /** Offsets count from {@code first}. @throws ConfigurationException if a port is taken */
    Hook hookPorts(int first, int count, BusDevice device) throws ConfigurationException;

    /** Intercepts guest-physical memory that is no RAM. Offsets count from {@code start}. */
    Hook hookMemory(long start, long bytes, BusDevice device) throws ConfigurationException;

    /**
     * The same for registers that each vcore sees as its own, such as those of a local interrupt
     * controller.
     */
    Hook hookMemory(long start, long bytes, VcoreMemory handler) throws ConfigurationException;

    /**
     * Intercepts model-specific registers on all vcores; offsets count from {@code first}, width is
     * QWORD.
     */
    Hook hookRegisters(long first, long count, RegisterHandler handler)
            throws ConfigurationException;

    /**
     * A wire to interrupt input {@code number} of the machine (a global system interrupt on a PC).
     * Wires of several devices are ored.
     */
    InterruptLine interruptLine(int number);

    /**
     * Says where interrupt input {@code number} ends: each controller that has such an input calls
     * this.
     */
    void interruptInput(int number, InterruptLine input);

    /**
     * Makes {@code source} the one that a vcore fetches its vectors from. Of several devices that
     * do so the one that was made last counts.
     */
    void interruptSource(Vcore vcore, InterruptSource source);

    /** Offers something to the other devices, the platform and the loaders of this VM. */
    <T> void provide(Class<T> role, T service) throws ConfigurationException;

    /**
     * Connects this device with what another one offers: now if it is there, and whenever it comes
     * or is exchanged. Only so may a device keep what another one offers.
     *
     * @throws ConfigurationException from the connector
     */
    <T> Hook connect(Class<T> role, Connector<T> connector) throws ConfigurationException;

    /**
     * The same for what this device can't do without: who offers it can't be detached.
     *
     * @throws ConfigurationException also if nobody offers it
     */
    <T> Hook require(Class<T> role, Connector<T> connector) throws ConfigurationException;

    /**
     * Opens the backend that a setting names: {@code console} (the VM's console), {@code none}, or
     * {@code TYPE:…} of a backend type.
     *
     * @throws ConfigurationException if there is no such backend or it is of another kind
     */
    CharacterBackend characterBackend(String name) throws ConfigurationException;

    BlockBackend blockBackend(String name) throws ConfigurationException;

    NetworkBackend networkBackend(String name) throws ConfigurationException;

    /**
     * 64 random bits: the host's, or, where the VM runs by instructions or with a {@code seed}, the
     * next that follow from that, so that a run can be repeated. Any thread, but the order of calls
     * matters to the repeated run.
     */
    long entropy();

    /** A counter that shows up in the VM's statistics as {@code device.name}. */
    Counter counter(String name);

    /**
     * Runs {@code action} on a vcore's thread when the host gives the event {@code name} (such as
     * {@code power-button}) to this VM.
     */
    Hook onEvent(String name, Runnable action);

    /** Makes a thread of the device's own known to the pause barrier. */
    Hook addAgent(Agent agent);

    /**
     * Takes over what another device offers. Called in the pause barrier, or while devices are
     * made.
     */
    @FunctionalInterface
    interface Connector<T> {
        /**
         * @param service to be used from now on; its device and this one have their states
         * @return closed before the service goes: forgets it, and takes back what it was given
         */
        Hook connect(T service) throws ConfigurationException;
    }

    /**
     * Serves registers of one vcore, on that vcore's thread. Vcores come at once; each but to what
     * is its own, or the handler sees to it. What is no register, or may not be read or written
     * this way, the handler leaves to the engine with {@link Vcore#decline}.
     */
    interface RegisterHandler {
        /** What it returns after {@link Vcore#decline} does not matter. */
        long read(Vcore vcore, long offset);

        void write(Vcore vcore, long offset, long value);
    }

    /**
     * Serves memory that is each vcore's own, on that vcore's thread. Vcores come at once, as with
     * {@link RegisterHandler}. As harmless at any width and offset as a {@link BusDevice}.
     */
    interface VcoreMemory {
        long read(Vcore vcore, long offset, Width width);

        void write(Vcore vcore, long offset, Width width, long value);
    }
}
