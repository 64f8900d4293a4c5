package org.alcazar.vmm;

/**
 * Hears of each paging action of a VM before and after it, on the thread that does it; must be
 * short. Actions may nest: a TRANSLATION may need a CHANGE. After an action that failed nothing is
 * heard.
 */
public interface PagingObserver {
    /** Where the action is no core's. */
    int NO_CORE = -1;

    /**
     * @param core number of the vcore whose exit it is, or {@link #NO_CORE}
     * @param detail see {@link PagingAction}
     */
    default void before(PagingAction action, int core, long address, long detail) {}

    /**
     * @param detail for actions of exits the reply (of {@code ExitFrame}); else as before
     */
    default void after(PagingAction action, int core, long address, long detail) {}
}
