package org.alcazar.vmm.plugin;

import org.alcazar.vmm.Hook;
import org.alcazar.vmm.HypercallHandler;
import org.alcazar.vmm.PagingObserver;
import org.alcazar.vmm.Vcore;
import org.alcazar.vmm.VirtualMachine;
import org.alcazar.vmm.WriteWatcher;
import org.alcazar.vmm.device.DeviceContext;
import org.alcazar.vmm.device.Part;

/** Family: extends a VM beside its devices (symbiosis, tracing, interposition). */
public interface ExtensionType extends PluginType {
    Extension create(ExtensionContext context, Settings settings) throws ConfigurationException;

    /** What an extension may hook beyond what a device may. */
    interface ExtensionContext extends DeviceContext {
        VirtualMachine vm();

        /** Numbers that are taken already give an {@link IllegalArgumentException}. */
        Hook hookHypercall(long first, long last, HypercallHandler handler);

        /**
         * Intercepts feature leaves (CPUID on x86) on all vcores. The handler's number is the leaf,
         * with the sub-leaf in the upper half; it writes the answer to the vcore's registers.
         */
        Hook hookFeature(long first, long last, HypercallHandler handler);

        /** Has an observer hear of all paging actions of the VM. */
        Hook observePaging(PagingObserver observer);

        /**
         * Has a watcher asked before each write of a vcore to pages of RAM, those of the
         * processor's own page walks included; not before those of devices and debuggers. Each such
         * write costs an exit; locked instructions stay atomic.
         *
         * @param start guest-physical, of a page
         * @param bytes whole pages
         * @throws ConfigurationException if that is not whole pages of RAM, or the paging mode
         *     needs the VM's memory in one piece
         */
        Hook watchWrites(long start, long bytes, WriteWatcher watcher)
                throws ConfigurationException;
    }

    /**
     * An extension of one VM. {@code onEntry} and {@code onExit} run on the vcore's thread around
     * each run of guest code and must be short.
     */
    interface Extension extends Part {
        default void onEntry(Vcore vcore) {}

        default void onExit(Vcore vcore, int reason) {}

        /**
         * The vcore has halted, and nothing is under way that could wake it: no request that it
         * would take, no timer, no input. It sleeps until something comes from outside, unless this
         * has changed that. On its thread; maybe several times in one sleep.
         */
        default void onIdle(Vcore vcore) {}
    }
}
