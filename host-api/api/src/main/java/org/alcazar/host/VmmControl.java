package org.alcazar.host;

import java.util.Map;
import java.util.function.Consumer;

/**
 * What a host or launcher may ask of the VMM: the only upward direction of the waist. The VMM
 * registers it as a service.
 *
 * <p>Configuration and statistics are trees of JDK types: {@code Map<String, Object>} with String,
 * Long, Double, Boolean, List and Map values. Methods are safe from any thread; those that change a
 * state wait until the change is complete.
 */
public interface VmmControl {
    /**
     * Makes a VM from a configuration tree. All its memory, devices and vcores exist afterwards,
     * none runs.
     *
     * @return its id, at least 1
     * @throws HostRefusal if the configuration is wrong or the host refuses; nothing is left behind
     */
    int create(Map<String, Object> configuration) throws HostRefusal;

    /** Starts a created VM. */
    void start(int vm) throws HostRefusal;

    /** Stops all vcores and agents at a clean point. */
    void pause(int vm) throws HostRefusal;

    /** Goes on after a pause. */
    void resume(int vm) throws HostRefusal;

    /**
     * Resets a VM as its reset button would: devices and cores start again and the guest is loaded
     * anew, soon; with {@code no-reboot} the VM ends.
     *
     * @throws HostRefusal if there is no such VM, or it has ended
     */
    void reset(int vm) throws HostRefusal;

    /**
     * Runs a created or paused VM for so long in guest time; it is paused again then.
     *
     * @param nanos guest nanoseconds, at least 1
     */
    void simulate(int vm, long nanos) throws HostRefusal;

    /** Ends a VM whatever it does. It keeps its statistics until {@link #destroy}. */
    void stop(int vm) throws HostRefusal;

    /** Gives back everything that the VM holds. */
    void destroy(int vm) throws HostRefusal;

    /**
     * Writes a paused VM to a file, atomically.
     *
     * @param path of a file, or {@code TYPE:NAME} where a plugin offers a checkpoint store TYPE
     */
    void save(int vm, String path) throws HostRefusal;

    /**
     * Makes a VM from a saved file; it is paused.
     *
     * @param path as {@link #save} takes it
     * @param overrides keys of the configuration that differ here, such as the console
     */
    int load(String path, Map<String, Object> overrides) throws HostRefusal;

    /**
     * Has one vcore run on one processor of the host, or anywhere.
     *
     * @param core from 0
     * @param cpu below {@link HostProcessors#count}, or {@link HostThread#ANY_CPU}
     * @throws HostRefusal if there is no such vcore or processor, or one thread runs all vcores (on
     *     the clock of instructions), or the host can't place threads
     */
    void moveCore(int vm, int core, int cpu) throws HostRefusal;

    /**
     * Stops one vcore at a clean point; the others, timers and input go on, and interrupts for it
     * wait. It stays stopped over pauses and resets until {@link #startCore}; a saved state does
     * not keep it.
     *
     * @throws HostRefusal if there is no such vcore, it is stopped already, or the VM has ended
     */
    void stopCore(int vm, int core) throws HostRefusal;

    /**
     * Goes on with a vcore after {@link #stopCore}.
     *
     * @throws HostRefusal if there is no such vcore, or it is not stopped
     */
    void startCore(int vm, int core) throws HostRefusal;

    /** Gives an event of the host (such as {@code power-button}) to a VM. */
    void deliver(int vm, String event) throws HostRefusal;

    /** State, counters and times of a VM, as a tree of JDK types. */
    Map<String, Object> statistics(int vm) throws HostRefusal;

    /** Calls {@code listener} once when the VM has ended, at once if it has ended already. */
    void onEnd(int vm, Consumer<VmEnd> listener) throws HostRefusal;

    /** Registered plugin types by family: family name to (type name to one line of description). */
    Map<String, Map<String, String>> types();

    /**
     * How a VM ended.
     *
     * @param status the exit status of DESIGN §8: 0 power-off, odd the guest's own, 4 guest died, 6
     *     VMM fault, 8 reset not allowed
     * @param reason one line for people
     * @param dump registers, code and page walk where the guest died, else empty
     */
    record VmEnd(int status, String reason, String dump) {}
}
