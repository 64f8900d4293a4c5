package org.alcazar.hosts.kitten;

import org.alcazar.hosts.support.Counted;

/** What this kernel does. */
enum KittenPrimitive implements Counted {
    PAGE_ALLOCATION("a contiguous extent handed out"),
    PAGE("a page of 4 KiB within an extent handed out: by extents, how long these are"),
    PAGE_FREE("an extent given back and cleared"),
    BLOCK_SPLIT("a block split into two buddies"),
    BLOCK_MERGE("two free buddies joined"),
    TASK_START("a task started on its processor"),
    TASK_MIGRATION("a task moved to another processor because it was asked for"),
    CONTEXT_SWITCH("a processor given up by a task that sleeps"),
    IPI("an interrupt from processor to processor: a wake, a kick, a call"),
    TIMER_SET("the one-shot timer set"),
    TIMER_INTERRUPT("the one-shot timer expired"),
    TICK("a periodic tick of one processor, if they were asked for"),
    DEVICE_INTERRUPT("an interrupt of a line delivered to its handler");

    private final String meaning;

    KittenPrimitive(String meaning) {
        this.meaning = meaning;
    }

    @Override
    public String meaning() {
        return meaning;
    }
}
