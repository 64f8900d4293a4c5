/*
 * Gates of long mode: call gates of 16 bytes, interrupt gates with and without an interrupt stack, far
 * returns and IRET in every width to 64-bit and compatibility mode, and their error codes (APM volume 2,
 * 4.8.3, 8.9; SDM volume 3, 5.8.3.1, 6.14).
 */
#include "micro.h"

#define GATE_SLOT 8 /* two slots */
#define GATE SELECTOR(GATE_SLOT)
#define TEST_SLOT 10
#define TEST SELECTOR(TEST_SLOT)
#define STACK_SLOT 12
#define COMPAT0_SLOT 13
#define COMPAT0 SELECTOR(COMPAT0_SLOT)
#define COMPAT3_SLOT 14
#define COMPAT3 (SELECTOR(COMPAT3_SLOT) | 3)
#define RING_SLOT 16 /* code and data of rings 1 and 2 */
#define RING_CODE(n) (SELECTOR(RING_SLOT + 2 * (n) - 2) | (u32) (n))
#define RING_DATA(n) (SELECTOR(RING_SLOT + 2 * (n) - 1) | (u32) (n))

#define CODE64 0xa9b
#define CODE32 0xc9b
#define DATA32 0xc93
#define DPL(n) ((n) << 5)
#define VECTOR 0x90
#define HERE (VECTOR * 8 + 2)
#define NOT_CANONICAL 0x0000800000000000UL
#define NT 0x4000
#define RF 0x10000UL

static u8 stacks[8][1024] __attribute__((aligned(16)));

static u64 stack_top(int i) {
    return (u64) stacks[i] + sizeof stacks[i];
}

static u64 *task_stack(int i) { /* 0 to 2: rings; 4 to 10: interrupt stacks 1 to 7 */
    return (u64 *) ((u8 *) task_state() + 4 + 8 * i);
}

static struct context at_ring(u64 cs) {
    struct context c = in_ring(cs & 3);
    c.cs = cs;
    if ((cs & 3) == 1 || (cs & 3) == 2) {
        c.ss = RING_DATA(cs & 3);
    }
    return c;
}

static void check_words(const char *what, u64 at, const u64 *want, int count) {
    for (int i = 0; i < count; i++) {
        check(what, ((u64 *) at)[i], want[i]);
    }
}

/* --- call gates --- */

SNIPPET(arrive, "nop")
static struct {
    u32 offset;
    u16 selector;
} __attribute__((packed)) far_pointer = {0, GATE | 3};

SNIPPET(call_gate, "lcall *(%rbx)")
SNIPPET(jump_gate, "ljmp *(%rbx)")

static void set_gate(u64 selector, u64 offset, u32 type) {
    gdt[GATE_SLOT] = gate((u16) selector, (u32) offset, type, 0);
    gdt[GATE_SLOT + 1] = offset >> 32;
}

static struct context through(u8 *code, u64 cs) {
    struct context c = at_ring(cs);
    c.ip = (u64) code;
    c.bx = (u64) &far_pointer;
    run(&c);
    return c;
}

static void call_gates(void) {
    static const u64 from[] = {USER_CODE, COMPAT3};
    u64 sp = in_ring(3).sp;
    for (int i = 0; i < 2; i++) {
        for (u32 ring = 0; ring < 3; ring++) {
            set_gate(ring ? RING_CODE(ring) : KERNEL_CODE, (u64) arrive, 0x8c | DPL(3));
            struct context c = through(call_gate, from[i]);
            finished("call gate to an inner ring", &c);
            check("CS behind a call gate", c.cs, ring ? RING_CODE(ring) : KERNEL_CODE);
            check("SS behind a call gate", c.ss, ring);
            check("RSP behind a call gate", c.sp, stack_top((int) ring) - 32);
            u64 want[] = {(u64) call_gate_end, from[i], sp, USER_DATA};
            check_words("stack behind a call gate", stack_top((int) ring) - 32, want, 4);
        }
    }
    set_gate(KERNEL_CODE, (u64) arrive, 0x8c | DPL(3));
    far_pointer.selector = GATE;
    struct context c = through(call_gate, KERNEL_CODE);
    finished("call gate in the same ring", &c);
    check("RSP behind a call gate in the same ring", c.sp, sp - 16);
    check("SS behind a call gate in the same ring", c.ss, KERNEL_DATA);
    u64 same[] = {(u64) call_gate_end, KERNEL_CODE};
    check_words("stack behind a call gate in the same ring", sp - 16, same, 2);
    c = through(jump_gate, KERNEL_CODE);
    finished("JMP through a gate", &c);
    check("RSP after a JMP through a gate", c.sp, sp);
    far_pointer.selector = GATE | 3;
    gdt[TEST_SLOT] = descriptor(0, 0xfffff, CODE64 | 4);
    set_gate(TEST, (u64) arrive, 0x8c | DPL(3));
    c = through(jump_gate, COMPAT3);
    finished("JMP through a gate to conforming code", &c);
    check("CS after a JMP through a gate to conforming code", c.cs, TEST | 3);
    if (strict()) { /* TCG takes it for an inner ring */
        c = through(call_gate, USER_CODE);
        finished("call gate to conforming code", &c);
        check("CS behind a call gate to conforming code", c.cs, TEST | 3);
        check("RSP behind a call gate to conforming code", c.sp, sp - 16);
    }
}

static void bad_gate(const char *what, u32 vector, u64 error) {
    struct context c = through(call_gate, USER_CODE);
    ended(what, &c, vector, error, call_gate);
    check("RSP of a call that faulted", c.sp, in_ring(3).sp);
    check("SS of a call that faulted", c.ss, USER_DATA);
}

static void bad_call_gates(void) {
    u64 go = (u64) arrive;
    set_gate(KERNEL_CODE, go, 0x8c | DPL(2));
    bad_gate("gate of an inner ring", GP, GATE);
    set_gate(KERNEL_CODE, go, 0x0c | DPL(3));
    bad_gate("gate not present", NP, GATE);
    set_gate(KERNEL_CODE, go, 0x84 | DPL(3));
    bad_gate("16-bit call gate", GP, GATE);
    set_gate(KERNEL_CODE, go, 0x85 | DPL(3));
    bad_gate("task gate", GP, GATE);
    set_gate(KERNEL_CODE, go, 0x89 | DPL(3));
    bad_gate("task", GP, GATE);
    set_gate(KERNEL_CODE, go, 0x8e | DPL(3));
    bad_gate("interrupt gate in the GDT", GP, GATE);
    set_gate(3, go, 0x8c | DPL(3));
    bad_gate("gate to null", GP, 0);
    set_gate(KERNEL_DATA, go, 0x8c | DPL(3));
    bad_gate("gate to data", GP, KERNEL_DATA);
    set_gate(COMPAT0, go, 0x8c | DPL(3));
    bad_gate("gate to 32-bit code", GP, COMPAT0);
    gdt[TEST_SLOT] = descriptor(0, 0xfffff, CODE64 | 0x400);
    set_gate(TEST, go, 0x8c | DPL(3));
    bad_gate("gate to code with L and D", GP, TEST);
    gdt[TEST_SLOT] = descriptor(0, 0xfffff, CODE64 & ~0x80u);
    bad_gate("gate to code not present", NP, TEST);
    if (strict()) {
        set_gate(KERNEL_CODE, go, 0x8c | DPL(3));
        gdt[GATE_SLOT + 1] |= 0x0100UL << 32;
        bad_gate("type in the gate's upper half", GP, GATE);
        set_gate(KERNEL_CODE, NOT_CANONICAL, 0x8c | DPL(3));
        bad_gate("gate to no canonical address", GP, 0);
        set_gate(RING_CODE(1), go, 0x8c | DPL(3));
        *task_stack(1) = NOT_CANONICAL + 0x1000;
        bad_gate("gate to a stack that is not canonical", SS, 0);
        *task_stack(1) = stack_top(1);
        set_gate(KERNEL_CODE, go, 0x8c | DPL(3));
        struct {
            u16 limit;
            u64 base;
        } __attribute__((packed)) p = {GATE + 14, (u64) gdt};
        far_pointer.selector = GATE;
        __asm__ volatile("lgdt %0" ::"m"(p));
        struct context c = through(call_gate, KERNEL_CODE);
        p.limit = sizeof gdt - 1;
        __asm__ volatile("lgdt %0" ::"m"(p));
        far_pointer.selector = GATE | 3;
        ended("upper half beyond the table", &c, GP, GATE, call_gate);
    }
}

/* --- interrupts --- */

SNIPPET(do_int, "int $0x90")
SNIPPET(do_gp, "mov %eax, %fs")

static void set_vector(int vector, u64 selector, u64 offset, u32 type, u32 ist) {
    idt[vector].offset_low = (u16) offset;
    idt[vector].offset_middle = (u16) (offset >> 16);
    idt[vector].offset_high = (u32) (offset >> 32);
    idt[vector].selector = (u16) selector;
    idt[vector].type = (u8) type;
    idt[vector].ist = (u8) ist;
}

static struct context interrupting(u8 *code, u64 cs, u64 sp, u64 flags) {
    struct context c = at_ring(cs);
    c.ip = (u64) code;
    c.sp = sp;
    c.ax = 0x1000;
    c.flags = flags;
    run(&c);
    return c;
}

static void interrupts(void) {
    u64 sp = in_ring(3).sp - 100 + 4;
    static const u64 from[] = {KERNEL_CODE, USER_CODE, COMPAT3};
    for (int i = 0; i < 3; i++) {
        for (u32 ist = 0; ist < 8; ist++) {
            for (u32 type = 0x8e; type <= 0x8f; type++) {
                set_vector(VECTOR, KERNEL_CODE, (u64) arrive, type | DPL(3), ist);
                struct context c = interrupting(do_int, from[i], sp, 0xed7);
                finished("interrupt gate", &c);
                u64 top = ist ? *task_stack((int) ist + 3) & ~15UL : i ? stack_top(0) : sp & ~15UL;
                check("RSP behind a gate", c.sp, top - 40);
                u64 ss = i ? USER_DATA : KERNEL_DATA;
                u64 want[] = {(u64) do_int_end, from[i], 0xed7, sp, ss};
                check_words("stack behind a gate", top - 40, want, 5);
                check("CS behind a gate", c.cs, KERNEL_CODE);
                if (i) {
                    check("SS behind a gate to an inner ring", c.ss, 0);
                } else if (!ist) {
                    check("SS behind a gate in the same ring", c.ss, KERNEL_DATA);
                }
                check("IF behind a gate", c.flags & 0x200, type == 0x8f ? 0x200 : 0);
            }
        }
    }
    set_vector(VECTOR, RING_CODE(2), (u64) arrive, 0x8e | DPL(3), 0);
    struct context c = interrupting(do_int, USER_CODE, sp, 2);
    finished("gate to ring 2", &c);
    check("CS behind a gate to ring 2", c.cs, RING_CODE(2));
    check("SS behind a gate to ring 2", c.ss, 2);
    gdt[TEST_SLOT] = descriptor(0, 0xfffff, CODE64 | 4);
    set_vector(VECTOR, TEST, (u64) arrive, 0x8e | DPL(3), 0);
    c = interrupting(do_int, USER_CODE, sp, 2);
    finished("gate to conforming code", &c);
    check("CS behind a gate to conforming code", c.cs, TEST | 3);
    check("SS behind a gate to conforming code", c.ss, USER_DATA);

    struct gate old = idt[GP];
    set_vector(GP, KERNEL_CODE, (u64) arrive, 0x8e, 0);
    c = interrupting(do_gp, USER_CODE, sp, 2);
    idt[GP] = old;
    finished("exception with an error code", &c);
    u64 want[] = {0x1000, (u64) do_gp, USER_CODE, 2 | (strict() ? RF : 0), sp, USER_DATA};
    if (!strict()) { /* TCG leaves RF out; who has it is right */
        ((u64 *) (stack_top(0) - 48))[3] &= ~(u64) RF;
    }
    check("RSP behind an error code", c.sp, stack_top(0) - 48);
    check_words("stack behind an error code", stack_top(0) - 48, want, 6);
}

static void bad_vector(const char *what, u64 cs, u32 vector, u64 error) {
    struct context c = interrupting(do_int, cs, in_ring(3).sp, 2);
    if (!strict() && c.error == VECTOR * 16 + 2) {
        c.error = HERE; /* TCG counts bytes of the table */
    }
    ended(what, &c, vector, error, do_int);
}

static void bad_vectors(void) {
    u64 go = (u64) arrive;
    set_vector(VECTOR, KERNEL_CODE, go, 0x0e | DPL(3), 0);
    bad_vector("gate not present", USER_CODE, NP, HERE);
    static const u8 wrong[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 0x1e, 0x1f};
    for (u32 i = 0; i < sizeof wrong; i++) {
        set_vector(VECTOR, KERNEL_CODE, go, 0x80 | DPL(3) | wrong[i], 0);
        bad_vector("gate of a wrong type", USER_CODE, GP, HERE);
    }
    set_vector(VECTOR, KERNEL_CODE, go, 0x8e | DPL(2), 0);
    bad_vector("gate of an inner ring", USER_CODE, GP, HERE);
    set_vector(VECTOR, 0, go, 0xee, 0);
    bad_vector("gate to null", USER_CODE, GP, 0);
    set_vector(VECTOR, KERNEL_DATA, go, 0xee, 0);
    bad_vector("gate to data", USER_CODE, GP, KERNEL_DATA);
    set_vector(VECTOR, COMPAT0, go, 0xee, 0);
    bad_vector("gate to 32-bit code", USER_CODE, GP, COMPAT0);
    set_vector(VECTOR, USER_CODE, go, 0xee, 0);
    bad_vector("gate to an outer ring", KERNEL_CODE, GP, USER_CODE & ~3u);
    gdt[TEST_SLOT] = descriptor(0, 0xfffff, CODE64 & ~0x80u);
    set_vector(VECTOR, TEST, go, 0xee, 0);
    bad_vector("gate to code not present", USER_CODE, NP, TEST);
    if (strict()) {
        set_vector(VECTOR, KERNEL_CODE, NOT_CANONICAL, 0xee, 0);
        bad_vector("gate to no canonical address", USER_CODE, GP, 0);
    }
    struct {
        u16 limit;
        u64 base;
    } __attribute__((packed)) p = {VECTOR * 16 + 14, (u64) idt};
    set_vector(VECTOR, KERNEL_CODE, go, 0xee, 0);
    __asm__ volatile("lidt %0" ::"m"(p));
    struct context c = interrupting(do_int, USER_CODE, in_ring(3).sp, 2);
    p.limit = sizeof idt - 1;
    __asm__ volatile("lidt %0" ::"m"(p));
    if (strict()) {
        ended("vector cut off by the table's limit", &c, GP, HERE, do_int);
    }
}

/* --- IRET and far returns --- */

SNIPPET(iret_q, "iretq")
SNIPPET(iret_l, "iretl")
SNIPPET(iret_w, "iretw")
SNIPPET(lret_q, "lretq")
SNIPPET(lret_l, "lretl")
SNIPPET(lret_q_8, "lretq $8")

static u8 low_stack[256] __attribute__((aligned(16)));

/* A frame of some width on the stack. */
static struct context returning(u8 *code, int bytes, u64 cs, const u64 *words, int count) {
    static u8 frame[64] __attribute__((aligned(16)));
    struct context c = at_ring(cs);
    for (int i = 0; i < count; i++) {
        memcpy(frame + i * bytes, &words[i], (uword) bytes);
    }
    c.sp = (u64) frame;
    c.ip = (u64) code;
    run(&c);
    return c;
}

static void returns(void) {
    u64 sp = (u64) low_stack + sizeof low_stack;
    static u8 *const codes[] = {iret_q, iret_l};
    for (int i = 0; i < 2; i++) {
        int bytes = i ? 4 : 8;
        u64 user[] = {(u64) arrive, USER_CODE, 0x40ed7, sp, USER_DATA};
        struct context c = returning(codes[i], bytes, KERNEL_CODE, user, 5);
        finished("IRET to ring 3", &c);
        check("CS after IRET", c.cs, USER_CODE);
        check("SS after IRET", c.ss, USER_DATA);
        check("RSP after IRET", c.sp, sp);
        check("flags after IRET", c.flags & ~RF, 0x40ed7);
        u64 compatible[] = {(u64) arrive, COMPAT3, 2, sp, USER_DATA};
        c = returning(codes[i], bytes, KERNEL_CODE, compatible, 5);
        finished("IRET to compatibility mode", &c);
        check("CS after IRET to compatibility mode", c.cs, COMPAT3);
        u64 kernel[] = {(u64) arrive, KERNEL_CODE, 2, sp, KERNEL_DATA};
        c = returning(codes[i], bytes, KERNEL_CODE, kernel, 5);
        finished("IRET in ring 0", &c);
        check("RSP after IRET in ring 0", c.sp, sp);
        u64 null[] = {(u64) arrive, KERNEL_CODE, 2, sp, 0};
        c = returning(codes[i], bytes, KERNEL_CODE, null, 5);
        finished("IRET with a null stack in ring 0", &c);
        check("SS after IRET with a null stack", c.ss, 0);
        u64 null1[] = {(u64) arrive, RING_CODE(1), 2, sp, 1};
        c = returning(codes[i], bytes, KERNEL_CODE, null1, 5);
        finished("IRET with a null stack to ring 1", &c);
        check("SS after IRET with a null stack to ring 1", c.ss, 1);
        u64 ring3[] = {(u64) arrive, USER_CODE, 0x3ed7, sp, USER_DATA};
        c = returning(codes[i], bytes, USER_CODE, ring3, 5);
        finished("IRET within ring 3", &c);
        check("flags after IRET within ring 3", c.flags & ~RF, 0xcd7);
    }
    u64 far_frame[] = {(u64) arrive, USER_CODE, 0, sp, USER_DATA};
    struct context c = returning(lret_q_8, 8, KERNEL_CODE, far_frame, 5);
    finished("far return to ring 3", &c);
    check("RSP after a far return", c.sp, sp + 8);
    u64 frame32[] = {(u64) arrive, COMPAT3, sp, USER_DATA};
    c = returning(lret_l, 4, KERNEL_CODE, frame32, 4);
    finished("far return to compatibility mode", &c);
    u64 null[] = {(u64) arrive, RING_CODE(2), sp, 2};
    c = returning(lret_q, 8, KERNEL_CODE, null, 4);
    finished("far return with a null stack to ring 2", &c);
    u64 same[] = {(u64) arrive, COMPAT0};
    c = returning(lret_q, 8, KERNEL_CODE, same, 2);
    finished("far return to compatibility mode of ring 0", &c);
    /* In compatibility mode IRET pops no stack in the same ring. */
    u64 short_frame[] = {(u64) arrive, COMPAT3, 2};
    c = returning(iret_l, 4, COMPAT3, short_frame, 3);
    finished("IRET in compatibility mode", &c);
}

static void bad_return(const char *what, u8 *code, u64 ip, u64 cs, u64 ss, u32 vector, u64 error) {
    u64 sp = (u64) low_stack + sizeof low_stack;
    u64 iret[] = {ip, cs, 2, sp, ss}, lret[] = {ip, cs, sp, ss};
    struct context c = code == iret_q ? returning(code, 8, KERNEL_CODE, iret, 5)
                                      : returning(code, 8, KERNEL_CODE, lret, 4);
    ended(what, &c, vector, error, code);
    check("SS of a return that faulted", c.ss, KERNEL_DATA);
}

static void bad_returns(void) {
    static u8 *const codes[] = {iret_q, lret_q};
    u64 go = (u64) arrive;
    for (int i = 0; i < 2; i++) {
        u8 *code = codes[i];
        bad_return("return to null", code, go, 0, USER_DATA, GP, 0);
        bad_return("return to null with RPL", code, go, 3, USER_DATA, GP, 0);
        bad_return("return to data", code, go, USER_DATA, USER_DATA, GP, USER_DATA & ~3u);
        bad_return("return to another ring's code", code, go, KERNEL_CODE | 3, USER_DATA, GP,
                   KERNEL_CODE);
        gdt[TEST_SLOT] = descriptor(0, 0xfffff, CODE64 | 0x400 | DPL(3));
        if (strict()) {
            bad_return("return to code with L and D", code, go, TEST | 3, USER_DATA, GP, TEST);
        }
        gdt[TEST_SLOT] = descriptor(0, 0xfffff, (CODE64 & ~0x80u) | DPL(3));
        bad_return("return to code not present", code, go, TEST | 3, USER_DATA, NP, TEST);
        bad_return("return to ring 3 with a null stack", code, go, USER_CODE, 3, GP, 0);
        bad_return("return to ring 3 with stack selector 0", code, go, USER_CODE, 0, GP, 0);
        if (strict()) {
            bad_return("null stack with another RPL", code, go, RING_CODE(1), 2, GP, 0);
        }
        bad_return("compatibility mode with a null stack", code, go, COMPAT3, 3, GP, 0);
        bad_return("stack with another RPL", code, go, USER_CODE, USER_DATA & ~1u, GP,
                   USER_DATA & ~3u);
        bad_return("stack with another DPL", code, go, USER_CODE, KERNEL_DATA | 3, GP, KERNEL_DATA);
        gdt[STACK_SLOT] = descriptor(0, 0xfffff, (DATA32 | DPL(3)) & ~0x80u);
        if (strict()) {
            bad_return("stack not present", code, go, USER_CODE, SELECTOR(STACK_SLOT) | 3, SS,
                       SELECTOR(STACK_SLOT));
            bad_return("return to no canonical address", code, NOT_CANONICAL, USER_CODE, USER_DATA,
                       GP, 0);
            bad_return("return to compatibility mode beyond its limit", code, 0x100000000, COMPAT3,
                       USER_DATA, GP, 0);
        }
    }
    u64 sp = (u64) low_stack + sizeof low_stack;
    u64 words[] = {go, USER_CODE, 2, sp, USER_DATA};
    struct context c = at_ring(KERNEL_CODE);
    c.ip = (u64) iret_q;
    c.flags |= NT;
    run_with(&c, words, 5);
    ended("IRET with NT", &c, GP, 0, iret_q);
    /* A stack pointer that is not canonical is no fault yet. */
    u64 far_stack[] = {go, USER_CODE, 2, NOT_CANONICAL, USER_DATA};
    c = returning(iret_q, 8, KERNEL_CODE, far_stack, 5);
    finished("IRET to a stack that is not canonical", &c);
    check("RSP that is not canonical", c.sp, NOT_CANONICAL);
    u64 small[] = {(u16) go, USER_CODE, 0x8d7, (u16) sp, USER_DATA};
    c = returning(iret_w, 2, KERNEL_CODE, small, 5);
    check("RSP after IRET of 16 bits", c.vector == PF ? c.sp : (u16) sp, (u16) sp);
}

GUEST("gates64") {
    pic_mask(0xffff);
    for (int i = 0; i < 3; i++) {
        *task_stack(i) = stack_top(i);
    }
    for (int i = 1; i < 8; i++) {
        *task_stack(i + 3) = stack_top(i) - (u64) i; /* not aligned */
    }
    for (u32 i = 1; i < 3; i++) {
        gdt[RING_SLOT + 2 * i - 2] = descriptor(0, 0xfffff, CODE64 | DPL(i));
        gdt[RING_SLOT + 2 * i - 1] = descriptor(0, 0xfffff, DATA32 | DPL(i));
    }
    gdt[COMPAT0_SLOT] = descriptor(0, 0xfffff, CODE32);
    gdt[COMPAT3_SLOT] = descriptor(0, 0xfffff, CODE32 | DPL(3));
    far_pointer.offset = 0;
    call_gates();
    bad_call_gates();
    interrupts();
    bad_vectors();
    returns();
    bad_returns();
}
