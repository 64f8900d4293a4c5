/*
 * Segments: what may be loaded where (APM volume 2, 4.7 to 4.9), limits of data, stack and code (4.12),
 * 16-bit stacks, LAR, LSL, VERR, VERW, ARPL, LLDT, LTR, and real mode with large segments. QEMU's TCG
 * has no limits and few rights at the access itself: those checks are strict.
 */
#include "micro.h"

#define TEST_SLOT 8
#define TEST SELECTOR(TEST_SLOT)
#define STACK_SLOT 9
#define CODE_SLOT 10
#define LDT_SLOT 11
#define RING_SLOT 12 /* code and data of rings 1 and 2 */

#define DATA 0x10
#define CODE 0x18
#define PRESENT 0x80
#define BIG 0x400
#define GRANULAR 0x800

static u8 area[0x3000] __attribute__((aligned(4096)));
#define BASE ((u32) area + 0x1000)

struct pseudo {
    u16 limit;
    u32 base;
} __attribute__((packed));

static struct context at_ring(int cpl) {
    struct context c = in_ring(cpl);
    if (cpl == 1 || cpl == 2) {
        c.cs = SELECTOR(RING_SLOT + 2 * cpl - 2) | cpl;
        c.ds = c.es = c.ss = SELECTOR(RING_SLOT + 2 * cpl - 1) | cpl;
    }
    return c;
}

/* --- what may be loaded: every type, presence, DPL, RPL and CPL --- */

SNIPPET(load_fs, "mov %eax, %fs")
SNIPPET(load_ss, "mov %eax, %ss")
SNIPPET(far_jump, "ljmp *(%ebx)\n .globl far_jump_target\n far_jump_target: nop")
SNIPPET(inspect, "xor %esi, %esi\n mov $0x55555555, %ecx\n mov %ecx, %edx\n"
                 "lar %eax, %ecx\n jnz 1f\n or $1, %esi\n"
                 "1: lsl %eax, %edx\n jnz 1f\n or $2, %esi\n"
                 "1: verr %ax\n jnz 1f\n or $4, %esi\n"
                 "1: verw %ax\n jnz 1f\n or $8, %esi\n 1:")
extern u8 far_jump_target[];

static u32 type, dpl, rpl, cpl, present;
static u32 outer;

static void compare(const char *what, u64 got, u64 want) {
    if (got != want) {
        print("type ");
        print_hex(type);
        print(" P ");
        print_hex(present);
        print(" DPL ");
        print_hex(dpl);
        print(" RPL ");
        print_hex(rpl);
        print(" CPL ");
        print_hex(cpl);
        print("\n");
        check(what, got, want);
    }
}

static void place(void) {
    u32 limit = (type & 0x1c) == 0x14 ? 0 : 0xfffff; /* expand-down: all above 4 KiB */
    gdt[TEST_SLOT] = descriptor(0, limit, type | present | dpl << 5 | BIG | GRANULAR);
}

static int accessed(void) {
    return gdt[TEST_SLOT] >> 40 & 1;
}

static int is_code(void) {
    return (type & 0x18) == CODE;
}

static int conforming(void) {
    return (type & 0x1c) == 0x1c;
}

/* Runs with the test's selector in EAX. */
static struct context with_selector(u8 *code) {
    struct context c = at_ring(cpl);
    c.ip = (u32) code;
    c.ax = TEST | rpl;
    place();
    run(&c);
    return c;
}

static void expect(const char *what, struct context *c, u32 vector) {
    compare(what, c->vector, vector);
    compare(what, c->error, vector == END_OF_RUN ? 0 : TEST);
}

static void data_register(void) {
    struct context c = with_selector(load_fs);
    int fits = (type & 0x10) && (!is_code() || (type & 2)) && (conforming() || dpl >= outer);
    expect("load of FS", &c, !fits ? GP : !present ? NP : END_OF_RUN);
    compare("FS after a load", c.fs, c.vector == END_OF_RUN ? TEST | rpl : 0);
    compare("accessed bit after a load of FS", accessed(), (type & 1) || c.vector == END_OF_RUN);
}

static void stack_register(void) {
    struct context c = with_selector(load_ss);
    int fits = (type & 0x1a) == 0x12 && dpl == cpl && rpl == cpl;
    expect("load of SS", &c, !fits ? GP : !present ? SS : END_OF_RUN);
    compare("accessed bit after a load of SS", accessed(), (type & 1) || c.vector == END_OF_RUN);
}

static void code_register(void) {
    static struct {
        u32 offset;
        u16 selector;
    } __attribute__((packed)) pointer;
    u32 system = type & 0xf;
    if (!(type & 0x10) && (system == 1 || system == 9 || system == 4 || system == 5 || system == 12)) {
        return; /* tasks and gates: other guests */
    }
    pointer.offset = (u32) far_jump_target;
    pointer.selector = TEST | rpl;
    struct context c = at_ring(cpl);
    c.ip = (u32) far_jump;
    c.bx = (u32) &pointer;
    place();
    run(&c);
    int fits = is_code() && (conforming() ? dpl <= cpl : dpl == cpl && rpl <= cpl);
    expect("far jump", &c, !fits ? GP : !present ? NP : END_OF_RUN);
    if (c.vector == END_OF_RUN) {
        compare("CS after a far jump", c.cs, TEST | cpl);
    }
    if (strict()) {
        compare("accessed bit after a far jump", accessed(), (type & 1) || c.vector == END_OF_RUN);
    }
}

static void inspection(void) {
    struct context c = with_selector(inspect);
    u32 system = type & 0xf;
    int ordinary = type >> 4;
    int seen = conforming() || dpl >= outer;
    int lar = seen && (ordinary || (0x1a3e >> system & 1));
    int lsl = seen && (ordinary || (0x0a0e >> system & 1));
    int verr = seen && ordinary && (!is_code() || (type & 2));
    int verw = seen && ordinary && !is_code() && (type & 2);
    expect("LAR, LSL, VERR, VERW", &c, END_OF_RUN);
    compare("ZF of LAR", c.si & 1, lar);
    compare("ZF of LSL", c.si >> 1 & 1, lsl);
    compare("ZF of VERR", c.si >> 2 & 1, verr);
    compare("ZF of VERW", c.si >> 3 & 1, verw);
    /* Bits 16 to 19 are undefined. */
    u32 rights = (u32) (gdt[TEST_SLOT] >> 32) & 0xf0ff00;
    compare("result of LAR", lar ? c.cx & 0xfff0ffff : c.cx, lar ? rights : 0x55555555);
    u32 limit = (type & 0x1c) == 0x14 ? 0xfff : 0xffffffff;
    compare("result of LSL", c.dx, lsl ? limit : 0x55555555);
    compare("LAR leaves the accessed bit", accessed(), type & 1);
}

static void all_types(void) {
    for (cpl = 0; cpl < 4; cpl++) {
        for (rpl = 0; rpl < 4; rpl++) {
            outer = cpl > rpl ? cpl : rpl;
            for (dpl = 0; dpl < 4; dpl++) {
                for (type = 0; type < 32; type++) {
                    for (present = 0; present <= PRESENT; present += PRESENT) {
                        data_register();
                        stack_register();
                        code_register();
                        inspection();
                    }
                }
            }
        }
    }
}

/* --- selectors --- */

SNIPPET(pop_ss, "pushl %eax\n pop %ss")
SNIPPET(load_lss, "push %eax\n push $0\n .globl the_lss\n the_lss: lss (%esp), %ebx")
SNIPPET(load_lfs, "push %eax\n push $77\n lfs (%esp), %ebx")
SNIPPET(lsl_word, "mov $0x55555555, %edx\n .byte 0x66\n lsl %eax, %edx")
SNIPPET(do_lldt, "lldt %ax")
SNIPPET(do_ltr, "ltr %ax")
SNIPPET(do_sldt, "mov $-1, %ecx\n mov %ecx, %edx\n sldt %ecx\n str %edx")
extern u8 the_lss[];

static struct context with(int ring, u8 *code, u32 ax) {
    struct context c = at_ring(ring);
    c.ip = (u32) code;
    c.ax = ax;
    run(&c);
    return c;
}

static void set_limit(u16 limit) {
    struct pseudo p = {limit, (u32) gdt};
    __asm__ volatile("lgdt %0" ::"m"(p));
}

static void selectors(void) {
    struct context c;
    for (u32 i = 0; i < 4; i++) {
        c = with(3, load_fs, i);
        finished("null selector in FS", &c);
        check("null selector in FS keeps its RPL", c.fs, i);
        c = with(0, load_ss, i);
        ended("null selector in SS", &c, GP, 0, load_ss);
    }
    c = with(0, pop_ss, 0);
    ended("null selector popped into SS", &c, GP, 0, pop_ss + 1);
    check("ESP after a POP SS that faulted", c.sp, in_ring(0).sp - 4);
    c = with(0, load_lss, 0);
    ended("null selector in LSS", &c, GP, 0, the_lss);
    check("register of an LSS that faulted", c.bx, 0);
    c = with(3, load_lfs, 3);
    finished("null selector in LFS", &c);
    check("offset of LFS", c.bx, 77);

    gdt[TEST_SLOT] = descriptor(0, 0xfffff, 0xcf3);
    set_limit(TEST + 6);
    c = with(0, load_fs, TEST);
    ended("descriptor cut off by the table's limit", &c, GP, TEST, load_fs);
    c = with(0, inspect, TEST);
    finished("LAR of a descriptor cut off", &c);
    check("LAR of a descriptor cut off", c.si, 0);
    set_limit(TEST + 7);
    c = with(0, load_fs, TEST);
    finished("last descriptor of the table", &c);
    set_limit(sizeof gdt - 1);
    c = with(0, load_fs, 0xfffb);
    ended("selector far beyond the table", &c, GP, 0xfff8, load_fs);

    gdt[TEST_SLOT] = descriptor(0, 0x12345, 0xcf3);
    c = with(0, lsl_word, TEST);
    check("LSL of 16 bits", c.dx, 0x55555fff);
    gdt[TEST_SLOT] = descriptor(0, 0x12345, 0x4f3);
    c = with(0, inspect, TEST);
    check("LSL in bytes", c.dx, 0x12345);
}

static void local_table(void) {
    static u64 ldt[4];
    struct context c;
    ldt[1] = descriptor(0, 0xfffff, 0xcf3);
    c = with(0, load_fs, 0xc);
    ended("selector of a local table without one", &c, GP, 0xc, load_fs);
    gdt[LDT_SLOT] = descriptor((u32) ldt, 15, 0x02);
    c = with(0, do_lldt, SELECTOR(LDT_SLOT));
    ended("LLDT, not present", &c, NP, SELECTOR(LDT_SLOT), do_lldt);
    gdt[LDT_SLOT] = descriptor((u32) ldt, 15, 0x82);
    c = with(0, do_lldt, SELECTOR(LDT_SLOT) | 4);
    ended("LLDT with TI", &c, GP, SELECTOR(LDT_SLOT) | 4, do_lldt);
    c = with(0, do_lldt, KERNEL_DATA);
    ended("LLDT of a data segment", &c, GP, KERNEL_DATA, do_lldt);
    c = with(0, do_lldt, 0x1003);
    ended("LLDT beyond the table", &c, GP, 0x1000, do_lldt);
    c = with(3, do_lldt, SELECTOR(LDT_SLOT));
    ended("LLDT in ring 3", &c, GP, 0, do_lldt);
    c = with(0, do_lldt, SELECTOR(LDT_SLOT) | 3);
    finished("LLDT", &c);
    c = with(3, do_sldt, 0);
    finished("SLDT in ring 3", &c);
    check("SLDT", c.cx, SELECTOR(LDT_SLOT) | 3);
    check("STR", c.dx, TSS_SELECTOR);
    c = with(3, load_fs, 0xf);
    finished("local selector", &c);
    check("accessed bit in the local table", ldt[1] >> 40 & 1, 1);
    c = with(3, load_fs, 0x17);
    ended("local selector beyond the limit", &c, GP, 0x14, load_fs);
    ldt[0] = ldt[1];
    c = with(3, load_fs, 7);
    finished("the first local selector is not null", &c);
    c = with(0, do_lldt, 2);
    finished("LLDT of null", &c);
    c = with(0, load_fs, 0xc);
    ended("selector after the local table has gone", &c, GP, 0xc, load_fs);
}

static void task_register(void) {
    static u8 tss[0x68];
    struct context c;
    if (strict()) {
        c = with(0, do_ltr, 3);
        ended("LTR of null", &c, GP, 0, do_ltr);
    }
    c = with(0, do_ltr, TSS_SELECTOR);
    ended("LTR of a busy task", &c, GP, TSS_SELECTOR, do_ltr);
    c = with(0, do_ltr, TSS_SELECTOR | 4);
    ended("LTR with TI", &c, GP, TSS_SELECTOR | 4, do_ltr);
    c = with(0, do_ltr, KERNEL_DATA);
    ended("LTR of a data segment", &c, GP, KERNEL_DATA, do_ltr);
    c = with(3, do_ltr, TSS_SELECTOR);
    ended("LTR in ring 3", &c, GP, 0, do_ltr);
    gdt[TEST_SLOT] = descriptor((u32) tss, 0x67, 0x09);
    c = with(0, do_ltr, TEST);
    ended("LTR, not present", &c, NP, TEST, do_ltr);
    check("busy bit of a task not present", gdt[TEST_SLOT] >> 40 & 2, 0);
}

SNIPPET(arpl_register, "arpl %cx, %ax\n setz %dl")
SNIPPET(arpl_memory, "arpl %cx, (%ebx)\n setz %dl")

static void arpl(void) {
    for (u32 a = 0; a < 4; a++) {
        for (u32 b = 0; b < 4; b++) {
            struct context c = in_ring(3);
            static u32 word;
            c.ip = (u32) arpl_register;
            c.ax = 0xabcd1230 | a;
            c.cx = 0xffff5570 | b;
            run(&c);
            check("ARPL of a register", c.ax, 0xabcd1230 | (a < b ? b : a));
            check("ZF of ARPL", c.dx, a < b);
            c.ip = (u32) arpl_memory;
            c.bx = (u32) &word;
            word = 0xabcd1230 | a;
            run(&c);
            check("ARPL of memory", word, 0xabcd1230 | (a < b ? b : a));
        }
    }
}

/* --- limits and rights of accesses --- */

SNIPPET(read_1, "movb %fs:(%ebx), %al")
SNIPPET(read_2, "movw %fs:(%ebx), %ax")
SNIPPET(read_4, "movl %fs:(%ebx), %eax")
SNIPPET(read_8, "cmpxchg8b %fs:(%ebx)")
SNIPPET(write_1, "movb %al, %fs:(%ebx)")
SNIPPET(write_2, "movw %ax, %fs:(%ebx)")
SNIPPET(write_4, "movl %eax, %fs:(%ebx)")
SNIPPET(modify_4, "incl %fs:(%ebx)")
SNIPPET(string_4, "rep lodsl %fs:(%esi)")
SNIPPET(bit_test, "btl %eax, %fs:(%ebx)")

static void limits(void) {
    static const struct {
        const char *what;
        u32 limit, attributes, offset;
        u8 bytes, fits;
    } cases[] = {
        {"limit, last byte", 0xfff, 0x4f3, 0xfff, 1, 1},
        {"limit, one beyond", 0xfff, 0x4f3, 0x1000, 1, 0},
        {"limit, last word", 0xfff, 0x4f3, 0xffe, 2, 1},
        {"limit, word across", 0xfff, 0x4f3, 0xfff, 2, 0},
        {"limit, last doubleword", 0xfff, 0x4f3, 0xffc, 4, 1},
        {"limit, doubleword across by 1", 0xfff, 0x4f3, 0xffd, 4, 0},
        {"limit, doubleword across by 3", 0xfff, 0x4f3, 0xfff, 4, 0},
        {"limit, last quadword", 0xfff, 0x4f3, 0xff8, 8, 1},
        {"limit, quadword across", 0xfff, 0x4f3, 0xff9, 8, 0},
        {"limit, offset near 4 GiB", 0xfff, 0x4f3, 0xffffffff, 1, 0},
        {"limit, doubleword around 4 GiB", 0xfff, 0x4f3, 0xfffffffe, 4, 0},
        {"limit 0, its byte", 0, 0x4f3, 0, 1, 1},
        {"limit 0, a word", 0, 0x4f3, 0, 2, 0},
        {"granular limit 0, last byte", 0, 0xcf3, 0xfff, 1, 1},
        {"granular limit 0, one beyond", 0, 0xcf3, 0x1000, 1, 0},
        {"a 16-bit segment is as large as its limit says", 1, 0x8f3, 0x1fff, 1, 1},
        {"a 16-bit segment, one beyond", 1, 0x8f3, 0x2000, 1, 0},
        {"286 descriptor, last byte", 0x1fff, 0x0f3, 0x1fff, 1, 1},
        {"286 descriptor, one beyond", 0x1fff, 0x0f3, 0x2000, 1, 0},
        {"expand-down, at the limit", 0xfff, 0x4f7, 0xfff, 1, 0},
        {"expand-down, above the limit", 0xfff, 0x4f7, 0x1000, 1, 1},
        {"expand-down, word across", 0xfff, 0x4f7, 0xfff, 2, 0},
        {"expand-down, offset 0", 0xfff, 0x4f7, 0, 4, 0},
        {"expand-down, last byte", 0xfff, 0x4f7, 0xffffffff, 1, 1},
        {"expand-down, last doubleword", 0xfff, 0x4f7, 0xfffffffc, 4, 1},
        {"expand-down, doubleword across the end", 0xfff, 0x4f7, 0xfffffffd, 4, 0},
        {"16-bit expand-down, at the limit", 0xfff, 0x0f7, 0xfff, 1, 0},
        {"16-bit expand-down, above the limit", 0xfff, 0x0f7, 0x1000, 1, 1},
        {"16-bit expand-down, last byte", 0xfff, 0x0f7, 0xffff, 1, 1},
        {"16-bit expand-down, word across the end", 0xfff, 0x0f7, 0xffff, 2, 0},
        {"16-bit expand-down, beyond 64 KiB", 0xfff, 0x0f7, 0x10000, 1, 0},
        {"16-bit expand-down, limit 0xffff", 0xffff, 0x0f7, 0xffff, 1, 0},
        {"granular expand-down, at the limit", 0, 0xcf7, 0xfff, 1, 0},
        {"granular expand-down, above the limit", 0, 0xcf7, 0x1000, 1, 1},
        {"granular expand-down with nothing in it", 0xfffff, 0xcf7, 0xffffffff, 1, 0},
    };
    for (u32 i = 0; i < sizeof cases / sizeof *cases; i++) {
        static u8 *const readers[] = {read_1, read_2, read_4, read_8};
        static u8 *const writers[] = {write_1, write_2, write_4, read_8};
        int size = cases[i].bytes == 1 ? 0 : cases[i].bytes == 2 ? 1 : cases[i].bytes == 4 ? 2 : 3;
        gdt[TEST_SLOT] = descriptor(BASE, cases[i].limit, cases[i].attributes);
        for (int write = 0; write < 2; write++) {
            struct context c = in_ring(3);
            u8 *code = write ? writers[size] : readers[size];
            c.fs = TEST | 3;
            c.bx = cases[i].offset;
            c.ip = (u32) code;
            run(&c);
            if (cases[i].fits) {
                finished(cases[i].what, &c);
            } else {
                ended(cases[i].what, &c, GP, 0, code);
            }
        }
    }
}

static struct context through(u32 attributes, u8 *code) {
    struct context c = in_ring(3);
    gdt[TEST_SLOT] = descriptor(BASE, 0xfff, attributes);
    c.fs = TEST | 3;
    c.ip = (u32) code;
    run(&c);
    return c;
}

SNIPPET(read_own, "movl %cs:0, %eax")
SNIPPET(write_own, "movl %eax, %cs:0")
SNIPPET(null_string, "movl $1, %ecx\n xor %edi, %edi\n .globl the_stos\n the_stos: rep stosb")
SNIPPET(no_string, "xor %ecx, %ecx\n rep stosb")
extern u8 the_stos[];

static void rights(void) {
    struct context c = through(0x4f1, read_4);
    finished("read of a read-only segment", &c);
    c = through(0x4f1, write_4);
    ended("write to a read-only segment", &c, GP, 0, write_4);
    c = through(0x4f1, modify_4);
    ended("read and write of a read-only segment", &c, GP, 0, modify_4);
    c = through(0x4f5, write_4);
    ended("write to a read-only expand-down segment", &c, GP, 0, write_4);
    c = through(0x4fb, read_4);
    finished("read of a readable code segment", &c);
    c = through(0x4fb, write_4);
    ended("write to a code segment", &c, GP, 0, write_4);
    c = in_ring(3);
    c.fs = 3;
    c.ip = (u32) read_1;
    run(&c);
    ended("read through a null selector", &c, GP, 0, read_1);

    /* A counter of doublewords that leaves the segment in the middle. */
    gdt[TEST_SLOT] = descriptor(BASE, 0xff, 0x4f3);
    c = in_ring(3);
    c.fs = TEST | 3;
    c.si = 0xf0;
    c.cx = 9;
    c.ip = (u32) string_4;
    run(&c);
    ended("string that leaves the segment", &c, GP, 0, string_4);
    check("count left of a string that leaves the segment", c.cx, 5);
    check("ESI of a string that leaves the segment", c.si, 0x100);
    c = in_ring(3);
    c.fs = TEST | 3;
    c.ax = 0x800;
    c.ip = (u32) bit_test;
    run(&c);
    ended("bit beyond the segment", &c, GP, 0, bit_test);

    gdt[CODE_SLOT] = descriptor(0, 0xfffff, 0xcf9);
    c = in_ring(3);
    c.cs = SELECTOR(CODE_SLOT) | 3;
    c.ip = (u32) read_own;
    run(&c);
    ended("read of an execute-only segment", &c, GP, 0, read_own);
    c = in_ring(3);
    c.ip = (u32) write_own;
    run(&c);
    ended("write to the own code segment", &c, GP, 0, write_own);
    c = in_ring(3);
    c.es = 0;
    c.ip = (u32) null_string;
    run(&c);
    ended("string to a null segment", &c, GP, 0, the_stos);
    c = in_ring(3);
    c.es = 0;
    c.ip = (u32) no_string;
    run(&c);
    finished("string of no elements to a null segment", &c);
}

/* --- stacks --- */

/* IRET to a 16-bit stack leaves the upper half of ESP, so the code sets it first. */
#define ON_STACK(name, text) SNIPPET(name, "mov %ebp, %esp\n" text)
#define STACK_PREFIX 2
ON_STACK(push_4, "push %eax")
ON_STACK(push_2, "pushw %ax")
ON_STACK(pop_4, "pop %eax")
ON_STACK(pop_2, "popw %ax")
ON_STACK(push_all, "pusha")
ON_STACK(pop_all, "popa")
ON_STACK(do_enter, "enter $0x10, $0")
ON_STACK(do_enter_2, "enter $4, $2")
ON_STACK(do_leave, "leave")
ON_STACK(by_ebp, "movl (%ebp), %eax")
ON_STACK(by_ebp_ds, "movl %ds:(%ebp), %eax")
ON_STACK(call_near, "call call_near_end")
ON_STACK(ret_near, "ret $4")

static struct context on_stack(u32 limit, u32 attributes, u32 sp, u8 *code) {
    struct context c = in_ring(3);
    gdt[STACK_SLOT] = descriptor(BASE, limit, attributes);
    c.ss = SELECTOR(STACK_SLOT) | 3;
    c.bp = sp;
    c.ax = 0x11223344;
    c.ip = (u32) code;
    run(&c);
    return c;
}

static void stack_widths(void) {
    struct context c = on_stack(0xffff, 0x0f3, 0x12340100, push_4);
    finished("push on a 16-bit stack", &c);
    check("ESP after a push on a 16-bit stack", c.sp, 0x123400fc);
    check("what a push on a 16-bit stack wrote", *(u32 *) (BASE + 0xfc), 0x11223344);
    c = on_stack(0xffff, 0x0f3, 0x123400fc, pop_4);
    check("ESP after a pop from a 16-bit stack", c.sp, 0x12340100);
    check("what a pop from a 16-bit stack read", c.ax, 0x11223344);
    c = on_stack(0xffff, 0x0f3, 0x12340000, push_2);
    finished("a 16-bit stack wraps", &c);
    check("ESP after a 16-bit stack wrapped", c.sp, 0x1234fffe);
    c = on_stack(0xffff, 0x0f3, 0x1234fffe, pop_2);
    finished("a 16-bit stack wraps back", &c);
    check("ESP after a 16-bit stack wrapped back", c.sp, 0x12340000);
    c = on_stack(0xffff, 0x0f3, 0x12340010, push_all);
    finished("PUSHA around the end of a 16-bit stack", &c);
    check("ESP after PUSHA around the end", c.sp, 0x1234fff0);
    check("ESP as PUSHA stores it", *(u32 *) (BASE + 0xfffc), 0x12340010);
    c = on_stack(0xffff, 0x0f3, 0x1234fff0, pop_all);
    finished("POPA around the end of a 16-bit stack", &c);
    check("ESP after POPA around the end", c.sp, 0x12340010);
    check("EAX from POPA around the end", c.ax, 0x11223344);
    c = on_stack(0xffff, 0x0f3, 0x56780100, do_enter);
    check("ESP after ENTER on a 16-bit stack", c.sp, 0x567800ec);
    check("EBP after ENTER on a 16-bit stack", c.bp & 0xffff, 0xfc);
    c = on_stack(0xffff, 0x0f3, 0x56780100, do_leave);
    check("ESP after LEAVE on a 16-bit stack", c.sp, 0x56780104);
    c = on_stack(0xffff, 0x0f3, 0x56780002, call_near);
    if (strict()) {
        ended("call across the end of a 16-bit stack", &c, SS, 0, call_near + STACK_PREFIX);
    }
    c = on_stack(0xfffff, 0xcf3, 0x100, push_2);
    check("ESP after a push of 16 bits on a 32-bit stack", c.sp, 0xfe);
    c = on_stack(0xfffff, 0xcf3, 0x100, do_enter_2);
    check("ESP after nested ENTER", c.sp, 0x100 - 16);
    check("EBP after nested ENTER", c.bp, 0xfc);
    check("frame pointer that nested ENTER copies", *(u32 *) (BASE + 0xf4), 0xfc);
}

static void stack_limits(void) {
    static const struct {
        const char *what;
        u32 limit, attributes, sp;
        u8 *code;
        int fits;
    } cases[] = {
        {"push at the limit", 0xfff, 0x4f3, 0x1000, push_4, 1},
        {"push across the limit", 0xfff, 0x4f3, 0x1002, push_4, 0},
        {"push at ESP 0", 0xfff, 0x4f3, 0, push_4, 0},
        {"pop at the limit", 0xfff, 0x4f3, 0xffc, pop_4, 1},
        {"pop across the limit", 0xfff, 0x4f3, 0xffe, pop_4, 0},
        {"pop of 16 bits at the limit", 0xfff, 0x4f3, 0xffe, pop_2, 1},
        {"PUSHA with room", 0xfff, 0x4f3, 0x20, push_all, 1},
        {"PUSHA without room", 0xfff, 0x4f3, 0x1c, push_all, 0},
        {"POPA across the limit", 0xfff, 0x4f3, 0xfe4, pop_all, 0},
        {"[EBP] at the limit", 0xfff, 0x4f3, 0xffc, by_ebp, 1},
        {"[EBP] across the limit", 0xfff, 0x4f3, 0xffd, by_ebp, 0},
        {"RET across the limit", 0xfff, 0x4f3, 0xffd, ret_near, 0},
        {"call without room", 0xfff, 0x4f3, 2, call_near, 0},
        {"ENTER whose frame pointer does not fit", 0xfff, 0x4f3, 2, do_enter, 0},
        {"ENTER whose locals do not fit", 0xfff, 0x4f3, 8, do_enter, 0},
        {"LEAVE across the limit", 0xfff, 0x4f3, 0xffd, do_leave, 0},
        {"push onto an expand-down stack", 0xfff, 0x4f7, 0x1004, push_4, 1},
        {"push below an expand-down stack", 0xfff, 0x4f7, 0x1003, push_4, 0},
        {"push at ESP 0 of an expand-down stack", 0xfff, 0x4f7, 0, push_4, 1},
        {"pop below an expand-down stack", 0xfff, 0x4f7, 0xfff, pop_4, 0},
        {"push of 32 bits around the end of 64 KiB", 0xffff, 0x0f3, 2, push_4, 0},
        {"pop of 32 bits around the end of 64 KiB", 0xffff, 0x0f3, 0xfffe, pop_4, 0},
        {"push on a 16-bit expand-down stack", 0xfff, 0x0f7, 0, push_4, 1},
    };
    for (u32 i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct context c =
                on_stack(cases[i].limit, cases[i].attributes, cases[i].sp, cases[i].code);
        if (cases[i].fits) {
            finished(cases[i].what, &c);
        } else {
            ended(cases[i].what, &c, SS, 0, cases[i].code + STACK_PREFIX);
            check("ESP of a stack access that faulted", c.sp, cases[i].sp);
            check("EBP of a stack access that faulted", c.bp, cases[i].sp);
        }
    }
    gdt[TEST_SLOT] = descriptor(BASE, 0xfff, 0x4f3);
    struct context c = in_ring(3);
    c.ds = TEST | 3;
    c.bp = 0xffd;
    c.ip = (u32) by_ebp_ds;
    run(&c);
    ended("[EBP] with DS is no stack access", &c, GP, 0, by_ebp_ds + STACK_PREFIX);
}

/* --- code --- */

/* Offsets: 0 nop, 1 nop, 2 mov of 5 bytes, 7 jmp short to 0x40, 9 jmp near to 0x1000, 14 nop ... */
SNIPPET(limited, "nop\n nop\n movl $1, %eax\n jmp limited + 0x40\n jmp limited + 0x1000\n nop\n"
                 ".fill 0x31, 1, 0x90\n")
/* The same offset with an operand size of 16 bits. */
SNIPPET(truncated, ".byte 0x66, 0xe9, 0x10, 0x00\n .fill 0x10, 1, 0x90")
SNIPPET(call_out, "mov $0x2000, %eax\n .globl the_call\n the_call: call *%eax")
extern u8 the_call[];

static struct context in_code(u8 *code, u32 limit, u32 attributes, u32 offset) {
    struct context c = in_ring(3);
    gdt[CODE_SLOT] = descriptor((u32) code, limit, attributes);
    c.cs = SELECTOR(CODE_SLOT) | 3;
    c.ip = offset;
    run(&c);
    return c;
}

static void code_limits(void) {
    struct context c = in_code(limited, 0xfff, 0x4fb, 0);
    finished("code within its limit", &c);
    c = in_code(limited, 6, 0x4fb, 0);
    ended("code that runs over its limit", &c, GP, 0, (void *) 7);
    check("the last instruction within the limit is executed", c.ax, 1);
    c = in_code(limited, 5, 0x4fb, 0);
    ended("instruction across the limit", &c, GP, 0, (void *) 2);
    check("an instruction across the limit is not executed", c.ax, 0);
    c = in_code(limited, 1, 0x4fb, 0);
    ended("code segment of two bytes", &c, GP, 0, (void *) 2);
    c = in_code(limited, 0x3f, 0x4fb, 0);
    ended("jump beyond the limit", &c, GP, 0, (void *) 7);
    c = in_code(limited, 0x40, 0x4fb, 7);
    ended("the instruction at the limit is longer", &c, GP, 0, (void *) 0x40);
    c = in_code(limited, 0x100, 0x4fb, 9);
    ended("near jump beyond the limit", &c, GP, 0, (void *) 9);
    c = in_code(limited, 0xfff, 0x4fb, 0);
    finished("code after its limit has grown again", &c);
    c = in_code(call_out, 0x1fff, 0x4fb, 0);
    ended("call beyond the limit", &c, GP, 0, (void *) (the_call - call_out));
    check("ESP of a call beyond the limit", c.sp, in_ring(3).sp);
    c = in_code(limited, 0, 0xcfb, 0);
    finished("code with a limit in pages", &c);
    c = in_code(truncated, 0xfffff, 0xcfb, 0);
    finished("jump of 16 bits", &c);
}

/* --- real mode with large segments --- */

#define REAL 0x6000
/*
 * Copied to 0x6000. EBX is an offset to read through DS, ESI one of the stack; EAX says what came: 0 or
 * the vector. Results: [0x6f00] for DS, [0x6f04] for SS, [0x6f08] what was read.
 */
__asm__(".text\n"
        "real_begin: .code16\n"
        "mov $0x10, %ax\n"
        "mov %cr0, %eax\n and $~1, %al\n mov %eax, %cr0\n"
        "ljmp $0x600, $1f - real_begin\n"
        "1: mov $0x600, %ax\n"
        "mov %ax, %ds\n mov %ax, %ss\n"
        "mov $0x800, %esp\n" /* a new base, the same limits */
        "lidtl %cs:real_idtr - real_begin\n"
        "xor %eax, %eax\n movl %eax, 0xf00\n movl %eax, 0xf04\n"
        "movl %ds:(%ebx), %eax\n"
        "movl %eax, 0xf08\n"
        "1: xor %eax, %eax\n movl %ss:(%esi), %eax\n"
        "2: mov %cr0, %eax\n or $1, %al\n mov %eax, %cr0\n"
        "ljmpl $0x08, $real_back\n"
        "real_gp: movl $13, %cs:0xf00\n add $6, %sp\n jmp 1b\n"
        "real_ss: movl $12, %cs:0xf04\n add $6, %sp\n jmp 2b\n"
        "real_idtr: .word 0x3ff\n .long 0x5000\n"
        "real_end: .code32\n"
        "real_back: mov $0x10, %eax\n mov %eax, %ds\n mov %eax, %es\n mov %eax, %ss\n"
        "mov real_sp, %esp\n popa\n ret\n"
        ".globl real_go\n"
        "real_go: pusha\n mov %esp, real_sp\n mov 36(%esp), %ebx\n mov 40(%esp), %esi\n"
        "mov 44(%esp), %eax\n mov %eax, %ds\n mov %eax, %ss\n"
        "ljmp $0x80, $0\n"
        ".bss\n real_sp: .skip 4\n .text\n");
extern u8 real_begin[], real_end[], real_gp[], real_ss[];
void real_go(u32 ds_offset, u32 ss_offset, u32 selector);

static volatile u32 *result(int index) {
    return (volatile u32 *) (REAL + 0xf00) + index;
}

static void real_mode(void) {
    struct pseudo idtr = {sizeof idt - 1, (u32) idt};
    memcpy((void *) REAL, real_begin, real_end - real_begin);
    volatile u16 *vectors = (volatile u16 *) 0x5000;
    vectors[2 * 13] = (u16) (real_gp - real_begin);
    vectors[2 * 13 + 1] = REAL >> 4;
    vectors[2 * 12] = (u16) (real_ss - real_begin);
    vectors[2 * 12 + 1] = REAL >> 4;
    gdt[16] = descriptor(REAL, 0xffff, 0x09b);
    gdt[TEST_SLOT] = descriptor(0, 0xffff, 0x093);
    static volatile u32 far_away = 0xcafe1234;

    /* Large limits stay when real mode loads its own selectors. */
    real_go((u32) &far_away - REAL, (u32) &far_away - REAL, KERNEL_DATA);
    __asm__ volatile("lidt %0" ::"m"(idtr));
    check("large DS in real mode", *result(0), 0);
    check("what a large DS reads", *result(2), 0xcafe1234);
    check("large SS in real mode", *result(1), 0);
    real_go(0xffffc, 0xfffc, KERNEL_DATA);
    check("large DS in real mode once more", *result(0), 0);
    if (strict()) {
        real_go(0x10000, 0x10000, TEST);
        check("DS beyond 64 KiB in real mode", *result(0), 13);
        check("SS beyond 64 KiB in real mode", *result(1), 12);
        real_go(0xfffd, 0xfffe, TEST);
        check("DS across 64 KiB in real mode", *result(0), 13);
        check("SS across 64 KiB in real mode", *result(1), 12);
        real_go(0xfffc, 0xfffc, TEST);
        check("DS at the end of 64 KiB in real mode", *result(0), 0);
        check("SS at the end of 64 KiB in real mode", *result(1), 0);
    }
    __asm__ volatile("lidt %0" ::"m"(idtr));
}

GUEST("segments") {
    pic_mask(0xffff);
    for (u32 i = 1; i < 3; i++) {
        gdt[RING_SLOT + 2 * i - 2] = descriptor(0, 0xfffff, 0xc9b | i << 5);
        gdt[RING_SLOT + 2 * i - 1] = descriptor(0, 0xfffff, 0xc93 | i << 5);
    }
    all_types();
    selectors();
    local_table();
    task_register();
    arpl();
    stack_widths();
    if (strict()) {
        limits();
        rights();
        stack_limits();
        code_limits();
    }
    real_mode();
}
