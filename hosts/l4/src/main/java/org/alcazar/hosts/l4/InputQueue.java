package org.alcazar.hosts.l4;

/** Console input that nobody has read yet. What finds no room is lost. */
final class InputQueue {
    private static final int MOST = 1 << 16;

    private final byte[] bytes = new byte[MOST];
    private int first;
    private int count;

    synchronized void add(int octet) {
        if (count < MOST) {
            bytes[(first + count++) % MOST] = (byte) octet;
        }
    }

    synchronized boolean isEmpty() {
        return count == 0;
    }

    /**
     * The next byte.
     *
     * @return 0 to 255, or -1 if there is none
     */
    synchronized int take() {
        if (count == 0) {
            return -1;
        }
        int octet = bytes[first] & 0xff;
        first = (first + 1) % MOST;
        count--;
        return octet;
    }
}
