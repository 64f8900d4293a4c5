package org.alcazar.hosts.minix;

import java.util.Locale;

/** The servers and drivers that run, with MINIX's process numbers ({@code minix/com.h}). */
enum ServerName {
    /** The process manager: time and alarms. */
    PM(0, true),
    /** The reincarnation server. */
    RS(2, false),
    /** The terminal driver. */
    TTY(5, true),
    /** The data store. */
    DS(6, false),
    /** The virtual memory server. */
    VM(8, true);

    /** One more than the highest number, for tables. */
    static final int NUMBERS = 9;

    private final int number;
    private final boolean restartable;

    ServerName(int number, boolean restartable) {
        this.number = number;
        this.restartable = restartable;
    }

    /** The process number, which its endpoints of all generations share. */
    int number() {
        return number;
    }

    /** Whether RS restarts it; RS and DS are what recovery rests upon. */
    boolean restartable() {
        return restartable;
    }

    String label() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** The bit of its death among what RS is told. */
    long bit() {
        return 1L << number;
    }
}
