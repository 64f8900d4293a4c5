package org.alcazar.hosts.minix;

import org.alcazar.host.HostRefusal;

import java.util.concurrent.atomic.AtomicLongArray;

/** Which server crashes when. Messages are counted over all incarnations, so each crash is one. */
final class Crashes {
    /** How far a server has got with a message. */
    enum Moment {
        /** Nothing is done. */
        RECEIVED,
        /** The work is half done, and nothing of it recorded. */
        WORKING,
        /** The work is recorded, not all of it done. */
        RECORDED,
        /** All is done but the reply. */
        DONE
    }

    /** A wish. The server RS stands for none: it is trusted. */
    record Plan(ServerName server, long message, Moment moment) {}

    /** A server's end. */
    static final class Crash extends RuntimeException {
        private static final long serialVersionUID = 1L;

        Crash(ServerName server, long message) {
            super(server + " crashes at message " + message, null, false, false);
        }
    }

    private final AtomicLongArray messages = new AtomicLongArray(ServerName.NUMBERS);
    private volatile Plan plan = new Plan(ServerName.RS, 0, Moment.RECEIVED);

    /**
     * Reads {@code SERVER:N}; nothing crashes where it is empty.
     *
     * @throws HostRefusal if it is something else
     */
    static Crashes of(String text) throws HostRefusal {
        Crashes crashes = new Crashes();
        if (text.isEmpty()) {
            return crashes;
        }
        for (ServerName server : ServerName.values()) {
            String number = text.substring(text.indexOf(':') + 1);
            if (text.equals(server.label() + ":" + number)
                    && server.restartable()
                    && number.matches("[1-9]\\d{0,17}")) {
                crashes.plan(new Plan(server, Long.parseLong(number), Moment.DONE));
                return crashes;
            }
        }
        throw new HostRefusal(
                "host minix: crash: '%s' is not SERVER:N with pm, vm or tty and a message's number, such as vm:1000"
                        .formatted(text));
    }

    void plan(Plan wish) {
        plan = wish;
    }

    /** Messages that a server has received. */
    long received(ServerName server) {
        return messages.get(server.number());
    }

    /** One more message. */
    void count(ServerName server) {
        messages.incrementAndGet(server.number());
    }

    /** Crashes the server if that is the plan. */
    void at(ServerName server, Moment moment) {
        Plan wish = plan;
        if (wish.server() == server
                && wish.moment() == moment
                && wish.message() == messages.get(server.number())) {
            throw new Crash(server, wish.message());
        }
    }
}
