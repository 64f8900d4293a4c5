package org.alcazar.platforms.pc.api;

/** The battery-backed memory of the real-time clock, where firmware leaves what it has found. */
public interface Cmos {
    /**
     * @param index 0x0e to 0x7f
     */
    int get(int index);

    /**
     * @param index 0x0e to 0x7f
     */
    void set(int index, int value);
}
