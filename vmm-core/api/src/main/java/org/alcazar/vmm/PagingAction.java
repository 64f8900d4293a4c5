package org.alcazar.vmm;

/** What a VM's paging mode does. The address is guest-physical or guest-linear, as said. */
public enum PagingAction {
    /**
     * A TRANSLATION exit: guest-physical address; detail before: wanted rights (of {@code Rights}).
     */
    TRANSLATION,
    /** A FAULT exit, as shadow paging has them: linear address; detail before: the error code. */
    FAULT,
    /**
     * An intercepted instruction, such as one that invalidates a translation: its address operand;
     * detail before: the intercept's number.
     */
    INSTRUCTION,
    /**
     * Pages of the map have changed (swapped out, copied, shared, moved, ballooned): guest-physical
     * start; detail: bytes.
     */
    CHANGE,
    /** Another mode takes over, or the same with new tables. No address, no detail. */
    SWITCH
}
