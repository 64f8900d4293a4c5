package org.alcazar.hosts.minix;

import org.alcazar.hosts.support.Counted;

/** What this kernel and its servers do. */
enum MinixPrimitive implements Counted {
    MESSAGE("a message of 64 bytes copied from process to process; a call is two"),
    NOTIFICATION("a notification made pending"),
    CONTEXT_SWITCH("a switch to another process, for a message, a notification or a sleep"),
    KERNEL_CALL("a server's or the VMM's request to the SYSTEM task"),
    SAFECOPY("bytes copied between processes by a grant"),
    PAGE_ALLOCATION("an extent that VM gave"),
    PAGE("a page of 4 KiB within an extent handed out: by extents, how long these are"),
    PAGE_FREE("an extent that VM took back"),
    THREAD_START("a thread of the VMM started"),
    ALARM_SET("the synchronous alarm set with the CLOCK task"),
    ALARM("the synchronous alarm expired"),
    CLOCK_TICK("a tick of the clock; counted from the time that has passed"),
    INTERRUPT("an interrupt of a line that a process hears of"),
    SERVER_CRASH("a server crashed"),
    SERVER_RESTART("a server restarted by the reincarnation server"),
    RESEND("a request sent again because its server had died");

    private final String meaning;

    MinixPrimitive(String meaning) {
        this.meaning = meaning;
    }

    @Override
    public String meaning() {
        return meaning;
    }
}
