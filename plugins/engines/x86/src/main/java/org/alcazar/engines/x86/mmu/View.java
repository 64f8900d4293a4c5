package org.alcazar.engines.x86.mmu;

import static org.alcazar.engines.x86.mmu.Mmu.ADDEND;
import static org.alcazar.engines.x86.mmu.Mmu.PAGE;
import static org.alcazar.engines.x86.mmu.Mmu.WRITE_TAG;

/** Looking into {@link Mmu#view} from translated code, which has the view and its tag at hand. */
public final class View {
    private View() {}

    /** Where the four longs of an address are. A view's length is a power of two. */
    static int index(long[] view, long la) {
        return (int) (la >>> 10) & view.length - 4;
    }

    /**
     * Host-physical address of an access by a view, or -1 if the page is not in it or the access
     * leaves the page.
     *
     * @param last bytes of the access less 1
     */
    public static long findRead(long[] view, long tag, long la, int last) {
        int at = index(view, la);
        return view[at] == (la + last & PAGE | tag) ? la + view[at + ADDEND] : -1;
    }

    /** As {@link #findRead}, for writing and reading. */
    public static long findWrite(long[] view, long tag, long la, int last) {
        int at = index(view, la);
        return view[at + WRITE_TAG] == (la + last & PAGE | tag) ? la + view[at + ADDEND] : -1;
    }

    /** Whether {@link #findRead} finds something. */
    public static boolean hasRead(long[] view, long tag, long la, int last) {
        return view[index(view, la)] == (la + last & PAGE | tag);
    }

    /** Whether {@link #findWrite} finds something. */
    public static boolean hasWrite(long[] view, long tag, long la, int last) {
        return view[index(view, la) + WRITE_TAG] == (la + last & PAGE | tag);
    }

    /** Host-physical address of what a view has. */
    public static long found(long[] view, long la) {
        return la + view[index(view, la) + ADDEND];
    }

    /** No tag for writing leads to a host-physical page any more. */
    static void dropWritable(long[] view, long page) {
        for (int at = 0; at < view.length; at += 4) {
            long tagged = view[at + WRITE_TAG];
            if (tagged != 0 && (tagged & PAGE) + view[at + ADDEND] == page) {
                view[at + WRITE_TAG] = 0;
            }
        }
    }
}
