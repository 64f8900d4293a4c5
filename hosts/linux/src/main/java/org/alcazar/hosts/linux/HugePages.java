package org.alcazar.hosts.linux;

import java.util.Locale;

/** Sizes of pages beneath guest memory, and what the system has of them. */
enum HugePages {
    OFF("off", 12),
    THP("thp", 21),
    TWO_MIB("2M", 21),
    ONE_GIB("1G", 30);

    private static final int MAP_HUGETLB = 0x4_0000;
    private static final int SIZE_SHIFT = 26;

    private final String option;
    private final int shift;

    HugePages(String option, int shift) {
        this.option = option;
        this.shift = shift;
    }

    /** The choice of that name. */
    static HugePages of(String option) {
        for (HugePages choice : values()) {
            if (choice.option.equals(option)) {
                return choice;
            }
        }
        throw new IllegalArgumentException(option);
    }

    /** As the option says it. */
    String option() {
        return option;
    }

    /** Whether they come out of the pool that the administrator fills. */
    boolean pooled() {
        return this == TWO_MIB || this == ONE_GIB;
    }

    /** Bytes of one. */
    long bytes() {
        return 1L << shift;
    }

    /** What mmap wants to hear. */
    int flags() {
        return MAP_HUGETLB | shift << SIZE_SHIFT;
    }

    private String folder() {
        return "/sys/kernel/mm/hugepages/hugepages-" + (bytes() >> 10) + "kB/";
    }

    /** Pages of the pool that somebody may still have. */
    long free(SystemTree tree) {
        long free = tree.number(folder() + "free_hugepages").orElse(0);
        long promised = tree.number(folder() + "resv_hugepages").orElse(0);
        long more = tree.number(folder() + "nr_overcommit_hugepages").orElse(0);
        long taken = tree.number(folder() + "surplus_hugepages").orElse(0);
        return Math.max(0, free - promised) + Math.max(0, more - taken);
    }

    /** How the administrator makes more. */
    String remedy(SystemTree tree, long pages) {
        long there = tree.number(folder() + "nr_hugepages").orElse(0);
        return "echo %d > %snr_hugepages makes enough"
                .formatted(there + pages - free(tree), folder());
    }

    /** Whether the kernel makes huge pages by itself where it is asked to. */
    static boolean transparent(SystemTree tree) {
        String modes = tree.text("/sys/kernel/mm/transparent_hugepage/enabled");
        return !modes.isEmpty() && !modes.toLowerCase(Locale.ROOT).contains("[never]");
    }
}
