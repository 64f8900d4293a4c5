package org.alcazar.engines.x86.region;

import org.jspecify.annotations.Nullable;

/** What one core knows about the exits of one of its regions. */
public interface Links {
    /** Those of a region that no core runs. */
    Links NONE =
            new Links() {
                @Override
                public void warm() {}

                @Override
                public @Nullable Region callee(int exit) {
                    return null;
                }

                @Override
                public @Nullable Region calleeAt(long rip) {
                    return null;
                }
            };

    /** A region for the time being has run so much that a better translation is worth while. */
    void warm();

    /** The region that an exit leads to; null if it is not known to lead to one now. */
    @Nullable Region callee(int exit);

    /** The same for an address. */
    @Nullable Region calleeAt(long rip);
}
