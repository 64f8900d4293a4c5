package org.alcazar.engines.x86.region;

import org.jspecify.annotations.Nullable;

/** What one core knows about the exits of one of its regions. */
public abstract class Links {
    /** Those of a region that no core runs. */
    static final Links NONE =
            new Links() {
                @Override
                public void left(int exit) {}

                @Override
                public @Nullable Region callee(int exit) {
                    return null;
                }

                @Override
                public @Nullable Region calleeAt(long rip) {
                    return null;
                }

                @Override
                public @Nullable Region following(int exit) {
                    return null;
                }
            };

    /** The region was left by an exit, or refused to run. */
    public abstract void left(int exit);

    /** The region that an exit leads to; null if it is not known to lead to one now. */
    public abstract @Nullable Region callee(int exit);

    /** The same for an address. */
    public abstract @Nullable Region calleeAt(long rip);

    /** The same for an exit of the region that was left last. */
    public abstract @Nullable Region following(int exit);
}
