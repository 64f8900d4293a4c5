package org.alcazar.machine;

/**
 * One register in a group's array.
 *
 * @param name the architecture's name, lower case
 * @param index of its first long in the group's array
 * @param bits width; more than 64 take several longs, least significant first
 */
public record RegisterField(String name, int index, int bits) {
    public int words() {
        return (bits + 63) / 64;
    }
}
