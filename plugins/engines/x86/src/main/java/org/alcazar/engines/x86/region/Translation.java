package org.alcazar.engines.x86.region;

/** A finished translation, which any core may use whose memory holds the same code. */
public interface Translation {
    /** An object for one core. */
    Region instance();

    /** By the number of an exit the address it leads to. Not to be changed. */
    long[] exits();

    /** Guest instructions in it. */
    int instructions();
}
