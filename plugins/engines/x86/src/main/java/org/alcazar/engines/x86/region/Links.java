package org.alcazar.engines.x86.region;

import org.jspecify.annotations.Nullable;

/** What one core knows about the exits of one of its regions. */
public interface Links {
    /** Those of a region that no core runs. */
    Links NONE =
            new Links() {
                @Override
                public int warm() {
                    return 0;
                }

                @Override
                public @Nullable Region callee(int exit) {
                    return null;
                }

                @Override
                public @Nullable Region calleeAt(long rip) {
                    return null;
                }
            };

    /**
     * A region for the time being has run so much that a better translation may be worth while.
     *
     * @return entries and loops after which to tell again; 0 for never
     */
    int warm();

    /** The region that an exit leads to; null if it is not known to lead to one now. */
    @Nullable Region callee(int exit);

    /** The same for an address. */
    @Nullable Region calleeAt(long rip);
}
