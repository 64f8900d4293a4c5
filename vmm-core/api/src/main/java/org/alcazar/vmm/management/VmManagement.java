package org.alcazar.vmm.management;

import org.alcazar.host.HostRefusal;
import org.alcazar.machine.SavedState;
import org.alcazar.vmm.Hook;
import org.alcazar.vmm.plugin.Schema;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.Consumer;

/**
 * The parts of VMs, for management plugins. The VMM registers it as a service. Methods are safe
 * from any thread but a vcore's; those that change something wait until it is done. VMs have the
 * numbers of {@code VmmControl}.
 */
public interface VmManagement {
    /**
     * What a VM is made of: engine and paging mode, then devices and extensions in the order of
     * their creation.
     *
     * @throws HostRefusal if there is no such VM
     */
    List<PartInfo> parts(int vm) throws HostRefusal;

    /**
     * Makes a device and hooks it into a VM, which runs on afterwards. The guest sees it where its
     * bus has hot-plug.
     *
     * @param type of the device family
     * @param settings keys of the type; {@code name} is the device's name, its type's by default
     * @return the device's name
     * @throws HostRefusal if there is no such VM or type, or the device cannot be made; nothing of
     *     it is left
     */
    String attach(int vm, String type, Map<String, ?> settings) throws HostRefusal;

    /**
     * Takes a device out of a VM.
     *
     * @throws HostRefusal if there is no such VM or device, or others need what it offers
     */
    void detach(int vm, String device) throws HostRefusal;

    /**
     * Has a VM go on with another engine. The cores' state moves over in the pause barrier; the
     * guest notices nothing. Settings of the old engine that the new one takes too stay.
     *
     * @return nanoseconds that the guest stood still
     * @throws HostRefusal if there is no such VM or engine, or it can't take over; the old one goes
     *     on then
     */
    long engine(int vm, String type) throws HostRefusal;

    /**
     * Has a VM go on with another paging mode, as {@link #engine} does with another engine.
     *
     * @param settings keys of the mode
     * @return nanoseconds that the guest stood still
     * @throws HostRefusal if there is no such VM or mode, or it can't take over; the old one goes
     *     on then
     */
    long paging(int vm, String type, Map<String, ?> settings) throws HostRefusal;

    /**
     * Makes a VM as the copy of another, which stands still for a moment and goes on: the same
     * configuration with the devices that there are now, no console, and a seed of its own. RAM is
     * shared until one of them writes. The copy is paused.
     *
     * @param name of the copy
     * @throws HostRefusal if there is no such VM, the name is taken, the VM's memory can't be
     *     shared or the host has no room for the copy; the VM goes on then, and nothing is left of
     *     the copy
     */
    ForkReport fork(int vm, String name) throws HostRefusal;

    /** The RAM of VMs. */
    MemoryManagement memory();

    /**
     * The state of a device or extension, as a checkpoint would have it. A VM that runs is paused
     * for a moment.
     *
     * @throws HostRefusal if there is no such VM or part, or it cannot be saved
     */
    SavedState state(int vm, String part) throws HostRefusal;

    /**
     * Works with a VM while it stands: one that runs is paused for a moment, and one that is paused
     * is set going by nobody meanwhile.
     *
     * @throws HostRefusal if there is no such VM, or it does not come to a stop
     * @throws Exception from the work
     */
    <T> T standing(int vm, Callable<T> work) throws Exception;

    /**
     * Hooked ranges of all address spaces.
     *
     * @throws HostRefusal if there is no such VM
     */
    List<HookInfo> hooks(int vm) throws HostRefusal;

    /**
     * A VM's console beside whoever else is on it.
     *
     * @throws HostRefusal if there is no such VM
     */
    GuestConsole console(int vm) throws HostRefusal;

    /**
     * The keys that a type takes.
     *
     * @param family as {@code VmmControl.types} names it
     */
    Optional<Schema> schema(String family, String type);

    /**
     * What has happened to a VM, the oldest first: at least the last 100 events.
     *
     * @throws HostRefusal if there is no such VM
     */
    List<VmEvent> events(int vm) throws HostRefusal;

    /**
     * Calls {@code listener} at every event of any VM, in their order, until the hook is closed.
     * Calls come on the thread on which it happens, must be short, and do nothing with VMs.
     */
    Hook listen(Consumer<VmEvent> listener);

    /** Calls into plugins that were given up because they did not return. */
    List<StuckCall> stuck();
}
