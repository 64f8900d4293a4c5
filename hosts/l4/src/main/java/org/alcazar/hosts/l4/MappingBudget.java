package org.alcazar.hosts.l4;

/**
 * Mappings that some spaces may have together, for each is some 110 bytes of the kernel's own
 * memory. Guarded by the kernel's lock.
 */
final class MappingBudget {
    private final int most;
    private int used;

    /**
     * A budget of which nothing is used.
     *
     * @param most mappings; {@link Integer#MAX_VALUE} for spaces of which nothing is to be feared
     */
    MappingBudget(int most) {
        this.most = most;
    }

    static MappingBudget unlimited() {
        return new MappingBudget(Integer.MAX_VALUE);
    }

    boolean isLimited() {
        return most != Integer.MAX_VALUE;
    }

    boolean hasRoom() {
        return used < most;
    }

    void take() {
        used++;
    }

    void give() {
        used--;
    }
}
