/*
 * Five-level paging: the checks of paging64 where only 57 bits reach, the fifth level's own entries, what is
 * canonical, and how one gets there and back (APM volume 2, 1.1.3, 5.3.1, 5.3.3).
 */
#include "micro.h"

#define TEST_BASE 0xff12340000000000UL /* below -2^47, the first address of an entry of level 4 */

#include "change_levels.h"
#include "paging64_checks.h"

#define INDEX(level) (TEST_BASE >> (12 + 9 * (level)) & 511)
#define CR4_LA57 (1UL << 12)
#define CODE32 SELECTOR(13)
#define LOW 0x00ab000000000000UL /* above 2^47 */

extern volatile u64 pml4[512];
static volatile u64 pml5[512] __attribute__((aligned(4096)));
static volatile u64 test_pml4[512] __attribute__((aligned(4096)));

static void refused(const char *what, u64 cr4) {
    uword before = read_cr4();
    ATTEMPT("mov %0, %%cr4", ::"r"(cr4));
    expect_fault(what, GP, 0);
    check("CR4 after that", read_cr4(), before);
}

static void canonical(void) {
    ATTEMPT("movb (%0), %%al", ::"D"(0x0100000000000000UL) : "eax");
    expect_fault("read of an address that is not canonical", GP, 0);
    ATTEMPT("movb %%al, (%0)", ::"D"(0xfeffffffffffffffUL) : "memory");
    expect_fault("write to an address that is not canonical", GP, 0);
    static const u64 edges[] = {0x00ffffffffffffffUL, 0x0000800000000000UL, 0xffff7fffffffffffUL, 0xff00000000000000UL};
    for (int i = 0; i < 4; i++) {
        target = (u8 *) edges[i];
        do_read();
        faulted("canonical by 57 bits", 0, edges[i]);
    }
    if (strict()) {
        ATTEMPT("movb (%%rsp, %0), %%al", ::"D"(0x0100000000000000UL) : "eax");
        expect_fault("stack address that is not canonical", SS, 0);
        ATTEMPT("movw %%ax, (%0)", ::"D"(0x00ffffffffffffffUL) : "memory");
        expect_fault("write across the last canonical address", GP, 0);
    }
    ATTEMPT("invlpg (%0)", ::"r"(0x0100000000000000UL));
    expect_nothing("INVLPG of an address that is not canonical");
}

/* Two entries of the fifth level lead to one table: each has rights of its own. */
static void fifth_level(void) {
    volatile u8 *other = (volatile u8 *) (LOW | (TEST_BASE & 0xffffffffffffUL));
    map(0, P | W | U);
    pml5[LOW >> 48 & 511] = (u64) test_pml4 | P | W | U;
    frames[0][5] = 0x57;
    check("through another entry of the fifth level", other[5], 0x57);
    target = other;
    enter_user(user_write);
    expect_nothing("user write there");
    pml5[LOW >> 48 & 511] = (u64) test_pml4 | P | U;
    write_cr3(read_cr3());
    do_write();
    faulted("write below a read-only entry", 3, (uword) other);
    target = TEST_PAGE(0);
    do_write();
    expect_nothing("write through the first one");
    pml5[LOW >> 48 & 511] = (u64) test_pml4 | P | W | U | LARGE;
    write_cr3(read_cr3());
    target = other;
    if (strict()) {
        do_read();
        faulted_reserved("large page in the fifth level", 9, (uword) other);
    }
    pml5[LOW >> 48 & 511] = 0;
    invlpg((uword) other);
    do_read();
    faulted("entry of the fifth level not present", 0, (uword) other);
}

GUEST("paging57") {
    if (!(cpuid(7).ecx & 1 << 16)) {
        skip("tables of five levels (LA57)");
        pass();
    }
    refused("LA57 turned on in long mode", read_cr4() | CR4_LA57);
    gdt[13] = descriptor(0, 0xfffff, 0xc9b);
    pml5[0] = pml5[511] = (u64) pml4 | P | W | U;
    pml5[INDEX(4)] = (u64) test_pml4 | P | W | U;
    test_pml4[INDEX(3)] = (u64) test_pdpt | P | W | U;
    change_levels((u64) pml5, CR4_LA57);
    refused("LA57 turned off in long mode", read_cr4() & ~CR4_LA57);
    open_region();
    all_checks();
    volatile u64 *const entries[] = {&pml5[INDEX(4)], &test_pml4[INDEX(3)], &test_pdpt[0], &test_pd[0], &test_pt[0]};
    levels(entries, 5);
    large_pages();
    fifth_level();
    canonical();
    change_levels((u64) pml4, CR4_LA57);
    ATTEMPT("movb (%0), %%al", ::"D"(TEST_BASE) : "eax");
    expect_fault("the region with four levels again", GP, 0);
}
