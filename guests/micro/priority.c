/*
 * What comes first, and what waits: interrupt shadows, NMI, traps and faults at the same instruction, the
 * stages of an instruction (breakpoint, fetch, decoding, operands), and what becomes of a fault while
 * another exception is delivered (APM volume 2, 8.5 and table 8-4; SDM volume 3, 6.8, 6.9, table 6-5).
 */
#include "micro.h"

#define APIC 0xfee00000u
#define COMMAND 0x300
#define END_OF_INTERRUPT 0xb0
#define SPURIOUS 0xf0
#define SELF 0x40000
#define NMI_MODE 0x400
#define MSR_APIC_BASE 0x1b
#define IRQ 0x50

#define IF 0x200
#define TF 0x100
#define DR6_BITS 0xe00f
#define BS 0x4000
#define BD 0x2000

#define PAGE 4096
#define TABLE_BASE 0x10000000u /* 4 MiB mapped by "table" */
#define AT(page, offset) (TABLE_BASE + (page) * PAGE + (offset))
#define MISSING 0x20000000u

static u32 directory[1024] __attribute__((aligned(4096)));
static u32 table[1024] __attribute__((aligned(4096)));
static u8 frames[4][PAGE] __attribute__((aligned(4096)));

static void set_apic(u32 reg, u32 value) {
    *(volatile u32 *) (APIC + reg) = value;
}

static u32 dr6(void) {
    u32 value;
    __asm__ volatile("mov %%dr6, %0" : "=r"(value));
    return value & DR6_BITS;
}

static void clear_dr6(void) {
    __asm__ volatile("mov %0, %%dr6" ::"r"(0));
}

static struct context go(u8 *code, u32 flags) {
    struct context c = in_ring(0);
    c.ip = (u32) code;
    c.flags |= flags;
    clear_dr6();
    run(&c);
    return c;
}

/* --- interrupt shadows; one interrupt waits, IF is 0 --- */

SNIPPET(sti_nops, "sti\n nop\n nop\n nop")
SNIPPET(sti_sti, "sti\n sti\n nop\n nop")
SNIPPET(sti_cli, "sti\n cli\n nop\n nop")
SNIPPET(popf_nops, "push $0x202\n popf\n nop\n nop")
SNIPPET(sti_mov_ss, "mov %ss, %eax\n sti\n mov %eax, %ss\n nop\n nop\n nop")
SNIPPET(sti_pop_ss, "push %ss\n sti\n pop %ss\n nop\n nop\n nop")
SNIPPET(sti_lss, "push %ss\n push %esp\n addl $4, (%esp)\n sti\n lss (%esp), %esp\n nop\n nop\n nop")
SNIPPET(sti_fault, "sti\n ud2\n nop")
SNIPPET(sti_hlt, "sti\n hlt\n nop")
SNIPPET(sti_int, "sti\n int $0x90\n nop")
SNIPPET(sti_ret, "push $1f\n sti\n ret\n nop\n 1: nop")
SNIPPET(handler_90, "nop")

static void waiting(void) {
    set_apic(COMMAND, SELF | IRQ);
}

static struct context interrupted(u8 *code) {
    waiting();
    struct context c = go(code, 0);
    if (c.vector != IRQ) { /* take it away */
        struct context rest = go(popf_nops, 0);
        check("interrupt left", rest.vector, IRQ);
    }
    set_apic(END_OF_INTERRUPT, 0);
    return c;
}

static void shadows(void) {
    struct context c = interrupted(sti_nops);
    ended("interrupt after STI", &c, IRQ, 0, sti_nops + 2);
    c = interrupted(sti_sti);
    ended("a second STI makes no shadow", &c, IRQ, 0, sti_sti + 2);
    c = interrupted(sti_cli);
    finished("STI and CLI let nothing in", &c);
    c = interrupted(popf_nops);
    ended("interrupt after POPF", &c, IRQ, 0, popf_nops + 6);
    c = interrupted(sti_fault);
    ended("fault in the shadow of STI", &c, UD, 0, sti_fault + 1);
    c = interrupted(sti_hlt);
    ended("interrupt after STI and HLT", &c, IRQ, 0, sti_hlt + 2);
    c = interrupted(sti_ret);
    ended("interrupt after STI and RET", &c, IRQ, 0, sti_ret_end - 1);
    if (strict()) { /* TCG ends the shadow of STI with the one of MOV SS */
        c = interrupted(sti_mov_ss);
        ended("interrupt after MOV SS", &c, IRQ, 0, sti_mov_ss_end - 2);
        c = interrupted(sti_pop_ss);
        ended("interrupt after POP SS", &c, IRQ, 0, sti_pop_ss_end - 2);
        c = interrupted(sti_lss);
        check("interrupt after LSS", c.vector, IRQ);
    }
    /* INT in the shadow goes through its gate; the gate clears IF. */
    ((u64 *) idt)[0x90] = gate(KERNEL_CODE, (u32) handler_90, 0x8e, 0);
    c = interrupted(sti_int);
    finished("INT in the shadow of STI", &c);
    ((u64 *) idt)[0x90] = gate(KERNEL_CODE, (u32) handler_90, 0x8f, 0);
    c = interrupted(sti_int);
    if (strict()) {
        ended("INT through a trap gate in the shadow of STI", &c, IRQ, 0, handler_90);
    }
}

/* --- traps --- */

SNIPPET(step, "push $0x102\n popf\n nop\n nop")
SNIPPET(step_mov_ss, "mov %ss, %eax\n push $0x102\n popf\n mov %eax, %ss\n nop\n nop")
SNIPPET(step_int, "push $0x102\n popf\n int $0x90\n nop")
SNIPPET(step_fault, "push $0x102\n popf\n ud2\n nop")
SNIPPET(step_out, "push $2\n push $0x102\n popf\n popf\n nop\n nop")
SNIPPET(step_rep, "mov $3, %ecx\n mov %esp, %edi\n sub $64, %edi\n push $0x102\n popf\n rep stosb\n nop")
SNIPPET(step_then_fault, "push $0x102\n popf\n nop\n ud2")
SNIPPET(step_and_irq, "push $0x302\n push $0x102\n popf\n popf\n nop\n nop")
SNIPPET(db_handler, "nop\n nop")
SNIPPET(icebp, ".byte 0xf1\n nop")
SNIPPET(general_detect, "mov %dr3, %eax\n nop")
SNIPPET(watched_write, "movl $1, (%ebx)\n nop\n nop")
SNIPPET(watched_step, "push $0x102\n popf\n movl $1, (%ebx)\n nop")
SNIPPET(watched_ss, "mov (%ebx), %ss\n nop\n nop")
SNIPPET(watched_then_fault, "movl $1, (%ebx)\n ud2")
SNIPPET(broken, "nop\n nop\n nop")

static void traps(void) {
    struct context c = go(step, 0);
    ended("single step", &c, DB, 0, step_end - 1);
    check("DR6 of a single step", dr6(), BS);
    c = go(step_int, 0);
    finished("INT with TF does not trap in its handler", &c);
    check("TF in a handler", c.flags & TF, 0);
    c = go(step_fault, 0);
    ended("a fault comes before the trap", &c, UD, 0, step_fault_end - 3);
    check("TF in the image of a fault", c.flags & TF, TF);
    c = go(step_out, 0);
    ended("POPF that clears TF still traps", &c, DB, 0, step_out_end - 2);
    c = go(step_rep, 0);
    ended("single step of a repetition", &c, DB, 0, step_rep_end - 3);
    check("one repetition a step", c.cx, 2);
    c = go(step_then_fault, 0);
    ended("a trap comes before the next fault", &c, DB, 0, step_then_fault_end - 2);
    if (strict()) { /* TCG has no shadow for traps */
        c = go(step_mov_ss, 0);
        ended("single step waits for what follows MOV SS", &c, DB, 0, step_mov_ss_end - 1);
        c = go(icebp, 0);
        ended("INT1", &c, DB, 0, icebp + 1);
        check("DR6 of INT1", dr6(), 0);
    }

    if (strict()) { /* TCG has no general detect */
        __asm__ volatile("mov %0, %%dr7" ::"r"(0x2400));
        c = in_ring(0);
        c.ip = (u32) general_detect;
        run(&c);
        ended("general detect", &c, DB, 0, general_detect);
        check("DR6 of general detect", dr6() & BD, BD);
        u32 dr7;
        __asm__ volatile("mov %%dr7, %0" : "=r"(dr7));
        check("DR7.GD after general detect", dr7 & 0x2000, 0);
    }

    /*
     * The second POPF is traced and lets the interrupt in. The trap's handler leaves interrupts on, so
     * that one is taken at its first instruction.
     */
    u64 old = ((u64 *) idt)[DB];
    ((u64 *) idt)[DB] = gate(KERNEL_CODE, (u32) db_handler, 0x8f, 0);
    waiting();
    c = go(step_and_irq, 0);
    if (strict()) { /* TCG takes the interrupt before the trap */
        check("a trap comes before an interrupt", c.ip, (u32) db_handler);
    }
    check("interrupt after a trap", c.vector, IRQ);
    set_apic(END_OF_INTERRUPT, 0);
    ((u64 *) idt)[DB] = old;
}

static struct context watch(u8 *code, u32 flags) {
    static u32 variable;
    variable = KERNEL_DATA;
    __asm__ volatile("mov %0, %%dr0" ::"r"(&variable) : "memory");
    __asm__ volatile("mov %0, %%dr7" ::"r"(0x000f0402) : "memory"); /* four bytes, reads and writes */
    struct context c = in_ring(0);
    c.ip = (u32) code;
    c.flags |= flags;
    c.bx = (u32) &variable;
    clear_dr6();
    run(&c);
    __asm__ volatile("mov %0, %%dr7" ::"r"(0x400));
    return c;
}

static void breakpoints(void) {
    struct context c = watch(watched_write, 0);
    ended("watched write", &c, DB, 0, watched_write_end - 2);
    check("DR6 of a watched write", dr6(), 1);
    c = watch(watched_then_fault, 0);
    ended("a watched write comes before the next fault", &c, DB, 0, watched_then_fault_end - 2);
    if (strict()) { /* TCG has no shadow for traps */
        c = watch(watched_step, 0);
        ended("watched write and single step", &c, DB, 0, watched_step_end - 1);
        check("DR6 of a watched write and single step", dr6(), BS | 1);
        c = watch(watched_ss, 0);
        ended("watched MOV SS waits", &c, DB, 0, watched_ss_end - 1);
        check("DR6 of a watched MOV SS", dr6(), 1);
    }
    /* A breakpoint is a fault before the instruction; RF passes it once. */
    __asm__ volatile("mov %0, %%dr0" ::"r"(broken + 1));
    __asm__ volatile("mov %0, %%dr7" ::"r"(0x402));
    c = go(broken, 0);
    ended("execution breakpoint", &c, DB, 0, broken + 1);
    check("DR6 of an execution breakpoint", dr6(), 1);
    check("RF in the image of an execution breakpoint", c.flags & 0x10000, 0);
    c.flags |= 0x10000;
    run(&c);
    finished("RF passes an execution breakpoint", &c);
    c = go(broken, 0x10000);
    ended("RF lasts for one instruction", &c, DB, 0, broken + 1);
    __asm__ volatile("mov %0, %%dr7" ::"r"(0x400));
}

/* --- stages of an instruction; ring 0 with paging --- */

static void map(u32 page, u32 frame, u32 flags) {
    table[page] = (u32) frames[frame] | flags;
    invlpg(AT(page, 0));
}

static struct context at(u32 address, const char *code, u32 bytes) {
    u8 *to = frames[0] + (address & 0xfff);
    for (u32 i = 0; i < bytes && (address & 0xfff) + i < PAGE; i++) {
        to[i] = (u8) code[i];
    }
    struct context c = in_ring(0);
    c.ip = address;
    c.bx = MISSING;
    clear_dr6();
    run(&c);
    return c;
}

#define RUN_AT(address, code) at(address, code, sizeof code - 1)

static void fetches(void) {
    map(0, 0, 3);
    map(1, 1, 0);
    struct context c = RUN_AT(AT(0, 0xffd), "\x90\x90\xb8");
    ended("instruction whose rest is missing", &c, PF, 0, (void *) AT(0, 0xfff));
    check("CR2 of an instruction whose rest is missing", c.cr2, AT(1, 0));
    c = RUN_AT(AT(0, 0xffe), "\x0f\x0b");
    ended("undefined instruction at the end of a page", &c, UD, 0, (void *) AT(0, 0xffe));
    c = RUN_AT(AT(0, 0xfff), "\x90");
    ended("instruction after the end of a page", &c, PF, 0, (void *) AT(1, 0));
    c = RUN_AT(AT(0, 0xfff - 14),
               "\x2e\x2e\x2e\x2e\x2e\x2e\x2e\x2e\x2e\x2e\x2e\x2e\x2e\x2e\x2e");
    if (strict()) { /* TCG fetches the 16th byte */
        ended("15 prefixes at the end of a page", &c, GP, 0, (void *) AT(0, 0xfff - 14));
    }
    c = RUN_AT(AT(0, 0xfff - 13), "\x2e\x2e\x2e\x2e\x2e\x2e\x2e\x2e\x2e\x2e\x2e\x2e\x2e\x2e");
    ended("14 prefixes at the end of a page", &c, PF, 0, (void *) AT(0, 0xfff - 13));
    check("CR2 of 14 prefixes at the end of a page", c.cr2, AT(1, 0));
    c = RUN_AT(AT(0, 0), "\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x90\xcd\x80");
    finished("instruction of 15 bytes", &c);
    c = RUN_AT(AT(0, 0), "\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x90\xcd\x80");
    ended("instruction of 16 bytes", &c, GP, 0, (void *) AT(0, 0));
    c = RUN_AT(AT(0, 0), "\x2e\x2e\x2e\x2e\x2e\x2e\x2e\x2e\x2e\x8b\x05\x00\x00\x00\x20\xcd\x80");
    ended("operand of an instruction of 15 bytes", &c, PF, 0, (void *) AT(0, 0));
    c = RUN_AT(AT(0, 0), "\x2e\x2e\x2e\x2e\x2e\x2e\x2e\x2e\x2e\x2e\x8b\x05\x00\x00\x00\x20\xcd\x80");
    ended("too long comes before the operand", &c, GP, 0, (void *) AT(0, 0));
    c = RUN_AT(AT(0, 0), "\xf0\x2e\x2e\x2e\x2e\x2e\x2e\x2e\x2e\x2e\x2e\x2e\x2e\x2e\x2e\x2e\x90");
    ended("too long comes before LOCK", &c, GP, 0, (void *) AT(0, 0));
    c = RUN_AT(MISSING, "");
    ended("fetch from a missing page", &c, PF, 0, (void *) MISSING);
    __asm__ volatile("mov %0, %%dr0" ::"r"(MISSING));
    __asm__ volatile("mov %0, %%dr7" ::"r"(0x402));
    c = RUN_AT(MISSING, "");
    __asm__ volatile("mov %0, %%dr7" ::"r"(0x400));
    if (strict()) { /* TCG looks at breakpoints when it has the code */
        ended("a breakpoint comes before the fetch", &c, DB, 0, (void *) MISSING);
    }
}

SNIPPET(x87_load, "flds (%ebx)\n nop")
SNIPPET(x87_load_null, "flds %fs:(%ebx)\n nop")
SNIPPET(x87_lock, ".byte 0xf0\n fld1")
SNIPPET(sse_load, "movups (%ebx), %xmm0\n nop")
SNIPPET(sse_unaligned, "movaps 1(%ebx), %xmm0\n nop")
SNIPPET(mmx_load, "movd (%ebx), %mm0\n nop")
SNIPPET(privileged_lock, ".byte 0xf0\n hlt")
SNIPPET(privileged_operand, "lgdt (%ebx)")
SNIPPET(limit_and_page, "movl %fs:(%ebx), %eax")
SNIPPET(divide_memory, "xor %edx, %edx\n divl (%ebx)")
SNIPPET(bound_memory, "bound %eax, (%ebx)")
SNIPPET(lock_memory, ".byte 0xf0\n movl %eax, (%ebx)")
SNIPPET(write_segment, "movl %eax, %cs:(%ebx)")
SNIPPET(call_memory, "call *(%ebx)")
SNIPPET(push_memory, "mov %ebx, %esp\n push (%ebx)")
SNIPPET(wait, "fwait")

SNIPPET(to_cr1, ".byte 0x0f, 0x22, 0xc8")
SNIPPET(from_cr5, ".byte 0x0f, 0x20, 0xe8")
SNIPPET(from_cr7, ".byte 0x0f, 0x20, 0xf8")
SNIPPET(from_dr4, "mov %db4, %eax")

static u8 *const no_register[] = {to_cr1, from_cr5, from_cr7};

static struct context stage(u8 *code, int cpl) {
    struct context c = in_ring(cpl);
    c.ip = (u32) code;
    c.bx = MISSING;
    run(&c);
    return c;
}

static void operands(void) {
    uword cr0 = (read_cr0() & ~(uword) (CR0_EM | CR0_TS)) | CR0_MP | CR0_NE;
    uword cr4 = read_cr4() & ~(uword) CR4_OSFXSR;
    write_cr0(cr0 | CR0_TS);
    write_cr4(cr4 | CR4_OSFXSR);
    struct context c = stage(x87_load, 0);
    ended("#NM comes before the operand", &c, NM, 0, x87_load);
    if (strict()) { /* TCG has no null segments here */
        c = stage(x87_load_null, 0);
        ended("#NM comes before the segment", &c, NM, 0, x87_load_null);
    }
    if (strict()) { /* TCG has no LOCK here */
        c = stage(x87_lock, 0);
        ended("LOCK comes before #NM", &c, UD, 0, x87_lock);
        c = stage(privileged_lock, 3);
        ended("LOCK comes before privilege", &c, UD, 0, privileged_lock);
        c = stage(lock_memory, 0);
        ended("LOCK comes before the operand", &c, UD, 0, lock_memory);
    }
    c = stage(mmx_load, 0);
    ended("#NM of MMX", &c, NM, 0, mmx_load);
    if (cpuid(1).edx >> 25 & 1) {
        c = stage(sse_load, 0);
        ended("#NM of SSE", &c, NM, 0, sse_load);
        write_cr4(cr4);
        c = stage(sse_load, 0);
        ended("#UD without OSFXSR comes before #NM", &c, UD, 0, sse_load);
        write_cr4(cr4 | CR4_OSFXSR);
        write_cr0(cr0 | CR0_EM | CR0_TS);
        c = stage(sse_load, 0);
        if (strict()) {
            ended("#UD with EM comes before #NM", &c, UD, 0, sse_load);
        }
    }
    write_cr0(cr0 | CR0_EM | CR0_TS);
    c = stage(mmx_load, 0);
    if (strict()) {
        ended("#UD of MMX with EM comes before #NM", &c, UD, 0, mmx_load);
    }
    c = stage(x87_load, 0);
    ended("#NM of x87 with EM", &c, NM, 0, x87_load);
    write_cr0(cr0);

    static const u16 unmask_zero_divide = 0x037b;
    __asm__ volatile("fninit; fldcw %0; fld1; fldz; fdivrp" ::"m"(unmask_zero_divide));
    if (strict()) { /* TCG looks for it in FWAIT only */
        c = stage(x87_load, 0);
        ended("#MF comes before the operand", &c, MF, 0, x87_load);
        c = stage(mmx_load, 0);
        ended("#MF of MMX comes before the operand", &c, MF, 0, mmx_load);
    }
    write_cr0(cr0 | CR0_TS);
    c = stage(wait, 0);
    ended("#NM comes before #MF", &c, NM, 0, wait);
    write_cr0(cr0);
    __asm__ volatile("fninit");

    if (strict()) { /* TCG looks at the privilege first */
        for (u32 i = 0; i < sizeof no_register / sizeof *no_register; i++) {
            c = stage(no_register[i], 3);
            ended("a register that is not there comes before privilege", &c, UD, 0, no_register[i]);
        }
        write_cr4(read_cr4() | 8); /* DE */
        c = stage(from_dr4, 3);
        ended("DR4 with CR4.DE comes before privilege", &c, UD, 0, from_dr4);
        write_cr4(read_cr4() & ~8u);
    }
    c = stage(privileged_operand, 3);
    ended("privilege comes before the operand", &c, GP, 0, privileged_operand);
    c = stage(divide_memory, 0);
    ended("the operand comes before #DE", &c, PF, 0, divide_memory + 2);
    c = stage(bound_memory, 0);
    ended("the operand comes before #BR", &c, PF, 0, bound_memory);
    c = stage(call_memory, 0);
    ended("the target comes before the stack", &c, PF, 0, call_memory);
    if (strict()) {
        c = stage(limit_and_page, 0);
        ended("the segment comes before the page", &c, GP, 0, limit_and_page);
        c = stage(write_segment, 0);
        ended("the segment's type comes before the page", &c, GP, 0, write_segment);
        if (cpuid(1).edx >> 25 & 1) {
            c = stage(sse_unaligned, 0);
            ended("alignment comes before the page", &c, GP, 0, sse_unaligned);
        }
    }
}

/* --- a fault while another is delivered --- */

enum { GOOD, ABSENT, UNMAPPED }; /* gates: as they are, not present, to a selector in a missing page */

SNIPPET(cause_de, "xor %ecx, %ecx\n div %ecx")
SNIPPET(cause_ud, "ud2")
SNIPPET(cause_bp, "int3")
SNIPPET(cause_of, "mov $0x7f, %al\n inc %al\n into")
SNIPPET(cause_br, "push $0\n push $0\n mov $9, %eax\n bound %eax, (%esp)")
SNIPPET(cause_nm, "fld1")
SNIPPET(cause_np, "mov $0x60, %eax\n mov %eax, %fs")
SNIPPET(cause_ss, "mov $0x60, %eax\n mov %eax, %ss")
SNIPPET(cause_gp, "mov $0x1000, %eax\n mov %eax, %fs")
SNIPPET(cause_pf, "mov 0x20000000, %eax")
SNIPPET(cause_ts, "push $0x4002\n popf\n iret")
SNIPPET(cause_db, "push $0x102\n popf\n nop\n nop")

static const struct {
    const char *name;
    u8 *code;
    u32 vector;
    u8 contributory, trap;
} causes[] = {
    {"#DE", cause_de, DE, 1, 0}, {"#UD", cause_ud, UD, 0, 0}, {"#BP", cause_bp, BP, 0, 1},
    {"#OF", cause_of, OF, 0, 1}, {"#BR", cause_br, BR, 0, 0}, {"#NM", cause_nm, NM, 0, 0},
    {"#NP", cause_np, NP, 1, 0}, {"#SS", cause_ss, SS, 1, 0}, {"#GP", cause_gp, GP, 1, 0},
    {"#TS", cause_ts, TS, 1, 0}, {"#PF", cause_pf, PF, 2, 0}, {"#DB", cause_db, DB, 0, 0},
};

static void break_gate(u32 vector, int how) {
    u64 *gates = (u64 *) idt;
    if (how == ABSENT) {
        gates[vector] &= ~(0x80ULL << 40);
    } else if (how == UNMAPPED) {
        gates[vector] = (gates[vector] & ~0xffff0000ULL) | 0xc << 16;
    }
}

static void expect(const char *what, u32 i, const struct context *c, u32 vector, u32 error) {
    u32 got = strict() ? c->error : c->error | (error & 1); /* TCG leaves EXT out */
    if (c->vector != vector || got != error) {
        print("after ");
        print(causes[i].name);
        print("\n");
    }
    check(what, c->vector, vector);
    check(what, got, error);
}

static void double_faults(void) {
    u64 *gates = (u64 *) idt;
    gdt[12] = descriptor(0, 0xfffff, 0xc13); /* 0x60: not present */
    gdt[13] = descriptor(MISSING, 0xff, 0x082);
    __asm__ volatile("lldt %w0" ::"r"(SELECTOR(13)));
    write_cr0((read_cr0() & ~(uword) CR0_EM) | CR0_TS);
    for (u32 i = 0; i < sizeof causes / sizeof *causes; i++) {
        u32 vector = causes[i].vector;
        u64 old = gates[vector];
        int software = vector == BP || vector == OF;
        u32 ext = software ? 0 : 1;
        int contributory = causes[i].contributory;
        break_gate(vector, ABSENT);
        struct context c = go(causes[i].code, 0);
        gates[vector] = old;
        /* A missing gate for #NP has itself to thank. */
        int twice = contributory != 0;
        expect("missing gate", i, &c, twice ? DF : NP, twice ? 0 : vector * 8 + 2 + ext);

        break_gate(vector, UNMAPPED);
        c = go(causes[i].code, 0);
        gates[vector] = old;
        twice = contributory == 2;
        expect("gate whose segment is not mapped", i, &c, twice ? DF : PF, 0);
        if (!twice) {
            check("CR2 of a gate whose segment is not mapped", c.cr2, MISSING + 8);
        }
    }
    /* A page fault that comes between: #DE, then #PF, then its gate. */
    u64 old_de = gates[DE], old_pf = gates[PF];
    break_gate(DE, UNMAPPED);
    break_gate(PF, ABSENT);
    struct context c = go(cause_de, 0);
    gates[DE] = old_de;
    gates[PF] = old_pf;
    check("#DE, #PF, #NP", c.vector, DF);
    /* A benign exception with a missing gate whose #NP has a missing gate too. */
    u64 old_ud = gates[UD], old_np = gates[NP];
    break_gate(UD, ABSENT);
    break_gate(NP, ABSENT);
    c = go(cause_ud, 0);
    gates[UD] = old_ud;
    gates[NP] = old_np;
    check("#UD, #NP, #NP", c.vector, DF);
    break_gate(UD, ABSENT);
    break_gate(NP, UNMAPPED);
    c = go(cause_ud, 0);
    gates[UD] = old_ud;
    gates[NP] = old_np;
    check("#UD, #NP, #PF", c.vector, PF);
    /* An interrupt is benign. */
    u64 old = gates[IRQ];
    break_gate(IRQ, ABSENT);
    waiting();
    c = go(popf_nops, 0);
    gates[IRQ] = old;
    set_apic(END_OF_INTERRUPT, 0);
    check("interrupt with a missing gate", c.vector, NP);
    if (strict()) {
        check("error code of an interrupt with a missing gate", c.error, IRQ * 8 + 3);
    }
    __asm__ volatile("lldt %w0" ::"r"(0));
    write_cr0(read_cr0() & ~(uword) CR0_TS);
}

/* --- non-maskable interrupts --- */

SNIPPET(two_nmis, "movl $0, nmis\n movl $0, nmi_depth\n movl $0, nmi_nested\n movl $0x40400, 0xfee00300\n"
                  "mov $1000, %ecx\n 1: loop 1b")
__asm__(".text\n"
        "nmi_handler: push %ecx\n incl nmis\n incl nmi_depth\n"
        "cmpl $2, nmi_depth\n jne 1f\n incl nmi_nested\n"
        "1: cmpl $1, nmis\n jne 3f\n"
        "movl $0x40400, 0xfee00300\n" /* another one, which waits for IRET */
        "mov $1000, %ecx\n 2: loop 2b\n"
        "3: decl nmi_depth\n pop %ecx\n iret\n"
        "nmi_fault: incl nmis\n cmpl $1, nmis\n jne 4f\n"
        "movl $0x40400, 0xfee00300\n"
        "mov $1000, %ecx\n 5: loop 5b\n"
        "push $2\n push $0x1000\n push $0\n" /* no such code segment */
        ".globl faulting_iret\n faulting_iret: iret\n"
        "4: mov $77, %ebx\n int $0x80\n"
        ".bss\n nmis: .skip 4\n nmi_depth: .skip 4\n nmi_nested: .skip 4\n .text\n");
extern u8 nmi_handler[], nmi_fault[], faulting_iret[];
extern volatile u32 nmis, nmi_nested;

SNIPPET(gp_wait, "mov $1000, %ecx\n 1: loop 1b")

static void non_maskable(void) {
    u64 *gates = (u64 *) idt;
    u64 old = gates[NMI], old_gp = gates[GP];
    gates[NMI] = gate(KERNEL_CODE, (u32) nmi_handler, 0x8e, 0);
    struct context c = go(two_nmis, 0);
    finished("non-maskable interrupts", &c);
    check("the second one is taken after IRET", nmis, 2);
    check("the second one waits for IRET", nmi_nested, 0);
    if (strict()) {
        /* IRET lets them in even if it faults (SDM volume 3, 6.7.1). */
        gates[NMI] = gate(KERNEL_CODE, (u32) nmi_fault, 0x8e, 0);
        gates[GP] = gate(KERNEL_CODE, (u32) gp_wait, 0x8e, 0);
        c = go(two_nmis, 0);
        finished("IRET that faults in an NMI's handler", &c);
        check("a faulting IRET lets the next one in", c.bx, 77);
        gates[GP] = old_gp;
    }
    /* Leave the core without one in progress. */
    gates[NMI] = gate(KERNEL_CODE, (u32) nmi_handler, 0x8e, 0);
    go(popf_nops, 0);
    gates[NMI] = old;
}

GUEST("priority") {
    pic_mask(0xffff);
    for (u32 i = 0; i < 16; i++) {
        directory[i] = i << 22 | 0x83 | 4;
    }
    directory[TABLE_BASE >> 22] = (u32) table | 7;
    directory[APIC >> 22] = (APIC & 0xffc00000) | 0x9b; /* not cached */
    write_cr4(read_cr4() | CR4_PSE);
    write_cr3((u32) directory);
    write_cr0(read_cr0() | CR0_PG | CR0_WP);
    if (!(cpuid(1).edx & 1 << 9) || *(volatile u32 *) (APIC + 0x30) == ~0u) {
        skip("interrupts (APIC)");
    } else {
        set_apic(SPURIOUS, 0x1ff);
        shadows();
        non_maskable();
    }
    traps();
    breakpoints();
    fetches();
    operands();
    double_faults();
}
