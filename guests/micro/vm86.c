/*
 * Virtual-8086 mode: what it refuses, interrupts and IRET through the monitor, the I/O permission bitmap,
 * and the virtual-mode extensions where CPUID announces them (APM volume 2, 2.3.4 [the mode], 8.9, 8.10,
 * 12.2.4; SDM volume 3, 20.2 and 20.3).
 */
#include "micro.h"

#define VM 0x20000
#define IF 0x200
#define IOPL(n) ((n) << 12)
#define VIF 0x80000
#define VIP 0x100000
#define TF 0x100
#define NT 0x4000
#define CR4_VME 1
#define CR4_PVI 2
#define VECTOR 0x90

#define LOW 0x6000 /* where code of virtual-8086 mode is put */
#define LOW_SEGMENT (LOW >> 4)
#define STACK_SEGMENT 0x500

/* 8086 code; copied to LOW. It ends with INT3, which IOPL has no part in. */
#define CODE86(name, text)            \
    extern u8 name[], name##_end[];   \
    __asm__(".text\n.code16\n" #name ": " text "\n" #name "_end: int3\n nop\n .code32\n");

static struct {
    u8 tss[0x68];
    u8 map[0x2001]; /* and a byte of ones */
    u8 beyond[64];
} __attribute__((packed)) state __attribute__((aligned(16)));

#define REDIRECTION_BYTES 32

static void load_task(u32 limit) {
    gdt[FREE_SLOT] = descriptor((u32) &state, limit, 0x089);
    __asm__ volatile("ltr %w0" ::"r"(SELECTOR(FREE_SLOT)));
}

static struct context v86(u8 *code, u32 flags) {
    struct context c;
    memset(&c, 0, sizeof c);
    memcpy((void *) LOW, code, 64);
    c.ip = 0;
    c.cs = LOW_SEGMENT;
    c.ss = STACK_SEGMENT;
    c.sp = 0x800;
    c.ds = 0x1111;
    c.es = 0x2222;
    c.fs = 0x3333;
    c.gs = 0x4444;
    c.flags = VM | 2 | flags;
    return c;
}

static struct context run86(u8 *code, u32 flags) {
    struct context c = v86(code, flags);
    run(&c);
    return c;
}

static void fine(const char *what, const struct context *c, const u8 *code, const u8 *end) {
    check(what, c->vector, BP);
    check(what, c->ip, (u32) (end - code) + 1);
}

static void refuses(const char *what, u8 *code, u32 flags, u32 vector) {
    struct context c = run86(code, flags);
    ended(what, &c, vector, 0, 0);
    check("mode after a fault in virtual-8086 mode", c.flags & VM, VM);
}

CODE86(do_cli, "cli")
CODE86(do_sti, "sti")
CODE86(do_pushf, "pushf")
CODE86(do_pushfl, "pushfl")
CODE86(do_popf, "popf")
CODE86(do_popfl, "popfl")
CODE86(do_iret, "iret")
CODE86(do_iretl, "iretl")
CODE86(do_int, "int $0x90")
CODE86(do_hlt, "hlt")
CODE86(do_cr, "mov %cr0, %eax")
CODE86(do_to_cr, "mov %eax, %cr0")
CODE86(do_dr, "mov %dr7, %eax")
CODE86(do_lgdt, "lgdt 0")
CODE86(do_lidt, "lidt 0")
CODE86(do_lmsw, "lmsw %ax")
CODE86(do_clts, "clts")
CODE86(do_invd, "invd")
CODE86(do_wbinvd, "wbinvd")
CODE86(do_invlpg, "invlpg (0)")
CODE86(do_rdmsr, "rdmsr")
CODE86(do_wrmsr, "wrmsr")
CODE86(do_lldt, "lldt %ax")
CODE86(do_ltr, "ltr %ax")
CODE86(do_sldt, "sldt %ax")
CODE86(do_str, "str %ax")
CODE86(do_lar, "lar %ax, %ax")
CODE86(do_lsl, "lsl %ax, %ax")
CODE86(do_verr, "verr %ax")
CODE86(do_verw, "verw %ax")
CODE86(do_arpl, ".byte 0x63, 0xc0")
CODE86(do_ud2, "ud2")
CODE86(do_sysexit, "sysexit")
CODE86(do_smsw, "smsw %ax")
CODE86(do_sgdt, "mov $0x600, %bx\n mov %bx, %ds\n sgdt 0x100")
CODE86(do_nothing, "")
CODE86(do_cpuid, "xor %eax, %eax\n cpuid")

static void refusals(void) {
    static u8 *const sensitive[] = {do_cli, do_sti, do_pushf, do_pushfl, do_popf, do_popfl,
                                    do_iret, do_iretl, do_int};
    for (u32 iopl = 0; iopl < 3; iopl++) {
        for (u32 i = 0; i < sizeof sensitive / sizeof *sensitive; i++) {
            refuses("instruction that IOPL governs", sensitive[i], IOPL(iopl), GP);
        }
    }
    static u8 *const privileged[] = {do_hlt, do_cr, do_to_cr, do_dr, do_lgdt, do_lidt, do_lmsw,
                                     do_clts, do_invd, do_wbinvd, do_invlpg, do_rdmsr, do_wrmsr};
    static u8 *const undefined[] = {do_lldt, do_ltr, do_sldt, do_str, do_lar, do_lsl, do_verr,
                                    do_verw, do_arpl, do_ud2};
    for (u32 iopl = 0; iopl < 4; iopl += 3) {
        for (u32 i = 0; i < sizeof privileged / sizeof *privileged; i++) {
            refuses("privileged instruction", privileged[i], IOPL(iopl), GP);
        }
        for (u32 i = 0; i < sizeof undefined / sizeof *undefined; i++) {
            refuses("instruction of protected mode", undefined[i], IOPL(iopl), UD);
        }
    }
    if (cpuid(1).edx & 1 << 11) {
        refuses("SYSEXIT", do_sysexit, IOPL(3), GP);
    }
    struct context c = run86(do_smsw, 0);
    fine("SMSW", &c, do_smsw, do_smsw_end);
    c = run86(do_sgdt, 0);
    fine("SGDT", &c, do_sgdt, do_sgdt_end);
    c = run86(do_cpuid, 0);
    fine("CPUID", &c, do_cpuid, do_cpuid_end);
}

CODE86(flags_to_ax, "pushf\n pop %ax")
CODE86(flags_to_eax, "pushfl\n pop %eax")
CODE86(flags_from_ax, "push %ax\n popf")
CODE86(flags_from_eax, "push %eax\n popfl")
CODE86(return_far, "push %ax\n push %cs\n push $1f - return_far\n iret\n 1:")
CODE86(return_long, "pushl %eax\n pushl $0x600\n pushl $1f - return_long\n iretl\n 1:")

static void at_iopl3(void) {
    u32 iopl3 = IOPL(3);
    struct context c = run86(do_cli, iopl3 | IF);
    fine("CLI at IOPL 3", &c, do_cli, do_cli_end);
    check("IF after CLI at IOPL 3", c.flags & IF, 0);
    c = run86(do_sti, iopl3);
    fine("STI at IOPL 3", &c, do_sti, do_sti_end);
    check("IF after STI at IOPL 3", c.flags & IF, IF);
    c = run86(flags_to_ax, iopl3 | 0x8d5);
    fine("PUSHF at IOPL 3", &c, flags_to_ax, flags_to_ax_end);
    check("what PUSHF pushes", c.ax, 0x38d7);
    c = run86(flags_to_eax, iopl3 | 0x8d5);
    check("what PUSHFD pushes, without VM", c.ax, 0x38d7);
    static u8 *const writers[] = {flags_from_ax, flags_from_eax, return_far, return_long};
    static u8 *const ends[] = {flags_from_ax_end, flags_from_eax_end, return_far_end,
                               return_long_end};
    for (int i = 0; i < 4; i++) {
        c = v86(writers[i], iopl3);
        c.ax = 0x40ad7; /* IOPL 0, no VM, AC */
        run(&c);
        fine("POPF and IRET at IOPL 3", &c, writers[i], ends[i]);
        check("flags from POPF and IRET at IOPL 3", c.flags & ~0x10000u,
              VM | 0x3ad7 | (i & 1 ? 0x40000 : 0));
    }
}

/* --- segments --- */

CODE86(load_segments, "mov $0x600, %ax\n mov %ax, %ds\n movl 0x40, %ebx\n mov $0xffff, %ax\n"
                      "mov %ax, %es\n movb %es:0x10, %cl\n"
                      "jmp 1f\n .org load_segments + 0x40, 0\n .long 0x12345678\n 1:")
CODE86(far_call, "lcall $0x601, $0x10\n hlt\n .org far_call + 0x20, 0\n"
                 "mov %cs, %bx\n pop %cx\n pop %dx")
CODE86(beyond, "addr32 movb %ds:(%ebx), %al")
CODE86(beyond_stack, "addr32 movb %ss:(%ebx), %al")
CODE86(wrapping, "movw %ds:0xffff, %ax")
CODE86(by_bp, "mov $0xffff, %bp\n movw (%bp), %ax")
CODE86(write_code, "movb $0x77, %cs:0x80\n movb %cs:0x80, %al")

static void segments(void) {
    *(volatile u32 *) (LOW + 0x40) = 0;
    struct context c = v86(load_segments, 0);
    memcpy((void *) LOW, load_segments, 128);
    run(&c);
    check("loads of segments", c.vector, BP);
    check("read through a new DS", c.bx, 0x12345678);
    check("ES", c.es, 0xffff);
    check("FS that was loaded by IRET", c.fs, 0x3333);
    c = v86(far_call, 0);
    run(&c);
    check("far call", c.vector, BP);
    check("CS after a far call", c.cs, 0x601);
    check("return address of a far call", c.cx | c.dx << 16, LOW_SEGMENT << 16 | 5);
    c = run86(write_code, 0);
    check("the code segment can be written", c.ax & 0xff, 0x77);
    if (strict()) {
        c = v86(beyond, 0);
        c.bx = 0x10000;
        run(&c);
        ended("beyond 64 KiB", &c, GP, 0, 0);
        c = v86(beyond_stack, 0);
        c.bx = 0x10000;
        run(&c);
        ended("stack beyond 64 KiB", &c, SS, 0, 0);
        c = run86(wrapping, 0);
        ended("word at 0xffff", &c, GP, 0, 0);
        c = run86(by_bp, 0);
        ended("stack word at 0xffff", &c, SS, 0, (void *) 3);
    }
}

/* --- interrupts --- */

SNIPPET(handler, "mov %ds, %eax\n mov %gs, %ebx")
CODE86(divide, "xor %cx, %cx\n div %cx")
CODE86(do_into, "mov $0x7f, %al\n inc %al\n into")

static void check_words(const char *what, u32 at, const u32 *want, int count) {
    for (int i = 0; i < count; i++) {
        check(what, ((u32 *) at)[i], want[i]);
    }
}

static void interrupts(void) {
    u32 top = ((u32 *) task_state())[1];
    ((u64 *) idt)[VECTOR] = gate(KERNEL_CODE, (u32) handler, 0xee, 0);
    u32 flags = VM | IOPL(3) | IF | 2;
    struct context c = run86(do_int, flags);
    finished("INT at IOPL 3", &c);
    check("ESP of the monitor", c.sp, top - 36);
    check("CS of the monitor", c.cs, KERNEL_CODE);
    check("DS of the monitor", c.ax, 0);
    check("GS of the monitor", c.bx, 0);
    check("flags of the monitor", c.flags & (VM | IF | NT | TF), 0);
    u32 want[] = {2, LOW_SEGMENT, flags, 0x800, STACK_SEGMENT, 0x2222, 0x1111, 0x3333, 0x4444};
    check_words("stack of the monitor", top - 36, want, 9);
    ((u64 *) idt)[VECTOR] = gate(KERNEL_CODE, (u32) handler, 0x8e, 0);
    c = run86(do_int, flags);
    ended("INT whose gate has DPL 0", &c, GP, VECTOR * 8 + 2, 0);
    ((u64 *) idt)[VECTOR] = gate(USER_CODE, (u32) handler, 0xee, 0);
    if (strict()) {
        c = run86(do_int, flags);
        ended("INT to a monitor of ring 3", &c, GP, USER_CODE & ~3u, 0);
    }
    gdt[FREE_SLOT + 1] = descriptor(0, 0xfffff, 0xc9f);
    ((u64 *) idt)[VECTOR] = gate(SELECTOR(FREE_SLOT + 1), (u32) handler, 0xee, 0);
    if (strict()) {
        c = run86(do_int, flags);
        ended("INT to conforming code", &c, GP, SELECTOR(FREE_SLOT + 1), 0);
    }
    gdt[FREE_SLOT + 1] = descriptor((u32) handler, 0xffff, 0x49b);
    ((u64 *) idt)[VECTOR] = gate(SELECTOR(FREE_SLOT + 1), 0, 0xe6, 0);
    c = run86(do_int, flags);
    finished("INT through a 16-bit gate", &c);
    check("ESP of the monitor behind a 16-bit gate", c.sp, top - 18);
    static const u16 halves[] = {2, LOW_SEGMENT, 0x3202, 0x800, STACK_SEGMENT, 0x2222, 0x1111,
                                 0x3333, 0x4444};
    check("stack of the monitor behind a 16-bit gate",
          memcmp((void *) (top - 18), halves, sizeof halves), 0);

    c = run86(divide, 0);
    ended("#DE in virtual-8086 mode", &c, DE, 0, (void *) 2);
    c = run86(do_into, 0);
    ended("INTO at IOPL 0", &c, OF, 0, (void *) (do_into_end - do_into));
    c = run86(do_int, TF | IOPL(0));
    ended("single step of an INT that faults", &c, GP, 0, 0);
    idt[BP].type = 0x8e;
    c = run86(do_nothing, 0);
    idt[BP].type = 0xee;
    ended("INT3 whose gate has DPL 0", &c, GP, BP * 8 + 2, 0);
}

/* --- the I/O permission bitmap --- */

CODE86(in_byte, "in %dx, %al")
CODE86(in_word, "in %dx, %ax")
CODE86(in_long, "in %dx, %eax")
CODE86(in_string, "mov $0x600, %ax\n mov %ax, %es\n mov $0x100, %di\n insw")
SNIPPET(flat_in_byte, "in %dx, %al")
SNIPPET(flat_in_word, "in %dx, %ax")
SNIPPET(flat_in_long, "in %dx, %eax")

static void port(const char *what, u8 *code86, u8 *code32, u32 number, int allowed) {
    struct context c = v86(code86, IOPL(3)); /* counts for nothing here */
    c.dx = number;
    run(&c);
    check(what, c.vector, allowed ? BP : GP);
    check(what, c.error, 0);
    c = in_ring(3);
    c.dx = number;
    c.ip = (u32) code32;
    run(&c);
    check(what, c.vector, allowed ? END_OF_RUN : GP);
    c = in_ring(3);
    c.dx = number;
    c.ip = (u32) code32;
    c.flags |= IOPL(3);
    run(&c);
    finished("ring 3 at IOPL 3 needs no bitmap", &c);
}

static void bitmap(void) {
    memset(&state, 0, sizeof state);
    memcpy(&state, task_state(), 0x66);
    *(u16 *) &state.tss[0x66] = sizeof state.tss;
    memset(state.map, 0xff, sizeof state.map);
    load_task(sizeof state.tss + sizeof state.map - 1);
    state.map[0x80 / 8] = 0xf0;  /* ports 0x80 to 0x83 */
    state.map[0xe0 / 8] = 0x0f;  /* 0xe4 to 0xe7 */
    state.map[0xe8 / 8] = 0xfe;  /* and 0xe8 */
    port("port allowed", in_byte, flat_in_byte, 0x80, 1);
    port("last port allowed", in_byte, flat_in_byte, 0x83, 1);
    port("port refused", in_byte, flat_in_byte, 0x84, 0);
    port("word allowed", in_word, flat_in_word, 0x82, 1);
    port("word of which the second byte is refused", in_word, flat_in_word, 0x83, 0);
    port("doubleword allowed", in_long, flat_in_long, 0x80, 1);
    port("doubleword of which the last byte is refused", in_long, flat_in_long, 0x81, 0);
    port("word across bytes of the bitmap", in_word, flat_in_word, 0xe7, 1);
    port("doubleword across bytes of the bitmap", in_long, flat_in_long, 0xe5, 1);
    port("doubleword across bytes, refused in the second", in_long, flat_in_long, 0xe6, 0);
    state.map[0xe8 / 8] = 0xff;
    port("word across bytes, refused in the second", in_word, flat_in_word, 0xe7, 0);
    port("byte at the end of a byte", in_byte, flat_in_byte, 0xe7, 1);

    struct context c = v86(in_string, 0);
    c.dx = 0x82;
    run(&c);
    fine("INS allowed", &c, in_string, in_string_end);
    c = v86(in_string, 0);
    c.dx = 0x83;
    run(&c);
    check("INS refused", c.vector, GP);

    /* Two bytes are always read: the second one has to be within the limit. */
    state.map[0x80 / 8] = 0;
    load_task(sizeof state.tss + 0x80 / 8 + 1);
    port("bitmap that ends behind the next byte", in_byte, flat_in_byte, 0x80, 1);
    load_task(sizeof state.tss + 0x80 / 8);
    port("bitmap that ends with the byte", in_byte, flat_in_byte, 0x80, 0);
    load_task(sizeof state.tss + 0x80 / 8 - 1);
    port("bitmap that ends before the byte", in_byte, flat_in_byte, 0x80, 0);
    load_task(sizeof state.tss - 1);
    port("bitmap at the limit", in_byte, flat_in_byte, 0, 0);
    load_task(0x65);
    port("no room for the bitmap's address", in_byte, flat_in_byte, 0x80, 0);
    load_task(sizeof state.tss + sizeof state.map - 1);
    *(u16 *) &state.tss[0x66] = 0xffff;
    port("bitmap far beyond the limit", in_byte, flat_in_byte, 0x80, 0);
    *(u16 *) &state.tss[0x66] = 0x40; /* within the TSS itself: nothing forbids it */
    state.tss[0x40 + 0x80 / 8] = 0;
    port("bitmap within the fixed part", in_byte, flat_in_byte, 0x80, 1);
    *(u16 *) &state.tss[0x66] = sizeof state.tss;

    u16 small = SELECTOR(FREE_SLOT + 1);
    gdt[FREE_SLOT + 1] = descriptor((u32) &state, sizeof state.tss + sizeof state.map - 1, 0x081);
    *(u16 *) &state.tss[2] = (u16) 0x5000; /* the 16-bit form of SS0:SP0 */
    *(u16 *) &state.tss[4] = KERNEL_DATA;
    __asm__ volatile("ltr %0" ::"r"(small));
    c = in_ring(3);
    c.dx = 0x80;
    c.ip = (u32) flat_in_byte;
    run(&c);
    check("a 16-bit task has no bitmap", c.vector, GP);
}

/* --- the virtual-mode extensions --- */

CODE86(extended_iret, "push %ax\n push %cs\n push $1f - extended_iret\n iret\n 1:")
CODE86(redirected, "int $0x21\n nop\n .org redirected + 0x20, 0x90\n pop %ax\n pop %bx\n pop %cx")
SNIPPET(flat_cli, "cli")
SNIPPET(flat_sti, "sti")
SNIPPET(flat_flags, "pushf\n pop %eax")

static void expect_flags(const char *what, const struct context *c, u32 mask, u32 want) {
    check(what, c->flags & mask, want);
}

static void extensions(void) {
    if (!(cpuid(1).edx & 2)) {
        skip("virtual-mode extensions (VME)");
        return;
    }
    memset(&state, 0, sizeof state);
    memcpy(&state, task_state(), 0x66);
    *(u16 *) &state.tss[0x66] = sizeof state.tss + REDIRECTION_BYTES;
    memset(state.map, 0xff, sizeof state.map);
    load_task(sizeof state.tss + sizeof state.map - 1);
    write_cr4(read_cr4() | CR4_VME);
    struct context c = run86(do_cli, VIF | IF);
    fine("CLI with VME", &c, do_cli, do_cli_end);
    expect_flags("CLI with VME clears VIF only", &c, VIF | IF, IF);
    c = run86(do_sti, 0);
    fine("STI with VME", &c, do_sti, do_sti_end);
    expect_flags("STI with VME sets VIF only", &c, VIF | IF, VIF);
    c = run86(do_sti, VIP);
    ended("STI with VME and VIP", &c, GP, 0, 0);
    c = run86(flags_to_ax, VIF);
    check("PUSHF with VME and VIF", c.ax, 0x3202);
    c = run86(flags_to_ax, IF);
    check("PUSHF with VME without VIF", c.ax, 0x3002);
    refuses("PUSHFD with VME", do_pushfl, 0, GP);
    refuses("POPFD with VME", do_popfl, 0, GP);
    refuses("IRETD with VME", do_iretl, 0, GP);
    c = v86(flags_from_ax, 0);
    c.ax = IF | 0x8d7;
    run(&c);
    fine("POPF with VME", &c, flags_from_ax, flags_from_ax_end);
    expect_flags("flags from POPF with VME", &c, 0xc3fd7, VIF | 0x8d7);
    c = v86(flags_from_ax, VIF | IF);
    run(&c);
    expect_flags("POPF with VME clears VIF", &c, VIF | IF, IF);
    c = v86(flags_from_ax, VIP);
    c.ax = IF;
    run(&c);
    ended("POPF with VME of IF while VIP", &c, GP, 0, (void *) 1);
    c = v86(flags_from_ax, 0);
    c.ax = TF;
    run(&c);
    ended("POPF with VME of TF", &c, GP, 0, (void *) 1);
    c = v86(extended_iret, 0);
    c.ax = IF | 0x8d7;
    run(&c);
    fine("IRET with VME", &c, extended_iret, extended_iret_end);
    expect_flags("flags from IRET with VME", &c, 0xc3fd7, VIF | 0x8d7);
    c = v86(extended_iret, VIP);
    c.ax = IF;
    run(&c);
    check("IRET with VME of IF while VIP", c.vector, GP);

    /* INT through the table at 0, if the bit in front of the I/O bitmap is 0. */
    u32 old;
    __asm__ volatile("movl 0x84, %0\n movl %1, 0x84" : "=&r"(old) : "r"(LOW_SEGMENT << 16 | 0x20));
    state.map[0x21 / 8] = (u8) ~(1 << (0x21 & 7));
    c = run86(redirected, VIF);
    check("INT redirected", c.vector, BP);
    check("IP that a redirected INT pushes", c.ax & 0xffff, 2);
    check("CS that a redirected INT pushes", c.bx & 0xffff, LOW_SEGMENT);
    check("flags that a redirected INT pushes", c.cx & 0xffff, 0x3202);
    expect_flags("VIF after a redirected INT", &c, VIF, 0);
    c = run86(redirected, IOPL(3) | IF);
    check("INT redirected at IOPL 3", c.vector, BP);
    check("flags that a redirected INT pushes at IOPL 3", c.cx & 0xffff, 0x3202);
    expect_flags("IF after a redirected INT at IOPL 3", &c, IF, 0);
    state.map[0x21 / 8] = 0xff;
    c = run86(redirected, VIF);
    ended("INT not redirected", &c, GP, 0, 0);
    __asm__ volatile("movl %0, 0x84" ::"r"(old) : "memory");
    write_cr4(read_cr4() & ~(uword) CR4_VME);

    /* The same for ring 3 of protected mode. */
    write_cr4(read_cr4() | CR4_PVI);
    c = in_ring(3);
    c.flags |= VIF | IF;
    c.ip = (u32) flat_cli;
    run(&c);
    finished("CLI with PVI", &c);
    expect_flags("CLI with PVI clears VIF only", &c, VIF | IF, IF);
    c = in_ring(3);
    c.ip = (u32) flat_sti;
    run(&c);
    finished("STI with PVI", &c);
    expect_flags("STI with PVI sets VIF only", &c, VIF | IF, VIF);
    c = in_ring(3);
    c.flags |= VIP;
    c.ip = (u32) flat_sti;
    run(&c);
    ended("STI with PVI and VIP", &c, GP, 0, flat_sti);
    c = in_ring(3);
    c.flags |= VIF;
    c.ip = (u32) flat_flags;
    run(&c);
    check("PUSHF with PVI shows VIF as it is", c.ax & (VIF | IF | IOPL(3)), VIF);
    write_cr4(read_cr4() & ~(uword) CR4_PVI);
}

GUEST("vm86") {
    pic_mask(0xffff);
    refusals();
    at_iopl3();
    segments();
    interrupts();
    extensions();
    bitmap();
}
