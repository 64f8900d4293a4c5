package org.alcazar.vmm.plugin;

import org.alcazar.host.HostMemory;
import org.alcazar.host.HostRefusal;
import org.alcazar.machine.ControlBlock;
import org.alcazar.machine.Engine;
import org.alcazar.machine.GuestPhysicalMap;

/** Family: how guest-physical memory is translated. */
public interface PagingModeType extends PluginType {
    /**
     * Makes the paging mode of one VM.
     *
     * @param memory for tables; {@code owner} is charged
     * @throws ConfigurationException if the engine can't take it or the map does not suit it
     */
    PagingMode create(GuestPhysicalMap map, HostMemory memory, String owner, Engine engine)
            throws ConfigurationException, HostRefusal;

    /** A paging mode at work. Tables are derived from the map, so nothing of it is saved. */
    interface PagingMode extends AutoCloseable {
        /** Sets translation and root in a core's block. */
        void enter(ControlBlock block);

        /**
         * Serves a TRANSLATION exit: fills the tables and replies RETRY, or AS_ACCESS where no RAM
         * with the wanted right is.
         *
         * @throws HostRefusal if the host has no page for a table
         */
        void translation(ControlBlock block) throws HostRefusal;

        /**
         * The map has changed in this range: drops what was built from it and invalidates the
         * engine. In the pause barrier.
         */
        void changed(long start, long bytes);

        /** Pages in use for tables. */
        long tablePages();

        @Override
        void close();
    }
}
