package org.alcazar.vmm.management;

/** A VM's console, shared with the one that its configuration names. Any thread. */
public interface GuestConsole {
    /** The last bytes of output, at most 64 KiB. */
    byte[] recent();

    /** A reader of the last output, as {@link #recent} has it, and of all that follows. */
    Reader reader();

    /** Types bytes into the guest, beside those that come from elsewhere. */
    void type(byte[] bytes);

    /** Reads output, by one thread. Closing it ends a read that waits. */
    interface Reader extends AutoCloseable {
        /**
         * Waits for output. A reader that is more than 64 KiB behind loses the oldest bytes.
         *
         * @param into at least one byte
         * @return how many bytes there are now, at least 1; -1 after {@link #close} or the end of
         *     the VM
         * @throws InterruptedException if the thread is interrupted while it waits
         */
        int read(byte[] into) throws InterruptedException;

        @Override
        void close();
    }
}
