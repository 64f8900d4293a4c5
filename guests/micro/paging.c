/* 32-bit paging with two levels and with PAE: faults and their error codes, accessed and dirty bits. */
#include "micro.h"

#define TEST_BASE 0x40000000u
#define LARGE_BASE 0x80000000u

#include "paging_checks.h"

static volatile u32 directory[1024] __attribute__((aligned(4096)));
static volatile u32 identity[1024] __attribute__((aligned(4096)));
static volatile u32 table[1024] __attribute__((aligned(4096)));
static volatile u64 pdpt[4] __attribute__((aligned(32)));
static volatile u64 pae_identity[512] __attribute__((aligned(4096)));
static volatile u64 pae_directory[512] __attribute__((aligned(4096)));
static volatile u64 pae_table[512] __attribute__((aligned(4096)));

static void paging_off(void) {
    write_cr0(read_cr0() & ~(uword) CR0_PG);
}

/* Rights of the directory entry bind those below it. */
static void two_level_directory(void) {
    volatile u32 *pde = &directory[TEST_BASE >> 22];
    u32 open = (u32) table | P | W | U;
    target = TEST_PAGE(0);
    map(0, P | W | U);
    *pde = open & ~(u32) W;
    write_cr3((uword) directory);
    do_write();
    faulted("write below a read-only directory entry", 3, (uword) target);
    *pde = open & ~(u32) U;
    write_cr3((uword) directory);
    enter_user(user_read);
    faulted("user read below a supervisor directory entry", 5, (uword) target);
    *pde = 0;
    write_cr3((uword) directory);
    do_read();
    faulted("read, directory entry not present", 0, (uword) target);
    *pde = open;
    write_cr3((uword) directory);
    do_read();
    expect_nothing("read through an open directory entry");
    check("accessed bit of the directory entry", *pde & A, A);
}

static void two_level_large(void) {
    if (!(cpuid(1).edx & 8)) {
        return;
    }
    write_cr4(read_cr4() | CR4_PSE);
    volatile u32 *pde = &directory[LARGE_BASE >> 22];
    *pde = P | W | LARGE; /* physical address 0 */
    volatile u32 *here = &identity[5];
    volatile u32 *there = (volatile u32 *) (LARGE_BASE + (uword) here);
    check("word through a large page", *there, *here);
    check("large entry after a read", *pde & (A | D), A);
    *(volatile u8 *) (LARGE_BASE + (uword) frames[2]) = 0x77;
    check("byte written through a large page", *(volatile u8 *) frames[2], 0x77);
    check("large entry after a write", *pde & (A | D), A | D);
    *pde = P | LARGE;
    write_cr3((uword) directory);
    target = (u8 *) LARGE_BASE + 0x1234;
    do_write();
    faulted("write to a read-only large page", 3, (uword) target);
}

static void two_levels(void) {
    for (u32 i = 0; i < 1024; i++) {
        identity[i] = i << 12 | P | W | U;
    }
    directory[0] = (u32) identity | P | W | U;
    directory[TEST_BASE >> 22] = (u32) table | P | W | U;
    tests = table;
    write_cr3((uword) directory);
    write_cr0(read_cr0() | CR0_PG | CR0_WP);
    all_checks();
    two_level_directory();
    two_level_large();
    paging_off();
}

static void pae_directory_rights(void) {
    volatile u64 *pde = &pae_directory[0];
    u64 open = (u32) pae_table | P | W | U;
    target = TEST_PAGE(0);
    map(0, P | W | U);
    *pde = open & ~(u64) W;
    write_cr3((uword) pdpt);
    do_write();
    faulted("PAE: write below a read-only directory entry", 3, (uword) target);
    *pde = open & ~(u64) U;
    write_cr3((uword) pdpt);
    enter_user(user_write);
    faulted("PAE: user write below a supervisor directory entry", 7, (uword) target);
    *pde = open;
    pdpt[1] = 0;
    write_cr3((uword) pdpt);
    do_read();
    faulted("PAE: read, directory pointer not present", 0, (uword) target);
    pdpt[1] = (u32) pae_directory | P;
    if (strict()) {
        pdpt[2] = P | 0x1e0; /* reserved bits 8 to 5 */
        ATTEMPT("mov %0, %%cr3", ::"r"(pdpt) : "memory");
        expect_fault("PAE: reserved bits in a directory pointer", GP, 0);
        pdpt[2] = 0;
    }
    write_cr3((uword) pdpt);
    do_write();
    expect_nothing("PAE: write through open entries");
    check("PAE: accessed bit of the directory entry", *pde & A, A);
}

static void pae(void) {
    if (!(cpuid(1).edx & 1 << 6)) {
        print("no PAE: left out\n");
        return;
    }
    for (u32 i = 0; i < 16; i++) {
        pae_identity[i] = i << 21 | P | W | U | LARGE;
    }
    pdpt[0] = (u32) pae_identity | P;
    pdpt[1] = (u32) pae_directory | P;
    pae_directory[0] = (u32) pae_table | P | W | U;
    tests = pae_table;
    wide = 1;
    if (cpuid(0x80000000).eax >= 0x80000001 && cpuid(0x80000001).edx & 1 << 20) {
        write_msr(EFER, read_msr(EFER) | EFER_NXE);
        no_execute = 1ULL << 63;
    }
    if (cpuid(0x80000000).eax >= 0x80000008 && (cpuid(0x80000008).eax & 0xff) < 52) {
        reserved = 1ULL << 51;
    }
    write_cr4((read_cr4() & ~(uword) CR4_PSE) | CR4_PAE);
    write_cr3((uword) pdpt);
    write_cr0(read_cr0() | CR0_PG | CR0_WP);
    all_checks();
    pae_directory_rights();
    paging_off();
}

GUEST("paging") {
    two_levels();
    pae();
}
