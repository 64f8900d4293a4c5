/*
 * Every exception of 32-bit protected mode that software can cause: vector, error code and reported
 * address. With "strict" on the command line also what QEMU's TCG leaves out: segment limits and
 * rights, int1, alignment checks, SIMD exceptions.
 */
#include "micro.h"

#define MISSING_SLOT 8  /* a data segment that is not present */
#define SMALL_SLOT 9    /* a data segment of 256 bytes */
#define READ_SLOT 10    /* a data segment that must not be written */
#define IDT_ERROR(vector) ((vector) * 8 + 2)

static u32 page_directory[1024] __attribute__((aligned(4096)));

static void divide(void) {
    ATTEMPT("divl %0", ::"r"(0), "a"(1), "d"(0));
    expect_fault("#DE, division by zero", DE, 0);
    u32 low = 0x80000000, high = 0xffffffff;
    ATTEMPT("idivl %2", : "+a"(low), "+d"(high) : "r"(-1));
    expect_fault("#DE, quotient too large", DE, 0);
    check("dividend after #DE", low, 0x80000000);
    ATTEMPT("aam $0", ::"a"(5));
    expect_fault("#DE, aam 0", DE, 0);
}

extern u8 stepped[], after_trap[], breakpoint[], watched[];

static void debug(void) {
    __asm__ volatile("mov %0, %%dr6" ::"r"(0));
    ATTEMPT("pushf\n orl $0x100, (%%esp)\n popf\n nop\n stepped: nop\n nop", ::: "memory");
    expect_vector("#DB, single step", DB, 0);
    check("address after a step", caught.ip, (uword) stepped);
    check("TF in the pushed flags", caught.flags & 0x100, 0x100);
    uword dr6;
    __asm__ volatile("mov %%dr6, %0" : "=r"(dr6));
    check("DR6 after a step", dr6 & 0xe00f, 0x4000);

    static u32 variable;
    __asm__ volatile("mov %0, %%dr0" ::"r"(breakpoint));
    __asm__ volatile("mov %0, %%dr1" ::"r"(&variable));
    __asm__ volatile("mov %0, %%dr6" ::"r"(0));
    /* DR0: execution; DR1: write of four bytes. */
    __asm__ volatile("mov %0, %%dr7" ::"r"(0x00d00405));
    ATTEMPT("nop\n breakpoint: nop", :);
    expect_vector("#DB, execution breakpoint", DB, 0);
    check("address of an execution breakpoint", caught.ip, (uword) breakpoint);
    __asm__ volatile("mov %%dr6, %0" : "=r"(dr6));
    check("DR6 after an execution breakpoint", dr6 & 0xe00f, 1);
    __asm__ volatile("mov %0, %%dr6" ::"r"(0));
    ATTEMPT("movl $77, %0\n watched: nop", : "=m"(variable));
    expect_vector("#DB, watched write", DB, 0);
    check("address after a watched write", caught.ip, (uword) watched);
    check("a watched write is done", variable, 77);
    __asm__ volatile("mov %%dr6, %0" : "=r"(dr6));
    check("DR6 after a watched write", dr6 & 0xe00f, 2);
    __asm__ volatile("mov %0, %%dr7" ::"r"(0x400));
}

static void traps(void) {
    ATTEMPT("int3", :);
    expect_vector("#BP", BP, 0);
    check("address after int3", caught.ip, attempted_at + 1);
    ATTEMPT("movb $0x7f, %%al\n addb $1, %%al\n into", ::: "eax");
    expect_vector("#OF", OF, 0);
    ATTEMPT("xorl %%eax, %%eax\n into", ::: "eax");
    expect_nothing("into without overflow");
    static const int bounds[2] = {-5, 10};
    ATTEMPT("boundl %0, %1", ::"r"(11), "m"(bounds));
    expect_fault("#BR, above", BR, 0);
    ATTEMPT("boundl %0, %1", ::"r"(-6), "m"(bounds));
    expect_fault("#BR, below", BR, 0);
    ATTEMPT("boundl %0, %1", ::"r"(-5), "m"(bounds));
    expect_nothing("bound within its bounds");
}

static void undefined(void) {
    ATTEMPT("ud2", :);
    expect_fault("#UD, ud2", UD, 0);
    ATTEMPT(".byte 0xf0, 0x01, 0xc0", :); /* lock add %eax, %eax */
    expect_fault("#UD, lock where it must not be", UD, 0);
    ATTEMPT(".byte 0x8e, 0xc8", :); /* mov %eax, %cs */
    expect_fault("#UD, mov to CS", UD, 0);
    ATTEMPT(".byte 0x0f, 0x0b, 0x0f", :);
    expect_fault("#UD, ud2 once more", UD, 0);
    ATTEMPT(".byte 0x8d, 0xc0", :); /* lea of a register */
    expect_fault("#UD, lea of a register", UD, 0);
}

static void coprocessor(void) {
    uword cr0 = (read_cr0() & ~(uword) (CR0_EM | CR0_TS)) | CR0_MP | CR0_NE;
    write_cr0(cr0 | CR0_TS);
    ATTEMPT("fld1", :);
    expect_fault("#NM, TS", NM, 0);
    ATTEMPT("fwait", :);
    expect_fault("#NM, wait with TS and MP", NM, 0);
    __asm__ volatile("clts");
    check("TS after clts", read_cr0() & CR0_TS, 0);
    write_cr0(cr0 | CR0_EM);
    ATTEMPT("fld1", :);
    expect_fault("#NM, EM", NM, 0);
    write_cr0(cr0);

    /* Zero divide unmasked: the next waiting instruction reports it. */
    static const u16 unmask_zero_divide = 0x037b, all_masked = 0x037f;
    __asm__ volatile("fninit; fldcw %0; fld1; fldz; fdivrp" ::"m"(unmask_zero_divide));
    ATTEMPT("fwait", :);
    expect_fault("#MF", MF, 0);
    u16 status;
    __asm__ volatile("fnstsw %0" : "=m"(status));
    check("x87 status after #MF", status & 0x84, 0x84);
    __asm__ volatile("fnclex; fninit; fldcw %0" ::"m"(all_masked));
}

static void segments(void) {
    gdt[MISSING_SLOT] = 0x00cf13000000ffffULL;
    u16 missing = SELECTOR(MISSING_SLOT);
    ATTEMPT("movw %w0, %%fs", ::"r"(0x1000));
    expect_fault("#GP, selector beyond the table", GP, 0x1000);
    ATTEMPT("movw %w0, %%fs", ::"r"(0x14));
    expect_fault("#GP, selector without an LDT", GP, 0x14);
    ATTEMPT("movw %w0, %%ss", ::"r"(0));
    expect_fault("#GP, empty selector for SS", GP, 0);
    ATTEMPT("movw %w0, %%ss", ::"r"(KERNEL_CODE));
    expect_fault("#GP, code selector for SS", GP, KERNEL_CODE);
    ATTEMPT("ljmp %0, $0", ::"i"(KERNEL_DATA));
    expect_fault("#GP, far jump to data", GP, KERNEL_DATA);
    ATTEMPT("movw %w0, %%fs", ::"r"(missing));
    expect_fault("#NP, data segment", NP, missing);
    ATTEMPT("movw %w0, %%ss", ::"r"(missing));
    expect_fault("#SS, stack segment not present", SS, missing);
    ATTEMPT("movw %w0, %%fs", ::"r"(0));
    expect_nothing("empty selector for FS");
    ATTEMPT("movl %%fs:0, %%eax", ::: "eax");
    if (strict()) {
        expect_fault("#GP, use of an empty selector", GP, 0);
    }
    ATTEMPT(".fill 15, 1, 0x2e\n nop", :);
    expect_fault("#GP, instruction longer than 15 bytes", GP, 0);

    idt[0x30].type = 0x0e;
    ATTEMPT("int $0x30", :);
    expect_fault("#NP, gate", NP, IDT_ERROR(0x30));
    idt[0x30].type = 0x8e;

    ATTEMPT("pushf\n orl $0x4000, (%%esp)\n popf\n iret", ::: "memory");
    expect_vector("#TS, iret to no task", TS, 0);

    /* #GP whose gate is missing: #NP within its delivery, so a double fault. */
    idt[GP].type = 0x0e;
    ATTEMPT("movw %w0, %%fs", ::"r"(0x1000));
    idt[GP].type = 0x8e;
    expect_vector("#DF", DF, 0);
}

#define IN_RING_3(name, ...)       \
    static void name(void) {       \
        ATTEMPT(__VA_ARGS__);      \
        USER_END();                \
    }
IN_RING_3(user_cli, "cli", :)
IN_RING_3(user_hlt, "hlt", :)
IN_RING_3(user_in, "inb $0x80, %%al", ::: "eax")
IN_RING_3(user_int, "int $0x21", :)
IN_RING_3(user_cr0, "movl %%cr0, %%eax", ::: "eax")
IN_RING_3(user_rdmsr, "rdmsr", ::"c"(0x10) : "eax", "edx")
IN_RING_3(user_lgdt, "lgdt 0", :)
IN_RING_3(user_data, "movw %w0, %%fs", ::"r"(KERNEL_DATA))
IN_RING_3(user_int3, "int3", :)
IN_RING_3(user_cpuid, "cpuid", : : "a"(0) : "ebx", "ecx", "edx")

static void ring3(void) {
    static void (*const refused[])(void) = {
        user_cli, user_hlt, user_in, user_cr0, user_rdmsr, user_lgdt,
    };
    for (unsigned i = 0; i < sizeof refused / sizeof *refused; i++) {
        enter_user(refused[i]);
        expect_fault("#GP, privileged instruction in ring 3", GP, 0);
        check("CS in ring 3", caught.cs, USER_CODE);
    }
    enter_user(user_int);
    expect_fault("#GP, gate of ring 0 from ring 3", GP, IDT_ERROR(0x21));
    enter_user(user_data);
    expect_fault("#GP, data of ring 0 from ring 3", GP, KERNEL_DATA);
    enter_user(user_int3);
    expect_vector("#BP from ring 3", BP, 0);
    enter_user(user_cpuid);
    expect_nothing("cpuid in ring 3");
}

static void page_fault(void) {
    if (!(cpuid(1).edx & 8)) {
        print("no large pages: #PF left out\n");
        return;
    }
    for (u32 i = 0; i < 16; i++) {
        page_directory[i] = i << 22 | 0x87;
    }
    write_cr4(read_cr4() | CR4_PSE);
    write_cr3((uword) page_directory);
    write_cr0(read_cr0() | CR0_PG);
    ATTEMPT("movl 0x50000000, %%eax", ::: "eax");
    expect_fault("#PF, read", PF, 0);
    check("CR2 of a read", caught.cr2, 0x50000000);
    ATTEMPT("movl %%eax, 0x60000123", ::: "memory");
    expect_fault("#PF, write", PF, 2);
    check("CR2 of a write", caught.cr2, 0x60000123);
    write_cr0(read_cr0() & ~(uword) CR0_PG);
}

IN_RING_3(user_misaligned,
          "pushf\n orl $0x40000, (%%esp)\n popf\n movl 1(%%esp), %%eax", ::: "eax", "memory")
IN_RING_3(user_small_stack,
          "movw %w0, %%ss\n movl %%ss:0x100, %%eax", ::"r"(SELECTOR(SMALL_SLOT) | 3) : "eax")

static void strict_checks(void) {
    static u32 data[2];
    ATTEMPT(".byte 0xf1\n after_trap:", :);
    expect_vector("#DB, int1", DB, 0);
    check("address after int1", caught.ip, (uword) after_trap);

    /* A byte-granular segment of 256 bytes, and a read-only one over everything. */
    gdt[SMALL_SLOT] = 0x00409300000000ffULL;
    gdt[READ_SLOT] = 0x00cf91000000ffffULL;
    __asm__ volatile("movw %w0, %%fs" ::"r"(SELECTOR(SMALL_SLOT)));
    ATTEMPT("movb %%fs:0xff, %%al", ::: "eax");
    expect_nothing("last byte of a segment");
    ATTEMPT("movb %%fs:0x100, %%al", ::: "eax");
    expect_fault("#GP, beyond a segment's limit", GP, 0);
    ATTEMPT("movl %%fs:0xfd, %%eax", ::: "eax");
    expect_fault("#GP, across a segment's limit", GP, 0);
    gdt[SMALL_SLOT] = 0x0040f300000000ffULL;
    enter_user(user_small_stack);
    expect_vector("#SS, beyond a stack segment's limit", SS, 0);
    __asm__ volatile("movw %w0, %%fs" ::"r"(SELECTOR(READ_SLOT)));
    ATTEMPT("movl %%eax, %%fs:(%0)", ::"r"(data) : "memory");
    expect_fault("#GP, write to a read-only segment", GP, 0);
    ATTEMPT("movl %%eax, %%cs:(%0)", ::"r"(data) : "memory");
    expect_fault("#GP, write to a code segment", GP, 0);
    __asm__ volatile("movw %w0, %%fs" ::"r"(0));

    write_cr0(read_cr0() | CR0_AM);
    enter_user(user_misaligned);
    expect_vector("#AC", AC, 0);
    write_cr0(read_cr0() & ~(uword) CR0_AM);

    write_cr4(read_cr4() | CR4_OSFXSR | CR4_OSXMMEXCPT);
    static const u32 unmask_zero_divide = 0x1d80, all_masked = 0x1f80;
    __asm__ volatile("ldmxcsr %0; xorps %%xmm1, %%xmm1; pcmpeqd %%xmm0, %%xmm0;"
                     "pslld $25, %%xmm0; psrld $2, %%xmm0" ::"m"(unmask_zero_divide)); /* 1.0 */
    ATTEMPT("divps %%xmm1, %%xmm0", :);
    expect_fault("#XM", XM, 0);
    __asm__ volatile("ldmxcsr %0" ::"m"(all_masked));
}

GUEST("exceptions") {
    divide();
    debug();
    traps();
    undefined();
    coprocessor();
    segments();
    ring3();
    page_fault();
    if (strict()) {
        strict_checks();
    }
}
