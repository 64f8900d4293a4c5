/*
 * Legacy gates: call gates of 16 and 32 bits, interrupt and trap gates of both widths, far returns and
 * IRET to every ring, and the error codes of all that is wrong (APM volume 2, 4.9 to 4.11, 8.7; SDM
 * volume 3, 6.12 and 6.13).
 */
#include "micro.h"

#define GATE_SLOT 8
#define GATE SELECTOR(GATE_SLOT)
#define TEST_SLOT 9
#define TEST SELECTOR(TEST_SLOT)
#define LOW_SLOT 10 /* code of ring 0 whose base is low_code, for offsets of 16 bits */
#define LOW SELECTOR(LOW_SLOT)
#define STACK_SLOT 11
#define RING_SLOT 12 /* code and data of rings 1 and 2 */
#define RING_CODE(n) (SELECTOR(RING_SLOT + 2 * (n) - 2) | (n))
#define RING_DATA(n) (SELECTOR(RING_SLOT + 2 * (n) - 1) | (n))

#define CODE32 0xc9b
#define DATA32 0xc93
#define DPL(n) ((n) << 5)
#define CALL16 0x84
#define CALL32 0x8c
#define INTERRUPT16 0x86
#define TRAP16 0x87
#define INTERRUPT32 0x8e
#define TRAP32 0x8f
#define VECTOR 0x90
#define IDT_ERROR(vector) ((vector) * 8 + 2)
#define IF 0x200

static u8 stacks[3][1024] __attribute__((aligned(16)));

static u32 stack_top(int cpl) {
    return (u32) stacks[cpl] + sizeof stacks[cpl];
}

static struct context at_ring(int cpl) {
    struct context c = in_ring(cpl);
    if (cpl == 1 || cpl == 2) {
        c.cs = RING_CODE(cpl);
        c.ds = c.es = c.ss = RING_DATA(cpl);
    }
    return c;
}

static void check_words(const char *what, u32 at, const u32 *want, int count) {
    for (int i = 0; i < count; i++) {
        check(what, ((u32 *) at)[i], want[i]);
    }
}

static void check_halves(const char *what, u32 at, const u16 *want, int count) {
    for (int i = 0; i < count; i++) {
        check(what, ((u16 *) at)[i], want[i]);
    }
}

/* --- call gates --- */

SNIPPET(arrive, "nop")
SNIPPET(call_gate, "lcall $0x43, $0")
SNIPPET(call_gate_0, "lcall $0x40, $0")
SNIPPET(call_gate_small, "lcallw $0x43, $0")
SNIPPET(jump_gate, "ljmp $0x43, $0")
SNIPPET(low_code, "nop")

static void set_gate(u16 selector, u32 offset, u32 type, u32 parameters) {
    gdt[GATE_SLOT] = gate(selector, offset, type, parameters);
}

static struct context through(u8 *code, int cpl) {
    static const u32 words[] = {11, 22, 33, 44};
    struct context c = at_ring(cpl);
    c.ip = (u32) code;
    run_with(&c, words, 4);
    return c;
}

static void call_gates(void) {
    u32 sp = in_ring(3).sp - 16;
    for (u32 target = 0; target < 3; target++) {
        u32 cs = target ? RING_CODE(target) : KERNEL_CODE;
        u32 ss = target ? RING_DATA(target) : KERNEL_DATA;
        set_gate((u16) cs, (u32) arrive, CALL32 | DPL(3), 3);
        struct context c = through(call_gate, 3);
        finished("call gate to an inner ring", &c);
        check("CS behind a call gate", c.cs, cs);
        check("SS behind a call gate", c.ss, ss);
        check("ESP behind a call gate", c.sp, stack_top((int) target) - 28);
        u32 want[] = {(u32) call_gate_end, USER_CODE, 11, 22, 33, sp, USER_DATA};
        check_words("stack behind a call gate", stack_top((int) target) - 28, want, 7);
    }
    set_gate(KERNEL_CODE, (u32) arrive, CALL32 | DPL(3), 0);
    struct context c = through(call_gate, 1);
    u32 outer[] = {(u32) call_gate_end, RING_CODE(1), sp, RING_DATA(1)};
    check_words("stack behind a call gate from ring 1", stack_top(0) - 16, outer, 4);
    check("ESP behind a call gate without parameters", c.sp, stack_top(0) - 16);
    c = through(call_gate_small, 3);
    finished("the gate gives the width, not the call", &c);
    check("ESP behind a call of 16 bits", c.sp, stack_top(0) - 16);

    /* The selector's RPL in the gate does not count. */
    set_gate(KERNEL_CODE | 3, (u32) arrive, CALL32 | DPL(3), 0);
    c = through(call_gate, 3);
    check("RPL of the target does not count", c.cs, KERNEL_CODE);

    set_gate(LOW, 0, CALL16 | DPL(3), 2);
    c = through(call_gate, 3);
    finished("16-bit call gate", &c);
    check("ESP behind a 16-bit call gate", c.sp, stack_top(0) - 12);
    u16 halves[] = {(u16) (u32) call_gate_end, USER_CODE, 11, 0, (u16) sp, USER_DATA};
    check_halves("stack behind a 16-bit call gate", stack_top(0) - 12, halves, 6);

    set_gate(KERNEL_CODE, (u32) arrive, CALL32 | DPL(3), 3);
    c = through(call_gate_0, 0);
    finished("call gate in the same ring", &c);
    check("ESP behind a call gate in the same ring", c.sp, sp - 8);
    u32 same[] = {(u32) call_gate_0_end, KERNEL_CODE, 11};
    check_words("stack behind a call gate in the same ring", sp - 8, same, 3);

    gdt[TEST_SLOT] = descriptor(0, 0xfffff, CODE32 | 4);
    set_gate(TEST, (u32) arrive, CALL32 | DPL(3), 3);
    if (strict()) {
        c = through(call_gate, 3);
        finished("call gate to a conforming segment", &c);
        check("CS in a conforming segment", c.cs, TEST | 3);
        check("SS in a conforming segment", c.ss, USER_DATA);
        check("ESP in a conforming segment", c.sp, sp - 8);
    }
    c = through(jump_gate, 3);
    finished("jump gate to a conforming segment", &c);
    check("CS after a jump to a conforming segment", c.cs, TEST | 3);
    check("ESP after a jump through a gate", c.sp, sp);
}

static void bad_gate(const char *what, u64 descriptor_or_gate, u8 *code, u32 vector, u32 error) {
    gdt[GATE_SLOT] = descriptor_or_gate;
    struct context c = through(code, 3);
    ended(what, &c, vector, error, code);
    check("ESP of a call that faulted", c.sp, in_ring(3).sp - 16);
    check("SS of a call that faulted", c.ss, USER_DATA);
    check("CS of a call that faulted", c.cs, USER_CODE);
}

static void bad_call_gates(void) {
    u32 go = (u32) arrive;
    bad_gate("call gate of an inner ring", gate(KERNEL_CODE, go, CALL32 | DPL(2), 0), call_gate,
             GP, GATE);
    bad_gate("RPL above the gate's DPL", gate(KERNEL_CODE, go, CALL32 | DPL(2), 0), jump_gate, GP,
             GATE);
    bad_gate("call gate not present", gate(KERNEL_CODE, go, 0x0c | DPL(3), 0), call_gate, NP, GATE);
    bad_gate("not present and of an inner ring", gate(KERNEL_CODE, go, 0x0c, 0), call_gate, GP,
             GATE);
    bad_gate("interrupt gate in the GDT", gate(KERNEL_CODE, go, INTERRUPT32 | DPL(3), 0), call_gate,
             GP, GATE);
    bad_gate("gate to a null selector", gate(3, go, CALL32 | DPL(3), 0), call_gate, GP, 0);
    bad_gate("gate beyond the table", gate(0x1003, go, CALL32 | DPL(3), 0), call_gate, GP, 0x1000);
    bad_gate("gate to data", gate(KERNEL_DATA, go, CALL32 | DPL(3), 0), call_gate, GP, KERNEL_DATA);
    bad_gate("gate to a gate", gate(GATE, go, CALL32 | DPL(3), 0), call_gate, GP, GATE);
    bad_gate("jump gate to an inner ring", gate(KERNEL_CODE, go, CALL32 | DPL(3), 0), jump_gate, GP,
             KERNEL_CODE);
    gdt[TEST_SLOT] = descriptor(0, 0xfffff, CODE32 & ~0x80u);
    bad_gate("gate to code not present", gate(TEST, go, CALL32 | DPL(3), 0), call_gate, NP, TEST);
    gdt[TEST_SLOT] = descriptor(0, 0xff, 0x49b);
    if (strict()) {
        bad_gate("gate beyond the code's limit", gate(TEST, 0x100, CALL32 | DPL(3), 0), call_gate,
                 GP, 0);
    }
    set_gate(USER_CODE, go, CALL32 | DPL(3), 0);
    struct context c = through(call_gate_0, 0);
    ended("call gate to an outer ring", &c, GP, USER_CODE & ~3u, call_gate_0);
}

/* Wrong stacks for the inner ring: by call gate and by interrupt, which must agree. */
static void bad_stack(const char *what, u32 selector, u32 top, u32 vector, u32 error) {
    u32 *tss = task_state();
    u32 old_sp = tss[3], old_ss = tss[4];
    tss[3] = top;
    tss[4] = selector;
    set_gate(RING_CODE(1), (u32) arrive, CALL32 | DPL(3), 2);
    struct context c = through(call_gate, 3);
    ended(what, &c, vector, error, call_gate);
    check(what, c.sp, in_ring(3).sp - 16);
    tss[3] = old_sp;
    tss[4] = old_ss;
}

static void bad_stacks(void) {
    u32 top = stack_top(1);
    bad_stack("null stack selector in the TSS", 0, top, TS, 0);
    bad_stack("null stack selector with an RPL", 1, top, TS, 0);
    bad_stack("stack selector beyond the table", 0x1001, top, TS, 0x1000);
    bad_stack("stack selector with another RPL", RING_DATA(1) & ~3u, top, TS, RING_DATA(1) & ~3u);
    bad_stack("stack segment with another DPL", KERNEL_DATA | 1, top, TS, KERNEL_DATA);
    bad_stack("code as the stack segment", RING_CODE(1), top, TS, RING_CODE(1) & ~3u);
    gdt[STACK_SLOT] = descriptor(0, 0xfffff, (DATA32 | DPL(1)) & ~2u);
    bad_stack("stack segment that is read-only", SELECTOR(STACK_SLOT) | 1, top, TS,
              SELECTOR(STACK_SLOT));
    if (strict()) {
        gdt[STACK_SLOT] = descriptor(0, 0xfffff, (DATA32 | DPL(1)) & ~0x80u);
        bad_stack("stack segment not present", SELECTOR(STACK_SLOT) | 1, top, SS,
                  SELECTOR(STACK_SLOT));
        gdt[STACK_SLOT] = descriptor((u32) stacks[1], 0xff, 0x493 | DPL(1));
        bad_stack("no room on the inner stack", SELECTOR(STACK_SLOT) | 1, 0x10, SS,
                  SELECTOR(STACK_SLOT));
        u64 tss = gdt[TSS_SELECTOR / 8];
        gdt[TSS_SELECTOR / 8] = (tss & ~(2ULL << 40 | 0xffff)) | 0x10; /* ESP1 lies beyond */
        __asm__ volatile("ltr %w0" ::"r"(TSS_SELECTOR));
        bad_stack("stack beyond the TSS", RING_DATA(1), top, TS, TSS_SELECTOR);
        gdt[TSS_SELECTOR / 8] = tss & ~(2ULL << 40);
        __asm__ volatile("ltr %w0" ::"r"(TSS_SELECTOR));
    }
}

/* --- far returns --- */

SNIPPET(far_return, "lret")
SNIPPET(far_return_8, "lret $8")
SNIPPET(far_return_small, "lretw")
SNIPPET(low_return, "nop")

static struct context returning(u8 *code, const u32 *words, int count) {
    struct context c = in_ring(0);
    c.ip = (u32) code;
    c.fs = USER_DATA;
    c.gs = (gdt[TEST_SLOT] >> 40 & 0x9c) == 0x9c ? TEST : 0; /* if conforming */
    run_with(&c, words, count);
    return c;
}

static void far_returns(void) {
    u32 top = in_ring(3).sp;
    gdt[TEST_SLOT] = descriptor(0, 0xfffff, CODE32 | 4); /* conforming: stays in GS */
    for (u32 ring = 1; ring < 4; ring++) {
        u32 cs = ring == 3 ? USER_CODE : RING_CODE(ring);
        u32 ss = ring == 3 ? USER_DATA : RING_DATA(ring);
        u32 words[] = {(u32) arrive, cs | 0xabc0000, 1, 2, top - 64, ss | 0x12340000};
        struct context c = returning(far_return_8, words, 6);
        finished("far return to an outer ring", &c);
        check("CS after a far return", c.cs, cs);
        check("SS after a far return", c.ss, ss);
        check("ESP after a far return releases both stacks", c.sp, top - 56);
        check("DS of ring 0 after a far return", c.ds, 0);
        check("ES of ring 0 after a far return", c.es, 0);
        check("FS of ring 3 after a far return", c.fs, USER_DATA);
        check("a conforming GS after a far return", c.gs, TEST);
    }
    u32 same[] = {(u32) arrive, KERNEL_CODE, 7, 8};
    struct context c = returning(far_return_8, same, 4);
    finished("far return in the same ring", &c);
    check("ESP after a far return in the same ring", c.sp, top);
    check("DS after a far return in the same ring", c.ds, KERNEL_DATA);
    u32 small[] = {(u32) LOW << 16 | (u16) (low_return - low_code), 0};
    c = returning(far_return_small, small, 2);
    finished("far return of 16 bits", &c);
    check("ESP after a far return of 16 bits", c.sp, top - 4);
}

static void bad_return(const char *what, u8 *code, u32 cs, u32 ss, u32 vector, u32 error) {
    u32 words[] = {(u32) arrive, cs, 2, in_ring(3).sp - 64, ss};
    if (code == far_return) {
        words[2] = words[3];
        words[3] = ss;
    }
    struct context c = returning(code, words, 5);
    ended(what, &c, vector, error, code);
    check("SS of a return that faulted", c.ss, KERNEL_DATA);
    check("ESP of a return that faulted", c.sp, in_ring(0).sp - 20);
    check("DS of a return that faulted", c.ds, KERNEL_DATA);
}

SNIPPET(interrupt_return, "iret")
SNIPPET(interrupt_return_small, "iretw")

/* What RET and IRET refuse alike. */
static void bad_returns(void) {
    u8 *const codes[] = {far_return, interrupt_return};
    for (int i = 0; i < 2; i++) {
        u8 *code = codes[i];
        bad_return("return to a null selector", code, 0, USER_DATA, GP, 0);
        bad_return("return to a null selector with RPL", code, 3, USER_DATA, GP, 0);
        bad_return("return beyond the table", code, 0x1003, USER_DATA, GP, 0x1000);
        bad_return("return to data", code, USER_DATA, USER_DATA, GP, USER_DATA & ~3u);
        bad_return("return with RPL below DPL", code, USER_CODE & ~1u, USER_DATA, GP,
                   USER_CODE & ~3u);
        bad_return("return with RPL above DPL", code, RING_CODE(1) | 2, USER_DATA, GP,
                   RING_CODE(1) & ~3u);
        gdt[TEST_SLOT] = descriptor(0, 0xfffff, (CODE32 | DPL(3)) & ~0x80u);
        bad_return("return to code not present", code, TEST | 3, USER_DATA, NP, TEST);
        gdt[TEST_SLOT] = descriptor(0, 0xfffff, CODE32 | 4 | DPL(2));
        bad_return("return to conforming code of an outer ring", code, TEST | 1, RING_DATA(1), GP,
                   TEST);
        bad_return("return with a null stack", code, USER_CODE, 0, GP, 0);
        bad_return("return with a null stack and RPL", code, USER_CODE, 3, GP, 0);
        bad_return("return with a stack beyond the table", code, USER_CODE, 0x1003, GP, 0x1000);
        bad_return("return with a stack of another RPL", code, USER_CODE, USER_DATA & ~1u, GP,
                   USER_DATA & ~3u);
        bad_return("return with a stack of another DPL", code, USER_CODE, KERNEL_DATA | 3, GP,
                   KERNEL_DATA);
        bad_return("return with code as stack", code, USER_CODE, USER_CODE, GP, USER_CODE & ~3u);
        gdt[STACK_SLOT] = descriptor(0, 0xfffff, (DATA32 | DPL(3)) & ~2u);
        bad_return("return with a read-only stack", code, USER_CODE, SELECTOR(STACK_SLOT) | 3, GP,
                   SELECTOR(STACK_SLOT));
        if (strict()) {
            gdt[STACK_SLOT] = descriptor(0, 0xfffff, (DATA32 | DPL(3)) & ~0x80u);
            bad_return("return with a stack not present", code, USER_CODE,
                       SELECTOR(STACK_SLOT) | 3, SS, SELECTOR(STACK_SLOT));
            gdt[TEST_SLOT] = descriptor(0, 0xff, 0x49b | DPL(3));
            bad_return("return beyond the code's limit", code, TEST | 3, USER_DATA, GP, 0);
        }
    }
    /* To an inner ring, from an outer one. */
    struct context c = in_ring(3);
    u32 words[] = {(u32) arrive, RING_CODE(1), 2, 0, RING_DATA(1)};
    c.ip = (u32) far_return;
    run_with(&c, words, 5);
    ended("far return to an inner ring", &c, GP, RING_CODE(1) & ~3u, far_return);
    c = in_ring(3);
    c.ip = (u32) interrupt_return;
    run_with(&c, words, 5);
    ended("IRET to an inner ring", &c, GP, RING_CODE(1) & ~3u, interrupt_return);
}

/* --- IRET --- */

static void interrupt_returns(void) {
    u32 top = in_ring(3).sp;
    gdt[TEST_SLOT] = descriptor(0, 0xfffff, CODE32 | 4);
    for (u32 ring = 1; ring < 4; ring++) {
        u32 cs = ring == 3 ? USER_CODE : RING_CODE(ring);
        u32 ss = ring == 3 ? USER_DATA : RING_DATA(ring);
        u32 words[] = {(u32) arrive, cs, 0x40ed7, top - 64, ss};
        struct context c = returning(interrupt_return, words, 5);
        finished("IRET to an outer ring", &c);
        check("CS after IRET", c.cs, cs);
        check("SS after IRET", c.ss, ss);
        check("ESP after IRET", c.sp, top - 64);
        check("DS of ring 0 after IRET", c.ds, 0);
        check("FS of ring 3 after IRET", c.fs, USER_DATA);
        check("a conforming GS after IRET", c.gs, TEST);
        check("flags after IRET", c.flags & ~0x10000u, 0x40ed7);
    }
    u32 same[] = {(u32) arrive, KERNEL_CODE, 0x203ac2};
    struct context c = returning(interrupt_return, same, 3);
    finished("IRET in the same ring", &c);
    check("ESP after IRET in the same ring", c.sp, top);
    check("flags after IRET in the same ring", c.flags & ~0x10000u, 0x203ac2);
    u32 small[] = {(u32) LOW << 16 | (u16) (low_return - low_code), 0x0ad7};
    c = in_ring(0);
    c.flags = 0x200002; /* ID */
    c.ip = (u32) interrupt_return_small;
    run_with(&c, small, 2);
    finished("IRET of 16 bits", &c);
    check("ESP after IRET of 16 bits", c.sp, top - 2);
    check("flags after IRET of 16 bits", c.flags & ~0x10000u, 0x200ad7);

    /* Ring 3 changes neither IOPL nor, above IOPL, IF; nor VM, which TCG gets wrong. */
    u32 user[] = {(u32) arrive, USER_CODE, strict() ? 0x63cd7 : 0x43cd7};
    c = in_ring(3);
    c.flags = 0x202;
    c.ip = (u32) interrupt_return;
    run_with(&c, user, 3);
    finished("IRET in ring 3", &c);
    check("flags after IRET in ring 3", c.flags & ~0x10000u, 0x40ed7);
    c = in_ring(3);
    c.flags = 0x3202;
    c.ip = (u32) interrupt_return;
    run_with(&c, user, 3);
    check("flags after IRET in ring 3 with IOPL 3", c.flags & ~0x10000u, 0x43cd7);
}

/* --- interrupts --- */

SNIPPET(do_int, "int $0x90")
SNIPPET(do_ud, "ud2")
SNIPPET(do_gp, "mov %eax, %ss")

static void set_vector(int vector, u16 selector, u32 offset, u32 type) {
    ((u64 *) idt)[vector] = gate(selector, offset, type, 0);
}

static struct context interrupting(u8 *code, int cpl, u32 flags) {
    struct context c = at_ring(cpl);
    c.flags = flags;
    c.ip = (u32) code;
    run(&c);
    return c;
}

static void interrupts(void) {
    u32 top = in_ring(3).sp;
    static const u32 types[] = {INTERRUPT32, TRAP32, INTERRUPT16, TRAP16};
    u32 flags = 0x10ed7 & ~0x10000u; /* all status flags, DF, IF, OF */
    for (int i = 0; i < 4; i++) {
        int wide = types[i] & 8;
        u16 selector = wide ? KERNEL_CODE : LOW;
        set_vector(VECTOR, selector, wide ? (u32) arrive : 0, types[i] | DPL(3));
        struct context c = interrupting(do_int, 3, flags);
        finished("gate to ring 0", &c);
        check("CS behind a gate", c.cs, selector);
        check("SS behind a gate", c.ss, KERNEL_DATA);
        check("IF behind a gate", c.flags & IF, types[i] & 1 ? IF : 0);
        check("other flags behind a gate", c.flags & ~(u32) IF, flags & ~(u32) IF);
        if (wide) {
            u32 want[] = {(u32) do_int_end, USER_CODE, flags, top, USER_DATA};
            check("ESP behind a gate", c.sp, stack_top(0) - 20);
            check_words("stack behind a gate", stack_top(0) - 20, want, 5);
        } else {
            u16 want[] = {(u16) (u32) do_int_end, USER_CODE, (u16) flags, (u16) top, USER_DATA};
            check("ESP behind a 16-bit gate", c.sp, stack_top(0) - 10);
            check_halves("stack behind a 16-bit gate", stack_top(0) - 10, want, 5);
        }
        c = interrupting(do_int, 0, flags);
        finished("gate in the same ring", &c);
        check("ESP behind a gate in the same ring", c.sp, top - (wide ? 12 : 6));
    }
    set_vector(VECTOR, RING_CODE(1), (u32) arrive, INTERRUPT32 | DPL(3));
    struct context c = interrupting(do_int, 3, 2);
    finished("gate to ring 1", &c);
    check("CS behind a gate to ring 1", c.cs, RING_CODE(1));
    check("SS behind a gate to ring 1", c.ss, RING_DATA(1));
    gdt[TEST_SLOT] = descriptor(0, 0xfffff, CODE32 | 4);
    set_vector(VECTOR, TEST, (u32) arrive, INTERRUPT32 | DPL(3));
    c = interrupting(do_int, 3, 2);
    finished("gate to conforming code", &c);
    check("CS behind a gate to conforming code", c.cs, TEST | 3);
    check("ESP behind a gate to conforming code", c.sp, top - 12);

    /* NT, RF, TF and VM are cleared, not in the image. */
    set_vector(VECTOR, KERNEL_CODE, (u32) arrive, TRAP32 | DPL(3));
    c = interrupting(do_int, 3, 0x4002);
    finished("gate with NT set", &c);
    check("NT behind a gate", c.flags & 0x4000, 0);
    check("NT in the image", ((u32 *) c.sp)[2] & 0x4000, 0x4000);

    /* Error codes have the gate's width. */
    set_vector(GP, KERNEL_CODE, (u32) arrive, INTERRUPT32);
    c = interrupting(do_gp, 3, 2);
    u32 rf = strict() ? 0x10000 : 0; /* TCG leaves it out */
    u32 want[] = {0, (u32) do_gp, USER_CODE, 2 | rf, top, USER_DATA};
    finished("exception with an error code", &c);
    check("ESP behind an error code", c.sp, stack_top(0) - 24);
    if (!strict()) { /* who has it is right */
        ((u32 *) (stack_top(0) - 24))[3] &= ~0x10000u;
    }
    check_words("stack behind an error code", stack_top(0) - 24, want, 6);
    set_vector(GP, LOW, 0, INTERRUPT16);
    c = interrupting(do_gp, 3, 2);
    u16 halves[] = {0, (u16) (u32) do_gp, USER_CODE, 2, (u16) top, USER_DATA};
    finished("exception with an error code of 16 bits", &c);
    check("ESP behind an error code of 16 bits", c.sp, stack_top(0) - 12);
    check_halves("stack behind an error code of 16 bits", stack_top(0) - 12, halves, 6);
}

/* The vector of int $0x90 and of #UD: software and hardware differ in the bit EXT. */
static void bad_vector(const char *what, u64 value, int cpl, u32 vector, u32 error, u32 error_ud) {
    u64 *table = (u64 *) idt;
    u64 old = table[UD];
    table[VECTOR] = value;
    struct context c = interrupting(do_int, cpl, 2);
    ended(what, &c, vector, error, do_int);
    table[UD] = value;
    c = interrupting(do_ud, cpl, 2);
    table[UD] = old;
    check(what, c.vector, vector);
    check(what, c.ip, (u32) do_ud);
    if (strict()) { /* TCG leaves EXT out */
        check("EXT in the error code of a fault while an exception is delivered", c.error,
              error_ud);
    }
}

static void bad_vectors(void) {
    u32 go = (u32) arrive;
    u32 here = IDT_ERROR(VECTOR), there = IDT_ERROR(UD) | 1;
    bad_vector("gate not present", gate(KERNEL_CODE, go, 0x0e | DPL(3), 0), 3, NP, here, there);
    static const u8 wrong[] = {0x00, 0x01, 0x02, 0x03, 0x04, 0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d,
                               0x16, 0x1e, 0x1f};
    for (u32 i = 0; i < sizeof wrong; i++) {
        bad_vector("gate of a wrong type", gate(KERNEL_CODE, go, 0x80 | DPL(3) | wrong[i], 0), 3, GP,
                   here, there);
    }
    u32 type = INTERRUPT32 | DPL(3);
    bad_vector("gate to a null selector", gate(3, go, type, 0), 3, GP, 0, 1);
    bad_vector("gate beyond the table", gate(0x1000, go, type, 0), 3, GP, 0x1000, 0x1001);
    bad_vector("gate to a missing local table", gate(0xc, go, type, 0), 3, GP, 0xc, 0xd);
    bad_vector("gate to data", gate(KERNEL_DATA, go, type, 0), 3, GP, KERNEL_DATA, KERNEL_DATA | 1);
    bad_vector("gate to an outer ring", gate(USER_CODE, go, type, 0), 0, GP, USER_CODE & ~3u,
               (USER_CODE & ~3u) | 1);
    gdt[TEST_SLOT] = descriptor(0, 0xfffff, CODE32 & ~0x80u);
    bad_vector("gate to code not present", gate(TEST, go, type, 0), 3, NP, TEST, TEST | 1);
    if (strict()) {
        gdt[TEST_SLOT] = descriptor(0, 0xff, 0x49b);
        bad_vector("gate beyond the code's limit", gate(TEST, 0x100, type, 0), 3, GP, 0, 1);
    }
    u32 *tss = task_state();
    u32 old = tss[4];
    tss[4] = 0;
    bad_vector("gate to a ring with a null stack", gate(RING_CODE(1), go, type, 0), 3, TS, 0, 1);
    tss[4] = RING_DATA(2);
    bad_vector("gate to a ring with a wrong stack", gate(RING_CODE(1), go, type, 0), 3, TS,
               RING_DATA(2) & ~3u, (RING_DATA(2) & ~3u) | 1);
    if (strict()) {
        gdt[STACK_SLOT] = descriptor(0, 0xfffff, (DATA32 | DPL(1)) & ~0x80u);
        tss[4] = SELECTOR(STACK_SLOT) | 1;
        bad_vector("gate to a ring with a stack not present", gate(RING_CODE(1), go, type, 0), 3,
                   SS, SELECTOR(STACK_SLOT), SELECTOR(STACK_SLOT) | 1);
    }
    tss[4] = old;

    set_vector(VECTOR, KERNEL_CODE, go, INTERRUPT32 | DPL(2));
    struct context c = interrupting(do_int, 3, 2);
    ended("gate of an inner ring", &c, GP, here, do_int);
    struct {
        u16 limit;
        u32 base;
    } __attribute__((packed)) idtr = {VECTOR * 8 + 6, (u32) idt};
    idt[VECTOR].type = TRAP32 | DPL(3);
    __asm__ volatile("lidt %0" ::"m"(idtr));
    c = interrupting(do_int, 3, 2);
    idtr.limit = sizeof idt - 1;
    __asm__ volatile("lidt %0" ::"m"(idtr));
    ended("vector cut off by the table's limit", &c, GP, here, do_int);
}

GUEST("gates") {
    pic_mask(0xffff);
    u32 *tss = task_state();
    tss[1] = stack_top(0);
    for (u32 i = 1; i < 3; i++) {
        gdt[RING_SLOT + 2 * i - 2] = descriptor(0, 0xfffff, CODE32 | DPL(i));
        gdt[RING_SLOT + 2 * i - 1] = descriptor(0, 0xfffff, DATA32 | DPL(i));
        tss[1 + 2 * i] = stack_top((int) i);
        tss[2 + 2 * i] = RING_DATA(i);
    }
    gdt[LOW_SLOT] = descriptor((u32) low_code, 0xffff, 0x49b);
    call_gates();
    bad_call_gates();
    bad_stacks();
    far_returns();
    bad_returns();
    interrupt_returns();
    u64 old = ((u64 *) idt)[GP];
    interrupts();
    ((u64 *) idt)[GP] = old;
    bad_vectors();
}
