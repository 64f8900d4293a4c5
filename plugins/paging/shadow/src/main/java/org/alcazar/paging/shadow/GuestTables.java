package org.alcazar.paging.shadow;

import org.alcazar.machine.RamPages;

import java.util.Arrays;

/**
 * Pages of the guest that are tables, by number: those that have shadows. Each is marked {@link
 * RamPages#TABLE} while it is in step with them. With the lock held.
 */
final class GuestTables {
    static final int NONE = -1;

    /** Marks its page while it is in step. */
    private static final byte FREE = 0, IN_STEP = 1, OUT_OF_STEP = 2;

    private final LongIntMap byGuest = new LongIntMap();
    private final LongIntMap byHost = new LongIntMap();

    /** Tables in each large page, by address and level. */
    private final LongIntMap inLarge = new LongIntMap();

    private final byte[] state;
    private final long[] gpa;
    private final long[] host;
    private final int[] sameHost;

    /** First shadow of each, chained by {@link Tables#link}. */
    final int[] shadows;

    /** Writes since it was last used. */
    final int[] writes;

    /** For one out of step: how often nothing had changed, in a row. */
    final int[] quiet;

    private final int[] free;
    private int freeCount;

    /** Those out of step. */
    private final int[] loose;

    private int looseCount;

    GuestTables(int limit, int looseLimit) {
        state = new byte[limit];
        gpa = new long[limit];
        host = new long[limit];
        sameHost = new int[limit];
        shadows = new int[limit];
        writes = new int[limit];
        quiet = new int[limit];
        free = new int[limit];
        loose = new int[looseLimit];
        freeCount = limit;
        Arrays.setAll(free, i -> limit - 1 - i);
    }

    int find(long page) {
        return byGuest.get(page);
    }

    /** First one at a host page. */
    int atHost(long page) {
        return byHost.get(page);
    }

    int sameHost(int number) {
        return sameHost[number];
    }

    long gpa(int number) {
        return gpa[number];
    }

    long host(int number) {
        return host[number];
    }

    boolean inStep(int number) {
        return state[number] == IN_STEP;
    }

    boolean isUsed(int number) {
        return state[number] != FREE;
    }

    int size() {
        return state.length - freeCount;
    }

    int limit() {
        return state.length;
    }

    /** A new one, in step: its page is marked. */
    int add(long page, long hostPage) {
        int number = free[--freeCount];
        gpa[number] = page;
        host[number] = hostPage;
        shadows[number] = Tables.NONE;
        writes[number] = 0;
        state[number] = IN_STEP;
        byGuest.put(page, number);
        sameHost[number] = byHost.get(hostPage);
        byHost.put(hostPage, number);
        count(page, 1);
        RamPages.mark(hostPage, RamPages.TABLE);
        return number;
    }

    private void count(long page, int by) {
        for (int level = 1; level <= 2; level++) {
            long key = page & -(1L << Tables.shift(level)) | level;
            int sum = Math.max(0, inLarge.get(key)) + by;
            if (sum == 0) {
                inLarge.remove(key);
            } else {
                inLarge.put(key, sum);
            }
        }
    }

    boolean inLarge(long page, int level) {
        return inLarge.contains(page & -(1L << Tables.shift(level)) | level);
    }

    /** It has no shadows any more. */
    void remove(int number) {
        if (state[number] == OUT_OF_STEP) {
            tighten(number);
        }
        state[number] = FREE;
        unmark(number);
        byGuest.remove(gpa[number]);
        int other = byHost.get(host[number]);
        if (other == number) {
            if (sameHost[number] == NONE) {
                byHost.remove(host[number]);
            } else {
                byHost.put(host[number], sameHost[number]);
            }
        } else {
            while (sameHost[other] != number) {
                other = sameHost[other];
            }
            sameHost[other] = sameHost[number];
        }
        count(gpa[number], -1);
        free[freeCount++] = number;
    }

    /** Clears the mark unless another is in step at the same host page. */
    private void unmark(int number) {
        for (int i = byHost.get(host[number]); i != NONE; i = sameHost[i]) {
            if (i != number && state[i] == IN_STEP) {
                return;
            }
        }
        RamPages.unmark(host[number], RamPages.TABLE);
    }

    // ---- out of step

    boolean canLoosen() {
        return looseCount < loose.length;
    }

    int looseCount() {
        return looseCount;
    }

    int loose(int i) {
        return loose[i];
    }

    /** The guest may write to it as it likes. */
    void loosen(int number) {
        state[number] = OUT_OF_STEP;
        quiet[number] = 0;
        loose[looseCount++] = number;
        unmark(number);
    }

    /** Writes to it are heard of again; the caller takes care of TLBs, and compares then. */
    void tighten(int number) {
        for (int i = 0; i < looseCount; i++) {
            if (loose[i] == number) {
                loose[i] = loose[--looseCount];
                break;
            }
        }
        state[number] = IN_STEP;
        RamPages.mark(host[number], RamPages.TABLE);
    }

    void close() {
        for (int i = 0; i < state.length; i++) {
            if (state[i] != FREE) {
                RamPages.unmark(host[i], RamPages.TABLE);
            }
        }
    }
}
