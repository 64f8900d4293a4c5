package org.alcazar.engines.x86.interpreter;

import org.alcazar.machine.Requests;

/** Kicks a core again and again, as a VMM does that wants it to stop. */
final class Metronome implements AutoCloseable {
    private static final long PERIOD_MILLIS = 200;

    private final Thread thread = Thread.ofPlatform().daemon().name("metronome").start(this::run);
    private volatile Requests requests = new Requests();

    /** From now on this core is kicked. */
    void drive(Requests next) {
        requests = next;
    }

    private void run() {
        try {
            synchronized (this) {
                while (true) {
                    wait(PERIOD_MILLIS);
                    requests.post(Requests.KICK);
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        thread.interrupt();
    }
}
