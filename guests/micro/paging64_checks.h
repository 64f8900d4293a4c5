/*
 * What paging64 and paging57 share: checks of 64-bit entries at every level, and of large pages. The test
 * region hangs below test_pdpt; the including file defines TEST_BASE and leads there.
 */
#include "paging_checks.h"

static volatile u64 test_pdpt[512] __attribute__((aligned(4096)));
static volatile u64 test_pd[512] __attribute__((aligned(4096)));
static volatile u64 test_pt[512] __attribute__((aligned(4096)));

/* Rights at each level bind those below it. */
static void levels(volatile u64 *const *entries, int count) {
    target = TEST_PAGE(0);
    uword at = (uword) target;
    for (int i = 0; i < count; i++) {
        map(0, P | W | U);
        volatile u64 *entry = entries[i];
        u64 open = *entry & ~(u64) A;
        *entry = open & ~(u64) W;
        write_cr3(read_cr3());
        do_write();
        faulted("write below a read-only entry", 3, at);
        *entry = open & ~(u64) U;
        write_cr3(read_cr3());
        enter_user(user_read);
        faulted("user read below a supervisor entry", 5, at);
        if (no_execute) {
            *entry = open | no_execute;
            write_cr3(read_cr3());
            do_execute();
            expect_vector("execution below an entry without it", PF, 0x11);
        }
        if (reserved) {
            *entry = open | reserved;
            write_cr3(read_cr3());
            do_read();
            faulted_reserved("reserved bit in an entry", 9, at);
        }
        *entry = 0;
        write_cr3(read_cr3());
        do_write();
        faulted("write below an entry not present", 2, at);
        *entry = open;
        write_cr3(read_cr3());
        do_read();
        expect_nothing("read through open entries");
        check("accessed bit of an entry", *entry & A, A);
    }
}

static void large_pages(void) {
    volatile u8 *small = frames[3];
    *small = 0x31;
    test_pd[1] = P | W | LARGE; /* 2 MiB at physical address 0 */
    volatile u8 *at = (volatile u8 *) TEST_BASE + 0x200000 + (uword) small;
    check("byte through a 2 MiB page", *at, 0x31);
    check("2 MiB entry after a read", test_pd[1] & (A | D), A);
    *at = 0x32;
    check("byte written through a 2 MiB page", *small, 0x32);
    check("2 MiB entry after a write", test_pd[1] & (A | D), A | D);
    test_pd[1] = P | W | LARGE | 0x2000; /* an address bit below 2 MiB */
    write_cr3(read_cr3());
    target = at;
    do_read();
    faulted_reserved("2 MiB page that is not aligned", 9, (uword) at);
    if (cpuid(0x80000001).edx & 1 << 26) {
        test_pdpt[1] = P | W | LARGE;
        at = (volatile u8 *) TEST_BASE + 0x40000000 + (uword) small;
        check("byte through a 1 GiB page", *at, 0x32);
    }
}

/* What the processor has; then tables for the region. */
static void open_region(void) {
    test_pdpt[0] = (uword) test_pd | P | W | U;
    test_pd[0] = (uword) test_pt | P | W | U;
    tests = test_pt;
    wide = 1;
    if (cpuid(0x80000001).edx & 1 << 20) {
        write_msr(EFER, read_msr(EFER) | EFER_NXE);
        no_execute = 1ULL << 63;
    }
    if (cpuid(0x80000000).eax >= 0x80000008 && (cpuid(0x80000008).eax & 0xff) < 52) {
        reserved = 1ULL << 51;
    }
}
