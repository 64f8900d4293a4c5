/*
 * Translations: what drops them, accessed and dirty bits, reserved bits at every level, error codes of page
 * faults, and the rights that CR4 adds (SMEP, SMAP, PKE), tables of five levels (APM volume 2, 5.3 to 5.6;
 * SDM volume 3, 4.5 to 4.10). Nothing here relies on a translation being kept.
 */
#include "micro.h"
#include "change_levels.h"

#define BASE 0xffff900000000000UL /* the region under test: one PML4 entry */
#define PAGE 4096UL
#define P 1UL
#define W 2UL
#define U 4UL
#define A 0x20UL
#define D 0x40UL
#define LARGE 0x80UL
#define G 0x100UL
#define NX (1UL << 63)
#define FETCH 0x10
#define RESERVED 8
#define KEY 0x20
#define CR4_PGE 0x80UL
#define CR4_LA57 (1UL << 12)
#define CR4_PCIDE (1UL << 17)
#define CR4_SMEP (1UL << 20)
#define CR4_SMAP (1UL << 21)
#define CR4_PKE (1UL << 22)
#define NO_FLUSH (1UL << 63)
#define AC 0x40000

extern volatile u64 pml4[512], pdpt[512];
static volatile u64 tpdpt[512] __attribute__((aligned(4096)));
static volatile u64 tpd[512] __attribute__((aligned(4096)));
static volatile u64 tpt[512] __attribute__((aligned(4096)));
static volatile u64 other_pt[512] __attribute__((aligned(4096)));
static volatile u64 second_pml4[512] __attribute__((aligned(4096)));
static volatile u64 pml5[512] __attribute__((aligned(4096)));
static u8 frames[8][4096] __attribute__((aligned(4096)));
static u8 large[2 << 20] __attribute__((aligned(2 << 20)));

static volatile u64 *const levels[] = {&tpt[0], &tpd[0], &tpdpt[0], &pml4[BASE >> 39 & 511]};
static u64 opened[4];

static volatile u8 *at(u64 offset) {
    return (volatile u8 *) (BASE + offset);
}

static u64 frame(int i) {
    return (u64) frames[i];
}

static void flush(void) {
    write_cr4(read_cr4() ^ CR4_PGE);
    write_cr4(read_cr4() ^ CR4_PGE);
    write_cr3(read_cr3());
}

/* All tables as they were, page 0 of the region at frame 0. */
static void reset(u64 flags) {
    for (int i = 1; i < 4; i++) {
        *levels[i] = opened[i] & ~A;
    }
    tpt[0] = frame(0) | flags;
    flush();
}

/* --- dropping --- */

static void dropping(void) {
    for (int i = 0; i < 8; i++) {
        memset(frames[i], i + 1, PAGE);
    }
    reset(P | W);
    check("first mapping", *at(0), 1);
    tpt[0] = frame(1) | P | W;
    invlpg(BASE + 0x123);
    check("INVLPG of an address within the page", *at(0), 2);
    tpt[0] = frame(2) | P | W;
    write_cr3(read_cr3());
    check("CR3", *at(0), 3);

    /* Global pages: dropped by INVLPG and by CR4.PGE. */
    write_cr4(read_cr4() | CR4_PGE);
    tpt[0] = frame(3) | P | W | G;
    flush();
    check("global page", *at(0), 4);
    tpt[0] = frame(4) | P | W | G;
    invlpg(BASE);
    check("INVLPG of a global page", *at(0), 5);
    tpt[0] = frame(5) | P | W | G;
    write_cr4(read_cr4() & ~CR4_PGE);
    check("CR4.PGE cleared", *at(0), 6);
    write_cr4(read_cr4() | CR4_PGE);
    tpt[0] = frame(6) | P | W | G;
    write_cr4(read_cr4() & ~CR4_PGE);
    check("CR4.PGE cleared once more", *at(0), 7);
    check("byte of a global page", frames[6][0], 7);

    /* More rights need no invalidation. */
    reset(0);
    ATTEMPT("movb (%0), %%al", ::"b"(at(0)) : "rax");
    expect_fault("not present", PF, 0);
    tpt[0] = frame(0) | P;
    ATTEMPT("movb (%0), %%al", ::"b"(at(0)) : "rax");
    expect_nothing("a page that became present");
    tpt[0] |= W;
    ATTEMPT("movb $1, (%0)", ::"b"(at(0)) : "memory");
    if (caught.vector == PF) { /* one fault is allowed */
        ATTEMPT("movb $1, (%0)", ::"b"(at(0)) : "memory");
    }
    expect_nothing("a page that became writable");

    /* INVLPG also drops what is known of the tables above. */
    reset(P | W);
    frames[1][0] = 77;
    other_pt[0] = frame(1) | P | W;
    check("before another table", *at(0), 1);
    tpd[0] = (u64) other_pt | P | W | U;
    invlpg(BASE);
    check("INVLPG after a change above", *at(0), 77);

    /* A large page is dropped by any address in it. */
    large[0x1000] = 11;
    large[0x1ff000] = 22;
    tpd[1] = (u64) large | P | W | LARGE;
    flush();
    check("large page", *at(0x201000), 11);
    check("end of a large page", *at(0x3ff000), 22);
    other_pt[1] = frame(2) | P | W;
    other_pt[511] = frame(3) | P | W;
    tpd[1] = (u64) other_pt | P | W;
    invlpg(BASE + 0x377000);
    check("INVLPG of another address of the large page", *at(0x201000), 3);
    check("INVLPG of another address of the large page, its end", *at(0x3ff000), 4);
    tpd[1] = (u64) large | P | W | LARGE;
    large[0] = 33;
    invlpg(BASE + 0x200000);
    check("a large page takes the place of a small one", *at(0x200000), 33);
    tpd[1] = 0;
    flush();
}

/* WP and NXE change what is allowed at once. */
static void switches(void) {
    reset(P);
    write_cr0(read_cr0() & ~(u64) CR0_WP);
    ATTEMPT("movb $1, (%0)", ::"b"(at(0)) : "memory");
    expect_nothing("write without WP");
    check("D of a write without WP", tpt[0] & (A | D), A | D);
    write_cr0(read_cr0() | CR0_WP);
    ATTEMPT("movb $1, (%0)", ::"b"(at(0)) : "memory");
    expect_fault("write with WP", PF, 3);
    if (strict()) { /* TCG lets much of this happen */
        ATTEMPT("mov %0, %%cr4", ::"r"(read_cr4() & ~(u64) CR4_PAE));
        expect_fault("PAE cleared in long mode", GP, 0);
        ATTEMPT("mov %0, %%cr0", ::"r"(read_cr0() & ~(u64) CR0_PG));
        expect_fault("PG cleared in 64-bit mode", GP, 0);
        ATTEMPT("mov %0, %%cr0", ::"r"(read_cr0() & ~1UL));
        expect_fault("PE cleared with PG", GP, 0);
        ATTEMPT("mov %0, %%cr0", ::"r"(read_cr0() | 0x20000000UL));
        expect_fault("NW without CD", GP, 0);
        ATTEMPT("mov %0, %%cr0", ::"r"(read_cr0() | 1UL << 32));
        expect_fault("upper bits of CR0", GP, 0);
        ATTEMPT("mov %0, %%cr3", ::"r"(read_cr3() | 1UL << 60));
        expect_fault("upper bits of CR3", GP, 0);
        ATTEMPT("mov %0, %%cr4", ::"r"(read_cr4() | 1UL << 40));
        expect_fault("upper bits of CR4", GP, 0);
        ATTEMPT("wrmsr", ::"c"(EFER), "a"((u32) read_msr(EFER) & ~0x100u), "d"(0));
        expect_fault("LME cleared with PG", GP, 0);
    }
}

/* --- accessed and dirty bits --- */

static void expect_bits(const char *what, u64 leaf) {
    check(what, tpt[0] & (A | D), leaf);
    for (int i = 1; i < 4; i++) {
        check("accessed bit above", *levels[i] & A, leaf ? A : 0);
        check("dirty bit above", *levels[i] & D, 0);
    }
}

/* Accesses to page 0; RBX points there, RDX to memory of another page. */
#define BITS(what, flags, leaf, text)                                                           \
    do {                                                                                        \
        reset(flags);                                                                           \
        ATTEMPT(text, ::"b"(at(0x100)), "d"(&large[64]), "a"(0UL), "c"(1UL) : "memory", "rsi", \
                "rdi", "r8");                                                                   \
        expect_nothing(what);                                                                   \
        expect_bits(what, leaf);                                                                \
    } while (0)

static void accessed_and_dirty(void) {
    BITS("nothing", P | W, 0UL, "nop");
    BITS("LEA", P | W, 0UL, "lea (%%rbx), %%r8");
    BITS("INVLPG", P | W, 0UL, "invlpg (%%rbx)");
    BITS("read", P | W, A, "mov (%%rbx), %%r8");
    BITS("compare", P | W, A, "cmpl $0, (%%rbx)");
    BITS("bit test", P | W, A, "btl $0, (%%rbx)");
    BITS("LODS", P | W, A, "mov %%rbx, %%rsi\n lodsb");
    BITS("source of MOVS", P | W, A, "mov %%rbx, %%rsi\n mov %%rdx, %%rdi\n movsb");
    BITS("write", P | W, A | D, "movb $1, (%%rbx)");
    BITS("target of MOVS", P | W, A | D, "mov %%rdx, %%rsi\n mov %%rbx, %%rdi\n movsb");
    BITS("STOS", P | W, A | D, "mov %%rbx, %%rdi\n rep stosb");
    BITS("STOS of nothing", P | W, 0UL, "mov %%rbx, %%rdi\n xor %%ecx, %%ecx\n rep stosb");
    BITS("read and write", P | W, A | D, "incl (%%rbx)");
    BITS("XCHG", P | W, A | D, "xchg %%rax, (%%rbx)");
    BITS("SETcc", P | W, A | D, "sete (%%rbx)");
    BITS("SGDT", P | W, A | D, "sgdt (%%rbx)");
    BITS("PUSH", P | W, A | D, "mov %%rsp, %%r8\n mov %%rbx, %%rsp\n push %%rax\n mov %%r8, %%rsp");
    BITS("POP", P | W, A, "mov %%rsp, %%r8\n mov %%rbx, %%rsp\n pop %%rax\n mov %%r8, %%rsp");
    BITS("read and then write", P | W, A | D, "mov (%%rbx), %%r8\n movb $1, (%%rbx)");
    BITS("CMPXCHG that fails", P | W, A | D, "movl $5, %%eax\n lock cmpxchgl %%ecx, (%%rbx)");
    frames[0][0x100] = 0xff; /* jmp *%r8 */
    frames[0][0x101] = 0xe0 | 0;
    reset(P | W);
    frames[0][0x100] = 0x41;
    frames[0][0x101] = 0xff;
    frames[0][0x102] = 0xe0;
    ATTEMPT("mov $1f, %%r8\n jmp *%%rbx\n 1:", ::"b"(at(0x100)) : "r8", "memory");
    expect_nothing("execution");
    expect_bits("execution", A);

    reset(P);
    ATTEMPT("movb $1, (%0)", ::"b"(at(0)) : "memory");
    expect_fault("refused write", PF, 3);
    check("D of a refused write", tpt[0] & D, 0);

    /* Two pages: both or none are dirty. */
    reset(P | W);
    tpt[1] = frame(1) | P | W;
    invlpg(BASE + PAGE);
    *(volatile u32 *) at(0xffe) = 0;
    check("D of the second page", tpt[1] & (A | D), A | D);
    expect_bits("write across pages", A | D);

    /* Implicit accesses: a descriptor's accessed bit, the frame of an interrupt. */
    volatile u64 *table = (volatile u64 *) at(0x800);
    reset(P | W);
    gdt[FREE_SLOT] = descriptor((u32) (u64) frames, 0xfff, 0x082);
    gdt[FREE_SLOT] = descriptor(0, 0xfff, 0x082) | (BASE & 0xffffff) << 16 | (BASE >> 24 & 0xff) << 56;
    gdt[FREE_SLOT + 1] = BASE >> 32;
    ((u64 *) frames[0])[1] = descriptor(0, 0xfffff, 0xcf3 & ~1u);
    ((u64 *) frames[0])[2] = descriptor(0, 0xfffff, 0xcf3);
    __asm__ volatile("lldt %w0" ::"r"(SELECTOR(FREE_SLOT)));
    expect_bits("LLDT reads nothing of the table", 0);
    ATTEMPT("lar %0, %%eax", ::"r"(0x14) : "rax");
    expect_bits("LAR", A);
    reset(P | W);
    ATTEMPT("mov %0, %%fs", ::"r"(0x14));
    expect_nothing("load of a segment that was accessed");
    expect_bits("load of a segment that was accessed", A);
    reset(P | W);
    ATTEMPT("mov %0, %%fs", ::"r"(0xc));
    expect_nothing("load of a segment");
    expect_bits("load of a segment", A | D);
    reset(P);
    ((u64 *) frames[0])[1] = descriptor(0, 0xfffff, 0xcf3 & ~1u);
    ATTEMPT("mov %0, %%fs", ::"r"(0xc));
    expect_fault("accessed bit in a read-only table", PF, 3);
    check("CR2 of an accessed bit", caught.cr2 & ~7UL, BASE + 8);
    __asm__ volatile("lldt %w0; mov %w0, %%fs" ::"r"(0));
    (void) table;
}

/* --- reserved bits --- */

static void faults(const char *what, u64 error) {
    flush();
    ATTEMPT("movb (%0), %%al", ::"b"(at(0x123)) : "rax");
    if (!strict()) {
        caught.error |= P; /* TCG leaves it out */
    }
    expect_fault(what, PF, error);
    check(what, caught.cr2, BASE + 0x123);
}

static void reserved_bits(void) {
    u32 physical = cpuid(0x80000000).eax >= 0x80000008 ? cpuid(0x80000008).eax & 0xff : 36;
    for (int level = 0; level < 4; level++) {
        for (u32 bit = physical; bit < 52; bit++) {
            reset(P | W | U);
            *levels[level] |= 1UL << bit;
            faults("address bit beyond the processor's", P | RESERVED);
        }
        reset(P | W | U);
        *levels[level] |= 0x7ffUL << 52 & ~(0xfUL << 59); /* free for software */
        flush();
        check("bits for software", *at(0x100) == frames[0][0x100], 1);
        reset(P | W | U);
        *levels[level] = (*levels[level] & ~P) | 1UL << 51;
        flush();
        ATTEMPT("movb (%0), %%al", ::"b"(at(0)) : "rax");
        expect_fault("reserved bits of what is not present", PF, 0);
    }
    reset(P | W | U);
    *levels[3] |= LARGE;
    faults("large page of 512 GiB", P | RESERVED);
    reset(P | W | U);
    tpt[0] |= LARGE; /* PAT */
    flush();
    check("PAT in an entry", *at(0x100) == frames[0][0x100], 1);
    for (u32 bit = 13; bit < 21; bit++) {
        reset(P | W | U);
        tpd[0] = (u64) large | P | W | U | LARGE | 1UL << bit;
        faults("large page that is not aligned", P | RESERVED);
    }
    if (cpuid(0x80000001).edx & 1 << 26) {
        for (u32 bit = 13; bit < 30; bit++) {
            reset(P | W | U);
            tpdpt[0] = P | W | U | LARGE | 1UL << bit;
            faults("page of 1 GiB that is not aligned", P | RESERVED);
        }
        reset(P | W | U);
        tpdpt[0] = P | W | U | LARGE;
        flush();
        u64 *here = (u64 *) &large[0x5000];
        *here = 0x1234;
        check("page of 1 GiB", *(volatile u64 *) at((u64) here), 0x1234);
        check("bits of a page of 1 GiB", tpdpt[0] & (A | D), A);
        *(volatile u64 *) at((u64) here) = 1;
        check("bits of a page of 1 GiB after a write", tpdpt[0] & (A | D), A | D);
    } else {
        skip("pages of 1 GiB");
        if (strict()) {
            reset(P | W | U);
            tpdpt[0] = P | W | U | LARGE;
            faults("page of 1 GiB on a processor without", P | RESERVED);
        }
    }
    if (!(cpuid(0x80000001).edx & 1 << 20)) {
        skip("NX");
        return;
    }
    for (int level = 0; level < 4; level++) {
        reset(P | W | U);
        write_msr(EFER, read_msr(EFER) & ~(u64) EFER_NXE);
        *levels[level] |= NX;
        faults("NX without NXE", P | RESERVED);
        write_msr(EFER, read_msr(EFER) | EFER_NXE);
        ATTEMPT("movb (%0), %%al", ::"b"(at(0)) : "rax");
        expect_nothing("read of a page with NX");
        ATTEMPT("jmp *%0", ::"b"(at(0)));
        expect_vector("execution of a page with NX", PF, P | FETCH);
        check("CR2 of an execution", caught.cr2, BASE);
        check("RIP of an execution", caught.ip, BASE);
    }
    /* A reserved bit above comes before what is below. */
    reset(0);
    tpd[0] |= 1UL << 51;
    if (physical < 52) {
        faults("reserved bit above an entry not present", P | RESERVED);
    }
    reset(P | W | U);
    tpt[0] |= 1UL << 51;
    flush();
    ATTEMPT("jmp *%0", ::"b"(at(0)));
    if (strict() && physical < 52) {
        expect_vector("execution, reserved bit", PF, P | RESERVED | FETCH);
    }
    reset(0);
    ATTEMPT("jmp *%0", ::"b"(at(0)));
    expect_vector("execution, not present, with NXE", PF, FETCH);
    write_msr(EFER, read_msr(EFER) & ~(u64) EFER_NXE);
    ATTEMPT("jmp *%0", ::"b"(at(0)));
    expect_vector("execution, not present, without NXE", PF, 0);
}

/* --- rights by CR4 --- */

static void smep(void) {
    if (!(cpuid(7).ebx & 1 << 7)) {
        skip("SMEP");
        return;
    }
    reset(P | W | U);
    frames[0][0] = 0x41;
    frames[0][1] = 0xff;
    frames[0][2] = 0xe0; /* jmp *%r8 */
    ATTEMPT("mov $1f, %%r8\n jmp *%0\n 1:", ::"b"(at(0)) : "r8");
    expect_nothing("execution of a user page without SMEP");
    pml4[0] &= ~U; /* the guest itself */
    write_cr4(read_cr4() | CR4_SMEP);
    ATTEMPT("jmp *%0", ::"b"(at(0)));
    expect_vector("execution of a user page with SMEP", PF, P | FETCH);
    ATTEMPT("movb (%0), %%al", ::"b"(at(0)) : "rax");
    expect_nothing("read of a user page with SMEP");
    for (int level = 1; level < 4; level++) {
        reset(P | W | U);
        *levels[level] &= ~U;
        flush();
        ATTEMPT("mov $1f, %%r8\n jmp *%0\n 1:", ::"b"(at(0)) : "r8");
        expect_nothing("a supervisor entry above makes a supervisor page");
    }
    write_cr4(read_cr4() & ~CR4_SMEP);
    pml4[0] |= U;
}

static void user_stac(void) {
    ATTEMPT(".byte 0x0f, 0x01, 0xcb", :);
    USER_END();
}

static void smap(void) {
    if (!(cpuid(7).ebx & 1 << 20)) {
        skip("SMAP");
        return;
    }
    enter_user(user_stac);
    expect_fault("STAC in ring 3", UD, 0);
    reset(P | W | U);
    pml4[0] &= ~U; /* the guest itself */
    write_cr3(read_cr3());
    write_cr4(read_cr4() | CR4_SMAP);
    ATTEMPT("movb (%0), %%al", ::"b"(at(0)) : "rax");
    expect_fault("read of a user page with SMAP", PF, 1);
    ATTEMPT("movb %%al, (%0)", ::"b"(at(0)) : "memory");
    expect_fault("write to a user page with SMAP", PF, 3);
    ATTEMPT(".byte 0x0f, 0x01, 0xcb\n movb (%0), %%al\n .byte 0x0f, 0x01, 0xca", ::"b"(at(0)) : "rax");
    expect_nothing("read with AC");
    ATTEMPT(".byte 0x0f, 0x01, 0xcb\n .byte 0x0f, 0x01, 0xca\n 1: movb (%0), %%al",
            ::"b"(at(0)) : "rax");
    expect_vector("read after CLAC", PF, 1);
    ATTEMPT("pushf\n orl %1, (%%rsp)\n popf\n movb (%0), %%al\n pushf\n xorl %1, (%%rsp)\n popf",
            ::"b"(at(0)), "i"(AC) : "rax", "memory", "cc");
    expect_nothing("read with AC by POPF");
    /* A descriptor is read by the processor itself, whatever AC says. */
    gdt[FREE_SLOT] = descriptor(0, 0xfff, 0x082) | (BASE & 0xffffff) << 16 | (BASE >> 24 & 0xff) << 56;
    gdt[FREE_SLOT + 1] = BASE >> 32;
    __asm__ volatile("lldt %w0" ::"r"(SELECTOR(FREE_SLOT)));
    if (strict()) {
        ATTEMPT(".byte 0x0f, 0x01, 0xcb\n mov %0, %%fs", ::"r"(0xc));
        __asm__ volatile(".byte 0x0f, 0x01, 0xca");
        check("descriptor in a user page with AC", caught.vector, PF);
        check("error code of a descriptor in a user page", caught.error, 1);
    }
    __asm__ volatile("lldt %w0" ::"r"(0));
    write_cr4(read_cr4() & ~CR4_SMAP);
    pml4[0] |= U;
    ATTEMPT("movb (%0), %%al", ::"b"(at(0)) : "rax");
    expect_nothing("read of a user page after SMAP");
}

static void set_keys(u32 value) {
    __asm__ volatile(".byte 0x0f, 0x01, 0xef" ::"a"(value), "c"(0), "d"(0));
}

static void user_read(void) {
    ATTEMPT("movb (%0), %%al", ::"b"(at(0)) : "rax");
    USER_END();
}

static void user_write(void) {
    ATTEMPT("movb $1, (%0)", ::"b"(at(0)) : "memory");
    USER_END();
}

static void keys(void) {
    if (!(cpuid(7).ecx & 1 << 3)) {
        skip("protection keys (PKU)");
        return;
    }
    ATTEMPT(".byte 0x0f, 0x01, 0xee", ::"c"(0) : "rax", "rdx");
    expect_fault("RDPKRU without CR4.PKE", UD, 0);
    write_cr4(read_cr4() | CR4_PKE);
    ATTEMPT(".byte 0x0f, 0x01, 0xee", ::"c"(1) : "rax", "rdx");
    expect_fault("RDPKRU with ECX", GP, 0);
    ATTEMPT(".byte 0x0f, 0x01, 0xef", ::"c"(0), "d"(1), "a"(0));
    expect_fault("WRPKRU with EDX", GP, 0);
    reset(P | W | U | 5UL << 59);
    set_keys(1 << 10); /* no access by key 5 */
    enter_user(user_read);
    expect_fault("user read with a closed key", PF, P | U | KEY);
    enter_user(user_write);
    expect_fault("user write with a closed key", PF, P | W | U | KEY);
    ATTEMPT("movb (%0), %%al", ::"b"(at(0)) : "rax");
    expect_fault("supervisor read of a user page with a closed key", PF, P | KEY);
    set_keys(2 << 10); /* no write */
    enter_user(user_read);
    expect_nothing("user read with a key for reading");
    enter_user(user_write);
    expect_fault("user write with a key for reading", PF, P | W | U | KEY);
    ATTEMPT("movb $1, (%0)", ::"b"(at(0)) : "memory");
    expect_fault("supervisor write with a key for reading", PF, P | W | KEY);
    write_cr0(read_cr0() & ~(u64) CR0_WP);
    ATTEMPT("movb $1, (%0)", ::"b"(at(0)) : "memory");
    expect_nothing("supervisor write with a key for reading without WP");
    write_cr0(read_cr0() | CR0_WP);
    reset(P | W | 5UL << 59);
    set_keys(3 << 10);
    ATTEMPT("movb $1, (%0)", ::"b"(at(0)) : "memory");
    expect_nothing("keys of supervisor pages do not count");
    set_keys(0);
    write_cr4(read_cr4() & ~CR4_PKE);
}

/* --- process-context identifiers --- */

static struct {
    u64 pcid, address;
} request __attribute__((aligned(16)));

#define INVPCID ".byte 0x66, 0x0f, 0x38, 0x82, 0x06" /* invpcid (%rsi), %rax */

static void invpcid_fails(const char *what, u64 type, u64 pcid, u64 address, u32 vector) {
    request.pcid = pcid;
    request.address = address;
    ATTEMPT(INVPCID, ::"S"(&request), "a"(type) : "memory");
    if (vector == NONE) {
        expect_nothing(what);
    } else {
        expect_fault(what, vector, 0);
    }
}

static u8 seen_in(u64 cr3, int keep) {
    write_cr3(cr3 | (keep ? NO_FLUSH : 0));
    return *at(0);
}

static void contexts(void) {
    int pcid = cpuid(1).ecx >> 17 & 1, invpcid = cpuid(7).ebx >> 10 & 1;
    if (!pcid) {
        skip("PCID");
        if (strict()) {
            ATTEMPT("mov %0, %%cr4", ::"r"(read_cr4() | CR4_PCIDE));
            expect_fault("CR4.PCIDE on a processor without", GP, 0);
        }
        return;
    }
    reset(P | W);
    u64 first = (u64) pml4 | 1, second = (u64) second_pml4 | 2;
    for (int i = 0; i < 512; i++) {
        second_pml4[i] = pml4[i];
    }
    write_cr3((u64) pml4 | 8);
    ATTEMPT("mov %0, %%cr4", ::"r"(read_cr4() | CR4_PCIDE));
    expect_fault("PCIDE while CR3 has low bits", GP, 0);
    write_cr3((u64) pml4);
    write_cr4(read_cr4() | CR4_PCIDE);
    for (int i = 0; i < 4; i++) {
        frames[i][0] = (u8) (i + 1);
    }
    /* Each context has its own translation; without NO_FLUSH a change is seen. */
    tpt[0] = frame(0) | P | W;
    check("context 1", seen_in(first, 0), 1);
    tpt[0] = frame(1) | P | W;
    check("context 2", seen_in(second, 0), 2);
    check("context 1, emptied when it came back", seen_in(first, 0), 2);
    tpt[0] = frame(2) | P | W;
    invlpg(BASE);
    check("INVLPG in context 1", *at(0), 3);
    check("context 2 emptied", seen_in(second, 0), 3);
    check("bit 63 reads as 0", read_cr3() >> 63, 0);
    if (!invpcid) {
        skip("INVPCID");
    } else {
        tpt[0] = frame(3) | P | W;
        invpcid_fails("INVPCID of an address", 0, 1, BASE, NONE);
        invpcid_fails("INVPCID of an address of context 2", 0, 2, BASE, NONE);
        check("INVPCID of an address", seen_in(second, 1), 4);
        check("INVPCID of an address of another context", seen_in(first, 1), 4);
        tpt[0] = frame(0) | P | W;
        invpcid_fails("INVPCID of a context", 1, 2, 0, NONE);
        check("INVPCID of a context", seen_in(second, 1), 1);
        tpt[0] = frame(1) | P | W;
        invpcid_fails("INVPCID of all but global pages", 3, 0, 0, NONE);
        check("INVPCID of all but global pages", *at(0), 2);
        check("INVPCID of all but global pages, another context", seen_in(first, 1), 2);
        write_cr4(read_cr4() | CR4_PGE);
        tpt[0] = frame(2) | P | W | G;
        invlpg(BASE);
        check("global page in context 1", *at(0), 3);
        tpt[0] = frame(3) | P | W | G;
        invpcid_fails("INVPCID of all", 2, 0, 0, NONE);
        check("INVPCID of all", *at(0), 4);
        invpcid_fails("INVPCID of type 4", 4, 0, 0, GP);
        invpcid_fails("INVPCID with reserved bits", 0, 0x1000, BASE, GP);
        invpcid_fails("INVPCID of no canonical address", 0, 1, 0x800000000000, GP);
        invpcid_fails("INVPCID of a context and no canonical address", 1, 1, 0x800000000000, NONE);
        write_cr4(read_cr4() & ~CR4_PCIDE);
        write_cr3((u64) pml4);
        invpcid_fails("INVPCID of context 1 without PCIDE", 1, 1, 0, GP);
        invpcid_fails("INVPCID of context 0 without PCIDE", 1, 0, 0, NONE);
    }
    write_cr4(read_cr4() & ~(CR4_PCIDE | CR4_PGE));
    write_cr3((u64) pml4);
}

/* --- five levels --- */

static void five_levels(void) {
    if (!(cpuid(7).ecx & 1 << 16)) {
        skip("tables of five levels (LA57)");
        if (strict()) {
            ATTEMPT("mov %0, %%cr4", ::"r"(read_cr4() | CR4_LA57));
            expect_fault("CR4.LA57 on a processor without", GP, 0);
        }
        return;
    }
    ATTEMPT("mov %0, %%cr4", ::"r"(read_cr4() | CR4_LA57));
    expect_fault("LA57 changed in long mode", GP, 0);
    reset(P | W | U);
    gdt[13] = descriptor(0, 0xfffff, 0xc9b);
    pml5[0] = pml5[511] = (u64) pml4 | P | W | U;
    pml5[0x55] = (u64) pml4 | P | W | U;
    change_levels((u64) pml5, CR4_LA57);
    u64 wide = 0x55UL << 48 | (BASE & 0xffffffffffffUL);
    frames[0][0] = 99;
    check("through five levels", *(volatile u8 *) wide, 99);
    check("accessed bit of the fifth level", pml5[0x55] & A, A);
    check("the region where it was", *at(0), 99);
    ATTEMPT("movb (%0), %%al", ::"b"(0x0000800000000000UL) : "rax");
    expect_vector("canonical with five levels", PF, 0);
    ATTEMPT("movb (%0), %%al", ::"b"(0x0100000000000000UL) : "rax");
    expect_fault("not canonical with five levels", GP, 0);
    ATTEMPT("movb (%0), %%al", ::"b"(0x00aa000000000000UL) : "rax");
    expect_fault("entry of the fifth level not present", PF, 0);
    check("CR2 of 57 bits", caught.cr2, 0x00aa000000000000UL);
    pml5[0x56] = (u64) pml4 | P | LARGE;
    ATTEMPT("movb (%0), %%al", ::"b"(0x0056000000000000UL) : "rax");
    if (strict()) {
        expect_fault("large page in the fifth level", PF, P | RESERVED);
    }
    ATTEMPT("jmp *%0", ::"b"(0x0100000000000000UL));
    check("jump beyond 57 bits", caught.vector, GP);
    ATTEMPT("jmp *%0", ::"b"(0x0000800000000000UL));
    check("jump within 57 bits", caught.vector, PF);
    write_msr(0xc0000102, 0x00ffffffffffffffUL);
    check("base of 57 bits", read_msr(0xc0000102), 0x00ffffffffffffffUL);
    write_msr(0xc0000102, 0);
    change_levels((u64) pml4, CR4_LA57);
    ATTEMPT("movb (%0), %%al", ::"b"(0x0000800000000000UL) : "rax");
    expect_fault("four levels again", GP, 0);
}

GUEST("tlb") {
    pic_mask(0xffff);
    pml4[BASE >> 39 & 511] = (u64) tpdpt | P | W | U;
    tpdpt[0] = (u64) tpd | P | W | U;
    tpd[0] = (u64) tpt | P | W | U;
    for (int i = 1; i < 4; i++) {
        opened[i] = *levels[i];
    }
    dropping();
    switches();
    accessed_and_dirty();
    reserved_bits();
    smep();
    smap();
    keys();
    contexts();
    five_levels();
}
