package org.alcazar.hosts.l4;

import org.alcazar.host.HostExitPortal;

/**
 * Messages as X.2 (5.1) has them: a tag, plain words, typed items. Items here are flexpages mapped
 * or granted and groups of registers; strings there are none.
 */
final class Message {
    /** A flexpage that the receiver gets instead of the sender. */
    static final int GRANT = 0xa;

    /** Label of an interrupt (X.2, 3.6). */
    static final long INTERRUPT_LABEL = -1L << 4 & 0xffff_ffff_ffffL;

    /** Label of a page fault, without the rights in its low bits (X.2, 3.7). */
    static final long FAULT_LABEL = -2L << 4 & 0xffff_ffff_ffffL;

    private static final int KIND = 0xf;

    private Message() {}

    /** Words that travel, the tag included, of a message that is in order. */
    static int words(long tag) {
        return 1 + HostExitPortal.untyped(tag) + HostExitPortal.typed(tag);
    }

    static int kind(long item) {
        return (int) item & KIND;
    }

    static boolean isPage(int kind) {
        return kind == HostExitPortal.MAP || kind == GRANT;
    }

    /** Words of the item that starts at {@code at}; 0 if there is no such kind of item. */
    static int itemWords(long item) {
        int kind = kind(item);
        if (isPage(kind)) {
            return 2;
        }
        return kind == HostExitPortal.REGISTERS ? 1 + ((int) (item >>> 16) & 0xffff) : 0;
    }

    /** Where an item with a page shall appear. */
    static long base(long item) {
        return item & -1024;
    }

    /**
     * What is wrong with a message's form, as a clause for people; empty if nothing is. Allocates
     * nothing for a message in order.
     */
    static String wrong(long[] words) {
        long tag = words[0];
        int first = 1 + HostExitPortal.untyped(tag);
        int end = words(tag);
        if (end > HostExitPortal.WORDS) {
            return "has %d words, not at most %d".formatted(end, HostExitPortal.WORDS);
        }
        if ((tag & 0xf000) != 0) {
            return "has the flags 0x%x in its tag, not 0".formatted(tag >>> 12 & 0xf);
        }
        for (int at = first; at < end; ) {
            long item = words[at];
            int length = itemWords(item);
            if (length == 0) {
                return "has an item of kind 0x%x in word %d, not a page or registers"
                        .formatted(item & KIND, at);
            }
            if (length > end - at) {
                return "has an item in word %d of %d words, where %d are left"
                        .formatted(at, length, end - at);
            }
            if (isPage(kind(item))) {
                String page = wrongPage(item, words[at + 1]);
                if (!page.isEmpty()) {
                    return page + " in word " + at;
                }
            }
            at += length;
        }
        return "";
    }

    /** Bytes of all pages that a message in order maps or grants. */
    static long pageBytes(long[] words) {
        int end = words(words[0]);
        long bytes = 0;
        for (int at = end - HostExitPortal.typed(words[0]); at < end; ) {
            if (isPage(kind(words[at])) && words[at + 1] != Flexpage.NIL) {
                bytes += Math.min(Flexpage.bytes(words[at + 1]), 1L << 40);
            }
            at += itemWords(words[at]);
        }
        return bytes;
    }

    private static String wrongPage(long item, long page) {
        if (page == Flexpage.NIL) {
            return "";
        }
        if (!Flexpage.proper(page)) {
            return "has a page 0x%x, not 2^12 to 2^62 bytes at a multiple of that".formatted(page);
        }
        if ((item & 0x3f0) != 0 || item < 0 || (base(item) & Flexpage.bytes(page) - 1) != 0) {
            return "maps %s at 0x%x, which is no multiple of the size"
                    .formatted(Flexpage.describe(page), item & ~(long) KIND);
        }
        return "";
    }
}
