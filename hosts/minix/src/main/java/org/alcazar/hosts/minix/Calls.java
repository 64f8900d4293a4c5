package org.alcazar.hosts.minix;

import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * The VMM's side of calls, as its C library would have it: a request to a server that has died is
 * sent again to the next incarnation, whose endpoint DS tells. Requests are such that the second
 * time does no harm.
 *
 * <p>Each thread that calls has a slot of the process table meanwhile; slots are taken in turns,
 * for threads come and go. A call makes no garbage.
 */
final class Calls {
    /** NR_PROCS ({@code minix/sys_config.h}). */
    private static final int SLOTS = 256;

    /** A server that dies so often of one request would die of it for ever. */
    static final int MOST_DEATHS = 3;

    /** Above the numbers of servers. */
    private static final int FIRST = 16;

    private final Kernel kernel;
    private final Caller[] slots = new Caller[SLOTS];

    /** What slots ask DS by, while their own message waits to be sent again. */
    private final Caller[] lookups = new Caller[SLOTS];

    /** The incarnations that the VMM knows. */
    private final AtomicReferenceArray<Mailbox> known =
            new AtomicReferenceArray<>(ServerName.NUMBERS);

    Calls(Kernel kernel) {
        this.kernel = kernel;
        for (int i = 0; i < SLOTS; i++) {
            slots[i] = new Caller(FIRST + i);
            lookups[i] = new Caller(FIRST + i);
        }
        for (ServerName name : ServerName.values()) {
            known.set(name.number(), kernel.mailbox(name));
        }
    }

    /** A free slot, for {@link Caller#release} afterwards, with a fresh sequence number. */
    Caller claim(int type) {
        int first = (int) Thread.currentThread().threadId();
        for (int i = first; ; i++) {
            Caller slot = slots[i & SLOTS - 1];
            if (slot.claim()) {
                slot.message.type = type;
                slot.message.words[Message.SEQUENCE] = ++slot.sequence;
                slot.message.words[Message.RESENT] = 0;
                return slot;
            }
            if ((i - first & SLOTS - 1) == SLOTS - 1) {
                Thread.yield();
            }
        }
    }

    /**
     * Sends the slot's message and gets the reply into it.
     *
     * @return the reply's type, or {@link Message#ESHUTDOWN}, or {@link Message#EDEADSRCDST} if the
     *     server has died of this very request too often
     */
    int call(ServerName server, Caller slot) {
        while (true) {
            Mailbox to = known.get(server.number());
            int result = kernel.sendrec(slot, to);
            if (result != Message.EDEADSRCDST || slot.deaths() == MOST_DEATHS) {
                return result;
            }
            if (!locate(server, to, lookups[slot.number() - FIRST])) {
                return Message.ESHUTDOWN;
            }
            slot.message.words[Message.RESENT] = 1;
            kernel.count(MinixPrimitive.RESEND);
        }
    }

    /** Learns of the incarnation after {@code dead}; waits for it. */
    private boolean locate(ServerName server, Mailbox dead, Caller lookup) {
        lookup.message.type = Message.DS_RETRIEVE_LABEL;
        lookup.message.words[0] = server.number();
        lookup.message.words[1] = dead.endpoint();
        if (kernel.isClosed()
                || kernel.sendrec(lookup, known.get(ServerName.DS.number())) != Message.OK) {
            return false;
        }
        known.compareAndSet(server.number(), dead, kernel.mailbox(server));
        return true;
    }
}
