package org.alcazar.hosts.l4;

import org.alcazar.hosts.support.Counted;

/** What the micro-kernel does. */
enum L4Primitive implements Counted {
    IPC("a message delivered, one way"),
    MESSAGE_WORD("a word of a message copied from one thread's registers to another's"),
    CONTEXT_SWITCH("a processor given from a thread to another one"),
    MAP("a flexpage mapped into another space"),
    GRANT("a flexpage granted to another space"),
    UNMAP("a mapping taken away, each that was derived from it too"),
    PAGE_ALLOCATION(
            "a flexpage got from sigma0: as large as may be by the VMM, of 4 KiB by a program"),
    PAGE_FREE("an extent given back and discarded"),
    TIMER_TICK("a timeout expired and its thread run"),
    THREAD_START("a thread made"),
    INTERRUPT("an interrupt delivered as a message"),
    PAGE_FAULT("a page fault sent to a pager"),
    SYSTEM_CALL("a system call of a native program");

    private final String meaning;

    L4Primitive(String meaning) {
        this.meaning = meaning;
    }

    @Override
    public String meaning() {
        return meaning;
    }
}
