package org.alcazar.vmm.plugin;

import org.alcazar.host.HostMemory;
import org.alcazar.host.HostRefusal;
import org.alcazar.machine.ControlBlock;
import org.alcazar.machine.Engine;
import org.alcazar.machine.GuestPhysicalMap;

import java.util.Map;

/** Family: how guest memory is translated. */
public interface PagingModeType extends PluginType {
    /**
     * Makes the paging mode of one VM.
     *
     * @throws ConfigurationException if the engine can't take it or the map does not suit it
     * @throws HostRefusal if the host has no page for its first tables; nothing is left then
     */
    PagingMode create(PagingContext context, Settings settings)
            throws ConfigurationException, HostRefusal;

    /**
     * Whether it needs the VM's RAM as one piece of host memory: guest-physical addresses lead to
     * host-physical ones at a constant distance, as devices that are passed through want it. Where
     * the guest has a hole of 2 MiB or more, the distance changes by its size. Nothing of it is
     * shared, swapped or taken back then.
     */
    default boolean wantsOnePiece() {
        return false;
    }

    /** What a paging mode works with. */
    interface PagingContext {
        /** What is translated to what; see {@link GuestPhysicalMap#provide} for its locks. */
        GuestPhysicalMap map();

        /** For tables, which are charged to {@link #owner}. */
        HostMemory memory();

        /** The VM's name for the host's accounts. */
        String owner();

        /** Takes the tables, and is told of changes. */
        Engine engine();

        /** How many cores there are, from number 0 on. */
        int cores();
    }

    /** A core as its paging mode sees it: on the core's thread, in the midst of an exit. */
    interface PagedCore {
        /** From 0. */
        int index();

        ControlBlock block();

        /** Copies register groups into the block. */
        void fetch(long groups);

        /**
         * What the processor reads at a guest-physical address where no RAM is, such as a page
         * table that the guest has put on a device.
         *
         * @param bytes 1, 2, 4 or 8
         */
        long read(long address, int bytes);

        /** The same for a write. */
        void write(long address, int bytes, long value);
    }

    /** Takes what {@link PagingMode#drainAccessed} finds. */
    @FunctionalInterface
    interface AccessSink {
        /**
         * Pages were accessed. Some may be named several times.
         *
         * @param address guest-physical
         * @param bytes of the page that the tables have there: 4 KiB, 2 MiB, 1 GiB
         * @param written whether there was a write, too
         */
        void accessed(long address, long bytes, boolean written);
    }

    /**
     * A paging mode at work. Tables are derived from the map (and the guest's tables), so nothing
     * of it is saved.
     *
     * <p>Its cores come at once. It calls {@link GuestPhysicalMap#provide} before it takes a lock
     * of its own, looks with {@link GuestPhysicalMap#page} under the lock, and begins again if that
     * has changed: the map's pager calls {@link #changed} with its own lock held.
     */
    interface PagingMode extends AutoCloseable {
        /**
         * Sets translation and root in a core's block: at the start, after a reset and when this
         * mode takes over. While the core stands.
         *
         * @param core from 0
         */
        void enter(int core, ControlBlock block);

        /**
         * Bits for {@link ControlBlock#instructions}: intercepts whose exits this mode serves in
         * {@link #intercepted}.
         */
        default long intercepts() {
            return 0;
        }

        /**
         * Serves a TRANSLATION exit: fills the tables and replies RETRY, or AS_ACCESS where no RAM
         * with the wanted right is.
         *
         * @throws HostRefusal if the host has no page for a table
         */
        void translation(PagedCore core) throws HostRefusal;

        /**
         * Serves a FAULT exit, or an INSTRUCTION exit by {@link #intercepts}. The reply is PROCEED
         * unless this sets another.
         *
         * @throws HostRefusal if the host has no page for a table
         */
        default void intercepted(PagedCore core) throws HostRefusal {}

        /**
         * The map has changed in this range: drops what was built from it and invalidates the
         * engine. When this returns no core uses the old translation any more. Any thread.
         */
        void changed(long start, long bytes);

        /**
         * Tells which pages the guest has accessed since the last time, by the accessed and dirty
         * bits of tables, and clears these. In the pause barrier; the caller invalidates the engine
         * afterwards, for translations that it keeps set no bits.
         */
        default void drainAccessed(AccessSink sink) {}

        /** Pages that it holds for tables, with those that have nothing in them at the moment. */
        long tablePages();

        /** What this mode counts, by name; each call gives the totals. */
        default Map<String, Long> counters() {
            return Map.of();
        }

        @Override
        void close();
    }
}
