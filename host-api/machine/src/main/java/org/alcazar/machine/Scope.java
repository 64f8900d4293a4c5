package org.alcazar.machine;

/** What an invalidation covers at least; an engine may always drop more. */
public enum Scope {
    /** Guest-virtual to host translations of a range of guest-physical addresses. */
    GUEST_PHYSICAL,
    /** Everything that the engine derived from any table. */
    ALL
}
