/*
 * Addresses that are not canonical, in every place where one can turn up: branches of all kinds, code
 * that runs over the edge, data, stacks, descriptor tables, base registers, gates (APM volume 2, 1.1.3,
 * 5.3.1; volume 3, the instructions' tables).
 */
#include "micro.h"

#define MSR_LSTAR 0xc0000082
#define MSR_CSTAR 0xc0000083
#define MSR_FS_BASE 0xc0000100
#define MSR_GS_BASE 0xc0000101
#define MSR_KERNEL_GS_BASE 0xc0000102

#define LOWER_END 0x0000800000000000UL   /* the first address that is not canonical */
#define UPPER_START 0xffff800000000000UL /* the first one that is again */
#define EDGE (LOWER_END - 4096)          /* the page before */
#define TOP 0xfffffffffffff000UL         /* the last page */
#define MAPPED 7

extern volatile u64 pml4[512];
static volatile u64 tables[3][512] __attribute__((aligned(4096)));
static volatile u64 upper[3][512] __attribute__((aligned(4096)));
static volatile u64 last[3][512] __attribute__((aligned(4096)));
static u8 edge[4096] __attribute__((aligned(4096)));
static u8 start[4096] __attribute__((aligned(4096)));
static u8 top[4096] __attribute__((aligned(4096)));

static void map(volatile u64 (*t)[512], u64 address, void *frame) {
    pml4[address >> 39 & 511] = (u64) t[0] | MAPPED;
    t[0][address >> 30 & 511] = (u64) t[1] | MAPPED;
    t[1][address >> 21 & 511] = (u64) t[2] | MAPPED;
    t[2][address >> 12 & 511] = (u64) frame | MAPPED;
}

static struct context go(const u8 *code) {
    struct context c = in_ring(0);
    c.ip = (u64) code;
    c.bx = LOWER_END;
    c.di = (u64) edge;
    run(&c);
    return c;
}

/* --- branches; RBX is LOWER_END --- */

SNIPPET(jump_register, "jmp *%rbx")
SNIPPET(call_register, "call *%rbx")
SNIPPET(jump_memory, "push %rbx\n 1: jmp *(%rsp)")
SNIPPET(call_memory, "push %rbx\n call *(%rsp)")
SNIPPET(near_return, "push %rbx\n ret")
SNIPPET(near_return_8, "push %rbx\n ret $8")
SNIPPET(far_return, "push $0x08\n push %rbx\n lretq")
SNIPPET(interrupt_return, "push $0x10\n push %rsp\n push $2\n push $0x08\n push %rbx\n iretq")
SNIPPET(far_jump, "push $0x08\n push %rbx\n .byte 0x48\n ljmp *(%rsp)")
SNIPPET(far_call, "push $0x08\n push %rbx\n .byte 0x48\n lcall *(%rsp)")

static void branches(void) {
    static const struct {
        const char *what;
        u8 *code;
        int before, pushed;
    } cases[] = {
        {"JMP of a register", jump_register, 0, 0},
        {"CALL of a register", call_register, 0, 0},
        {"JMP of memory", jump_memory, 1, 8},
        {"CALL of memory", call_memory, 1, 8},
        {"RET", near_return, 1, 8},
        {"RET with bytes to release", near_return_8, 1, 8},
        {"far RET", far_return, 3, 16},
        {"IRET", interrupt_return, 8, 40},
        {"far JMP", far_jump, 3, 16},
        {"far CALL", far_call, 3, 16},
    };
    /* TCG finds the wrong address out at the target, and has no 64-bit far branches of AMD's. */
    for (u32 i = 0; i < sizeof cases / sizeof *cases && strict(); i++) {
        if (amd() && (cases[i].code == far_jump || cases[i].code == far_call)) {
            continue; /* no operand size of 64 bits there */
        }
        struct context c = go(cases[i].code);
        ended(cases[i].what, &c, GP, 0, cases[i].code + cases[i].before);
        check(cases[i].what, c.sp, in_ring(0).sp - (u64) cases[i].pushed);
    }
}

/* --- code at the edge --- */

static struct context at_edge(u64 offset, const char *code, u32 bytes) {
    memset(edge, 0x90, sizeof edge);
    for (u32 i = 0; i < bytes && offset + i < sizeof edge; i++) {
        edge[offset + i] = (u8) code[i];
    }
    struct context c = in_ring(0);
    c.ip = EDGE + offset;
    c.cx = 5;
    run(&c);
    return c;
}

#define AT_EDGE(offset, code) at_edge(offset, code, sizeof code - 1)

static void edges(void) {
    struct context c = AT_EDGE(0xfff, "\x90");
    ended("code that runs over the edge", &c, GP, 0, (void *) LOWER_END);
    if (!strict()) {
        return;
    }
    c = AT_EDGE(0xffe, "\xb8\x00");
    ended("instruction across the edge", &c, GP, 0, (void *) (EDGE + 0xffe));
    c = AT_EDGE(0xf00, "\xe9\x00\x10\x00\x00");
    ended("JMP over the edge", &c, GP, 0, (void *) (EDGE + 0xf00));
    c = AT_EDGE(0xff0, "\xeb\x7f");
    ended("short JMP over the edge", &c, GP, 0, (void *) (EDGE + 0xff0));
    c = AT_EDGE(0xf00, "\xe8\x00\x10\x00\x00");
    ended("CALL over the edge", &c, GP, 0, (void *) (EDGE + 0xf00));
    check("RSP of a CALL over the edge", c.sp, in_ring(0).sp);
    c = AT_EDGE(0xff0, "\x31\xc0\x74\x7f");
    ended("taken branch over the edge", &c, GP, 0, (void *) (EDGE + 0xff2));
    c = AT_EDGE(0xff0, "\x31\xc0\x75\x7f\xcd\x80");
    finished("branch over the edge that is not taken", &c);
    c = AT_EDGE(0xff0, "\xe2\x7f");
    ended("LOOP over the edge", &c, GP, 0, (void *) (EDGE + 0xff0));
    check("RCX of a LOOP that faulted", c.cx, 5);
    c = AT_EDGE(0xffe, "\xeb\x00");
    ended("JMP to the edge itself", &c, GP, 0, (void *) (EDGE + 0xffe));

    /* The end of the address space is no edge. */
    memset(top, 0x90, sizeof top);
    u16 old;
    __asm__ volatile("movw 0, %0\n movw $0x80cd, 0" : "=&r"(old)::"memory");
    c = in_ring(0);
    c.ip = TOP + 0xffe;
    run(&c);
    __asm__ volatile("movw %0, 0" ::"r"(old) : "memory");
    finished("RIP goes on at 0", &c);
    check("RIP after 0", c.ip, 2);
}

/* --- data --- */

static void data(void) {
    ATTEMPT("movq (%0), %%rax", ::"b"(LOWER_END) : "rax");
    expect_fault("read", GP, 0);
    ATTEMPT("movq %%rax, (%0)", ::"b"(UPPER_START - 8) : "memory");
    expect_fault("write", GP, 0);
    ATTEMPT("incl (%0)", ::"b"(LOWER_END) : "memory");
    expect_fault("read and write", GP, 0);
    ATTEMPT("lock incl (%0)", ::"b"(LOWER_END) : "memory");
    expect_fault("locked", GP, 0);
    ATTEMPT("rep stosb", ::"D"(LOWER_END), "c"(1), "a"(0) : "memory");
    expect_fault("string", GP, 0);
    ATTEMPT("rep stosb", ::"D"(LOWER_END), "c"(0), "a"(0) : "memory");
    expect_nothing("string of no elements");
    ATTEMPT("movb (%0), %%al", ::"b"(LOWER_END - 1) : "rax");
    expect_nothing("last byte");
    ATTEMPT("movb (%0), %%al", ::"b"(UPPER_START) : "rax");
    expect_nothing("first byte of the upper half");
    ATTEMPT("leaq (%0), %%rax", ::"b"(LOWER_END) : "rax");
    expect_nothing("LEA");
    ATTEMPT("invlpg (%0)", ::"b"(LOWER_END));
    expect_nothing("INVLPG");
    ATTEMPT("prefetcht0 (%0)", ::"b"(LOWER_END));
    expect_nothing("PREFETCH");
    ATTEMPT("nopl (%0)", ::"b"(LOWER_END));
    expect_nothing("NOP");
    ATTEMPT("lgdt (%0)", ::"b"(LOWER_END));
    expect_fault("LGDT from there", GP, 0);
    ATTEMPT("mov %%gs:(%0), %%al", ::"b"(LOWER_END) : "rax");
    expect_fault("GS", GP, 0);
    write_msr(MSR_GS_BASE, LOWER_END - 8);
    ATTEMPT("mov %%gs:8, %%al", ::: "rax");
    expect_fault("base and offset together", GP, 0);
    ATTEMPT("mov %%gs:7, %%al", ::: "rax");
    expect_nothing("base and offset just not");
    write_msr(MSR_GS_BASE, 0);
    if (strict()) {
        ATTEMPT("movq (%0), %%rax", ::"b"(LOWER_END - 4) : "rax");
        expect_fault("read across the edge", GP, 0);
        ATTEMPT("movl %%eax, (%0)", ::"b"(LOWER_END - 1) : "memory");
        expect_fault("write across the edge", GP, 0);
        ATTEMPT("movq (%0), %%rax", ::"b"(UPPER_START - 1) : "rax");
        expect_fault("read across the lower edge", GP, 0);
        if (amd()) { /* these prefixes do nothing in 64-bit mode */
            ATTEMPT("movq %%ss:(%0), %%rax", ::"b"(LOWER_END) : "rax");
            expect_fault("SS as a prefix", GP, 0);
        }
        if (cpuid(1).edx & 1 << 19) {
            ATTEMPT("clflush (%0)", ::"b"(LOWER_END));
            expect_fault("CLFLUSH", GP, 0);
        }
    }
}

SNIPPET(do_push, "push %rax")
SNIPPET(do_pop, "pop %rax")
SNIPPET(do_call, "call do_call_end")
SNIPPET(do_ret, "ret")
SNIPPET(do_pushf, "pushf")
SNIPPET(do_enter, "enter $16, $0")
SNIPPET(do_leave, "leave")
SNIPPET(by_rbp, "mov (%rbp), %rax")
SNIPPET(by_rsp, "mov (%rsp), %rax")
SNIPPET(by_rbx, "mov (%rbx), %rax")
SNIPPET(by_rbp_ds, "mov %ds:(%rbp), %rax")
SNIPPET(do_lret, "lretq")
SNIPPET(do_iret, "iretq")

/* In ring 3, so that the handler has a stack. */
static void stacks(void) {
    static u8 *const codes[] = {do_push, do_pop,   do_call, do_ret, do_pushf, do_enter,
                                do_leave, by_rbp, by_rsp,  do_lret, do_iret};
    for (u32 i = 0; i < sizeof codes / sizeof *codes && strict(); i++) {
        static const u64 pointers[] = {LOWER_END + 0x1000, UPPER_START - 0x1000, LOWER_END + 4};
        for (int p = 0; p < 2; p++) {
            struct context c = in_ring(3);
            c.ip = (u64) codes[i];
            c.sp = c.bp = pointers[p];
            run(&c);
            ended("stack that is not canonical", &c, SS, 0, codes[i]);
            check("RSP of a stack that is not canonical", c.sp, pointers[p]);
        }
    }
    struct context c = in_ring(3);
    c.ip = (u64) by_rbp_ds;
    c.bp = LOWER_END;
    run(&c);
    if (strict() && amd()) {
        ended("DS as a prefix of RBP", &c, SS, 0, by_rbp_ds);
    }
    c = in_ring(3);
    c.ip = (u64) by_rbx;
    c.bx = LOWER_END;
    run(&c);
    ended("RBX is no stack", &c, GP, 0, by_rbx);
}

/* --- registers and tables --- */

struct pseudo {
    u16 limit;
    u64 base;
} __attribute__((packed));

static void registers(void) {
    static const u32 msrs[] = {MSR_FS_BASE, MSR_GS_BASE, MSR_KERNEL_GS_BASE, MSR_LSTAR, MSR_CSTAR};
    for (u32 i = 0; i < sizeof msrs / sizeof *msrs && strict(); i++) {
        u64 before = read_msr(msrs[i]);
        ATTEMPT("wrmsr", ::"c"(msrs[i]), "a"(0), "d"(0x8000));
        expect_fault("WRMSR of a base", GP, 0);
        ATTEMPT("wrmsr", ::"c"(msrs[i]), "a"(~0), "d"(0xffff7fff));
        expect_fault("WRMSR of a base below the upper half", GP, 0);
        check("base after a WRMSR that faulted", read_msr(msrs[i]), before);
        ATTEMPT("wrmsr", ::"c"(msrs[i]), "a"(0), "d"(0xffff8000));
        expect_nothing("WRMSR of the first address of the upper half");
        check("base after WRMSR", read_msr(msrs[i]), UPPER_START);
        write_msr(msrs[i], before);
    }
    if (!strict()) {
        return;
    }
    struct pseudo p = {0xffff, LOWER_END};
    ATTEMPT("lgdt %0", ::"m"(p));
    expect_fault("LGDT", GP, 0);
    ATTEMPT("lidt %0", ::"m"(p));
    expect_fault("LIDT", GP, 0);
    gdt[FREE_SLOT] = descriptor(0, 0xfff, 0x082);
    gdt[FREE_SLOT + 1] = LOWER_END >> 32;
    ATTEMPT("lldt %w0", ::"r"(SELECTOR(FREE_SLOT)));
    expect_fault("LLDT", GP, SELECTOR(FREE_SLOT));
    gdt[FREE_SLOT] = descriptor(0, 0xfff, 0x089);
    ATTEMPT("ltr %w0", ::"r"(SELECTOR(FREE_SLOT)));
    expect_fault("LTR", GP, SELECTOR(FREE_SLOT));
    check("busy bit of an LTR that faulted", gdt[FREE_SLOT] >> 41 & 1, 0);
    if (cpuid(7).ebx & 1) {
        write_cr4(read_cr4() | 1 << 16);
        ATTEMPT("wrfsbase %0", ::"r"(LOWER_END));
        expect_fault("WRFSBASE", GP, 0);
        ATTEMPT("wrgsbase %0", ::"r"(UPPER_START - 1));
        expect_fault("WRGSBASE", GP, 0);
        write_cr4(read_cr4() & ~(uword) (1 << 16));
    } else {
        skip("WRFSBASE (FSGSBASE)");
    }
}

SNIPPET(do_int, "int $0x90")

static void gates(void) {
    if (!strict()) {
        return;
    }
    struct gate old = idt[0x90];
    idt[0x90].type = 0xee;
    idt[0x90].offset_high = 0x8000;
    struct context c = go(do_int);
    ended("gate's offset", &c, GP, 0, do_int);
    idt[0x90] = old;
    idt[0x90].type = 0xee;
    idt[0x90].ist = 1;
    u64 *stacks = (u64 *) ((u8 *) task_state() + 0x24);
    *stacks = LOWER_END + 64;
    c = go(do_int);
    ended("stack of the IST", &c, SS, 0, do_int);
    *stacks = LOWER_END + 16; /* the pushes begin beyond the edge and end before it */
    c = go(do_int);
    ended("stack of the IST across the edge", &c, SS, 0, do_int);
    idt[0x90] = old;
}

GUEST("canonical") {
    pic_mask(0xffff);
    map(tables, EDGE, edge);
    map(upper, UPPER_START, start);
    map(last, TOP, top);
    branches();
    edges();
    data();
    stacks();
    registers();
    gates();
}
