/* Four-level paging: faults and error codes at every level, large pages, addresses not canonical. */
#include "micro.h"

#define TEST_BASE 0xffff900000000000UL

#include "paging64_checks.h"

#define PML4_INDEX (TEST_BASE >> 39 & 511)

extern volatile u64 pml4[512];
static void canonical(void) {
    ATTEMPT("movb (%0), %%al", ::"D"(0x0000800000000000UL) : "eax");
    expect_fault("read of an address that is not canonical", GP, 0);
    ATTEMPT("movb %%al, (%0)", ::"D"(0xffff7fffffffffffUL) : "memory");
    expect_fault("write to an address that is not canonical", GP, 0);
    target = (u8 *) 0x00007fffffffffffUL;
    do_read();
    faulted("last canonical address of the lower half", 0, 0x00007fffffffffffUL);
    if (strict()) {
        ATTEMPT("movb (%%rsp, %0), %%al", ::"D"(0x0000800000000000UL) : "eax");
        expect_fault("stack address that is not canonical", SS, 0);
    }
}

GUEST("paging64") {
    pml4[PML4_INDEX] = (uword) test_pdpt | P | W | U;
    open_region();
    all_checks();
    volatile u64 *const entries[] = {&pml4[PML4_INDEX], &test_pdpt[0], &test_pd[0], &test_pt[0]};
    levels(entries, 4);
    large_pages();
    canonical();
}
