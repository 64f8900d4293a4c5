package org.alcazar.host;

/**
 * Optional: carries exits from the thread that runs guest code to the VMM's thread that serves
 * them, and the replies back, as messages: for kernels on which the VMM is a server beside its VMs.
 * Without it the VMM runs the guest on its own thread and an exit is a return from a method.
 *
 * <p>A message is an array of {@link #WORDS} words, of the form that L4 gives to a message (L4
 * Kernel Reference Manual X.2, chapter 5): word 0 is its tag, then {@link #untyped} plain words,
 * then {@link #typed} words of items, each with its kind in the low four bits of its first word.
 * Words behind them do not travel.
 *
 * <ul>
 *   <li>{@link #MAP}: two words. The first is the guest-physical address where the pages appear,
 *       with the kind in its low bits. The second is what X.2 calls an fpage: a host-physical
 *       address, the binary logarithm of the size in bytes in bits 4 to 9, rights in bits 0 to 2 (4
 *       read, 2 write, 1 execute). Both addresses are multiples of the size. Only the VMM sends it,
 *       and only of pages that it holds.
 *   <li>{@link #REGISTERS}: a register group. Its first word has the group's id in bits 8 to 15,
 *       the index of the first register in bits 32 to 47, and how many words follow in bits 16 to
 *       31.
 * </ul>
 *
 * What label and plain words mean is between the VMM and itself.
 */
public interface HostExitPortal {
    /** Words in a message, the tag included. */
    int WORDS = 64;

    /** Pages for the address space of the VM. */
    int MAP = 0x8;

    /** Registers of the vcore. */
    int REGISTERS = 0xc;

    /**
     * Makes a thread in the address space of a VM. It runs nothing before the first {@link
     * Gate#exchange}.
     *
     * @param space the VM, by the name that its pages are accounted to ({@link PageRequest#owner})
     * @param name of the thread, for people
     * @param cpu where it runs, or {@link HostThread#ANY_CPU}
     * @throws HostRefusal if the host allows no more threads, or there is no such processor
     */
    Gate open(String space, String name, int cpu, Guest guest) throws HostRefusal;

    /** What the thread of a VM does. */
    @FunctionalInterface
    interface Guest {
        /**
         * Takes the VMM's reply out of {@code message}, runs guest code until its next exit, and
         * leaves the exit there. On the VM's thread; must not throw.
         */
        void run(long[] message);
    }

    /** The VMM's end. For one thread at a time, but for {@link #interrupt} and {@link #trace}. */
    interface Gate extends AutoCloseable {
        /**
         * Sends {@code message} to the VM's thread and waits for the next one from there, which is
         * in {@code message} afterwards. What one side has written is seen by the other.
         *
         * @throws IllegalStateException if the message is not of the form above, or maps what the
         *     VMM does not hold; the guest has not run then
         */
        void exchange(long[] message);

        /** As {@link HostThread#move}. */
        void move(int cpu) throws HostRefusal;

        /** Interrupts the VM's thread, as {@link Thread#interrupt} does. */
        void interrupt();

        /** Where the VM's thread is, innermost first; empty where that is not known. */
        StackTraceElement[] trace();

        /** Ends the VM's thread; if it runs guest code, after that. Does not wait. */
        @Override
        void close();
    }

    /**
     * A message's first word.
     *
     * @param label at most 48 bits
     * @param untyped plain words
     * @param typed words of items
     */
    static long tag(long label, int untyped, int typed) {
        return label << 16 | (long) typed << 6 | untyped;
    }

    /** Label of a message, from its tag. */
    static long label(long tag) {
        return tag >>> 16;
    }

    /** Count of plain words, from a message's tag. */
    static int untyped(long tag) {
        return (int) tag & 0x3f;
    }

    /** Count of the words of items, from a message's tag. */
    static int typed(long tag) {
        return (int) (tag >>> 6) & 0x3f;
    }
}
