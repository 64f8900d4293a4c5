package org.alcazar.hosts.minix;

/** The program of a server or driver. An incarnation has one, and its thread alone calls it. */
abstract class Server {
    /** The caller gets its reply later. */
    static final int SUSPENDED = Integer.MIN_VALUE;

    private final Kernel kernel;
    private final ServerName name;

    Server(Kernel kernel, ServerName name) {
        this.kernel = kernel;
        this.name = name;
    }

    final Kernel kernel() {
        return kernel;
    }

    final ServerName name() {
        return name;
    }

    /** Recovers what a former incarnation knew, before the first message. */
    void start() {}

    /**
     * Does what a request asks for.
     *
     * @param message the request; its payload becomes the reply's
     * @return the reply's type, or {@link #SUSPENDED}
     */
    abstract int handle(Caller from, Message message);

    /** Notifications have come. */
    void notified(long sources) {}

    /** The process has ended: nobody may be left suspended. */
    void abandon() {}

    /** A moment at which a test may have the server crash. */
    final void reached(Crashes.Moment moment) {
        kernel.crashes().at(name, moment);
    }
}
