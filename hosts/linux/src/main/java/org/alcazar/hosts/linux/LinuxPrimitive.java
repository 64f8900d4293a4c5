package org.alcazar.hosts.linux;

import org.alcazar.hosts.support.Counted;

/** What this host has the kernel do. */
enum LinuxPrimitive implements Counted {
    PAGE_ALLOCATION("an extent of pages handed out"),
    PAGE("a page of 4 KiB within an extent handed out: by extents, how long these are"),
    PAGE_FREE("an extent of pages given back and discarded"),
    HUGE_PAGE("a page of the pool of huge pages mapped and cleared"),
    NUMA_FALLBACK("an extent whose preferred memory node could not be had"),
    THREAD_START("a thread started"),
    THREAD_MOVE("a thread put on a processor, or freed from it"),
    SLEEP("a thread gone to sleep on its futex"),
    WAKE("a sleeping thread woken"),
    TIMER_SET("the timerfd set"),
    TIMER_EXPIRY("the timerfd expired and its thread run"),
    PACKET_SENT("a frame sent"),
    PACKET_RECEIVED("a frame received"),
    PACKET_DROPPED("a frame lost: no room, nobody there, or its receiver failed");

    private final String meaning;

    LinuxPrimitive(String meaning) {
        this.meaning = meaning;
    }

    @Override
    public String meaning() {
        return meaning;
    }
}
