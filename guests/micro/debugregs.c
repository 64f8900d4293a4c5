/*
 * Debug registers: which accesses hit which breakpoints, what DR6 and DR7 hold, RF and repetitions, 64-bit
 * addresses, branch trap and branch records (APM volume 2, 13.1). TCG's data breakpoints are not exact.
 */
#include "micro.h"

#define TF 0x100
#define RF 0x10000
#define BS 0x4000
#define EXECUTE 0
#define WRITE 1
#define PORT 2
#define ACCESS 3
#define CR4_DE 8
#define DEBUG_CTL 0x1d9
#define LAST_BRANCH_FROM 0x1db
#define LBR 1
#define BTF 2

static u64 area[8] __attribute__((aligned(64)));

static u64 dr6(void) {
    u64 value;
    __asm__ volatile("mov %%dr6, %0" : "=r"(value));
    return value;
}

static void set_dr6(u64 value) {
    __asm__ volatile("mov %0, %%dr6" ::"r"(value));
}

static u64 dr7(void) {
    u64 value;
    __asm__ volatile("mov %%dr7, %0" : "=r"(value));
    return value;
}

static void set_dr7(u64 value) {
    __asm__ volatile("mov %0, %%dr7" ::"r"(value) : "memory");
}

static u64 length_bits(int bytes) {
    return bytes == 1 ? 0 : bytes == 2 ? 1 : bytes == 8 ? 2 : 3;
}

/* DR7 with breakpoint n of a kind and length. */
static u64 enable(int n, int kind, int bytes) {
    return 0x400 | 2UL << 2 * n | (u64) kind << (16 + 4 * n) | length_bits(bytes) << (18 + 4 * n);
}

static void set_address(int n, const volatile void *at) {
    switch (n) {
        case 0: __asm__ volatile("mov %0, %%dr0" ::"r"(at)); break;
        case 1: __asm__ volatile("mov %0, %%dr1" ::"r"(at)); break;
        case 2: __asm__ volatile("mov %0, %%dr2" ::"r"(at)); break;
        default: __asm__ volatile("mov %0, %%dr3" ::"r"(at)); break;
    }
}

/* --- data --- */

SNIPPET(read_1, "movb (%rbx), %al\n nop")
SNIPPET(read_2, "movw (%rbx), %ax\n nop")
SNIPPET(read_4, "movl (%rbx), %eax\n nop")
SNIPPET(read_8, "movq (%rbx), %rax\n nop")
SNIPPET(write_1, "movb %al, (%rbx)\n nop")
SNIPPET(write_2, "movw %ax, (%rbx)\n nop")
SNIPPET(write_4, "movl %eax, (%rbx)\n nop")
SNIPPET(write_8, "movq %rax, (%rbx)\n nop")

static struct context access(u8 *code, const volatile void *at) {
    struct context c = in_ring(0);
    c.ip = (u64) code;
    c.bx = (u64) at;
    c.di = c.si = (u64) at;
    set_dr6(0);
    run(&c);
    return c;
}

/* Every size at every offset around breakpoints of every length. */
static void data(void) {
    static u8 *const readers[] = {read_1, read_2, read_4, read_8};
    static u8 *const writers[] = {write_1, write_2, write_4, write_8};
    for (int log = 0; log < 4; log++) {
        int length = 1 << log;
        set_address(1, (u8 *) area + 16 + (log ? 1 : 0)); /* the low bits do not count */
        for (int kind = WRITE; kind <= ACCESS; kind += 2) {
            for (int size = 0; size < 4; size++) {
                for (int offset = 6; offset < 28; offset++) {
                    for (int write = 0; write < 2; write++) {
                        u8 *code = write ? writers[size] : readers[size];
                        set_dr7(enable(1, kind, length));
                        struct context c = access(code, (u8 *) area + offset);
                        set_dr7(0x400);
                        int bytes = 1 << size;
                        int touches = offset < 16 + length && offset + bytes > 16;
                        int hit = touches && (write || kind == ACCESS);
                        check("data breakpoint", c.vector, hit ? DB : END_OF_RUN);
                        check("DR6 of a data breakpoint", dr6() & 0xe00f, hit ? 2 : 0);
                    }
                }
            }
        }
    }
}

SNIPPET(do_push, "mov %rbx, %rsp\n push %rax\n nop")
SNIPPET(do_pop, "mov %rbx, %rsp\n pop %rax\n nop")
SNIPPET(do_call, "mov %rbx, %rsp\n call 1f\n nop\n 1: nop")
SNIPPET(do_modify, "incl (%rbx)\n nop")
SNIPPET(do_fault, "movl (%rbx), %eax\n xor %ecx, %ecx\n div %ecx")
SNIPPET(do_movs, "movsb\n nop")
SNIPPET(do_rep, "mov $4, %ecx\n rep stosb\n nop")
SNIPPET(do_lea, "lea (%rbx), %rax\n invlpg (%rbx)\n nop")
SNIPPET(two_reads, "movl (%rbx), %eax\n movl 32(%rbx), %eax\n nop")

static void kinds(void) {
    u8 *at = (u8 *) area + 16;
    set_address(0, at);
    set_dr7(enable(0, ACCESS, 8));
    struct context c = access(do_push, at + 8);
    ended("PUSH onto a breakpoint", &c, DB, 0, do_push_end - 1);
    c = access(do_pop, at);
    ended("POP from a breakpoint", &c, DB, 0, do_pop_end - 1);
    c = access(do_call, at + 8);
    ended("CALL with a breakpoint on its stack", &c, DB, 0, do_call_end - 1);
    c = access(do_modify, at);
    ended("read and write of a breakpoint", &c, DB, 0, do_modify_end - 1);
    c = access(do_lea, at);
    finished("an address alone hits nothing", &c);
    c = access(do_fault, at);
    ended("watched read before a fault", &c, DB, 0, do_fault + 2);
    set_dr7(enable(0, WRITE, 1));
    set_address(0, at + 2);
    c = access(do_rep, at);
    check("breakpoint in a repetition", c.vector, DB);
    check("repetitions left at a breakpoint", c.cx, 1);
    check("address of a breakpoint in a repetition", c.ip, (u64) do_rep + 5);
    /* Two breakpoints at once, one that is not hit, local and global. */
    set_address(0, at);
    set_address(1, at + 1);
    set_address(2, at + 32);
    set_dr7(0x400 | 0x1 | 0x8 | 0x30 | 0xfffUL << 16);
    c = access(two_reads, at);
    ended("two breakpoints at once", &c, DB, 0, two_reads + 2);
    check("DR6 of two breakpoints at once", dr6() & 0xe007, 3);
    set_dr7(0x400);
    c = access(two_reads, at);
    finished("breakpoints that are not enabled", &c);
}

/* --- execution --- */

SNIPPET(three, "nop\n nop\n nop")
SNIPPET(prefixed, ".byte 0x66\n nop\n nop")
SNIPPET(repeated, "mov $3, %ecx\n rep stosb\n nop")

static void execution(void) {
    set_address(3, three + 1);
    set_dr7(enable(3, EXECUTE, 1));
    struct context c = access(three, area);
    ended("execution breakpoint", &c, DB, 0, three + 1);
    check("DR6 of an execution breakpoint", dr6() & 0xe00f, 8);
    check("RF in the image of an execution breakpoint", c.flags & RF, 0);
    set_address(3, prefixed + 1);
    c = access(prefixed, area);
    finished("breakpoint within an instruction", &c);
    set_address(3, prefixed);
    c = access(prefixed, area);
    ended("breakpoint on a prefix", &c, DB, 0, prefixed);
    set_address(3, repeated + 5);
    c = access(repeated, area);
    ended("breakpoint on a repetition", &c, DB, 0, repeated + 5);
    check("repetitions left at its start", c.cx, 3);
    if (strict()) { /* TCG forgets RF with the first one */
        c.flags |= RF;
        run(&c);
        finished("RF lasts for all repetitions", &c);
    }
    /* A step over it: the trap of the instruction before and the breakpoint are two exceptions. */
    set_address(3, three + 1);
    c = in_ring(0);
    c.ip = (u64) three;
    c.flags |= TF;
    set_dr6(0);
    run(&c);
    ended("single step onto a breakpoint", &c, DB, 0, three + 1);
    check("DR6 of a single step onto a breakpoint", dr6() & BS, BS);
    set_dr7(0x400);
}

/* --- registers --- */

static void registers(void) {
    set_dr6(0);
    check("DR6 of zeros", dr6() & 0xffffffff, 0xffff0ff0 & dr6());
    check("DR6 bit 12", dr6() >> 12 & 1, 0);
    set_dr7(0);
    check("DR7 bit 10", dr7(), 0x400);
    set_dr7(0x400);
    if (strict()) {
        check("DR6 of zeros, fixed bits", dr6(), 0xffff0ff0);
        set_dr6(0xffffffff);
        check("DR6 of ones, fixed bits", dr6() & 0xffff1fff, 0xffff0fff);
        ATTEMPT("mov %0, %%dr6", ::"r"(1UL << 32));
        expect_fault("upper bits of DR6", GP, 0);
        ATTEMPT("mov %0, %%dr7", ::"r"(1UL << 32 | 0x400));
        expect_fault("upper bits of DR7", GP, 0);
        set_dr6(0);
    }
    u64 value = 0xffff800012345678;
    __asm__ volatile("mov %0, %%dr2" ::"r"(value));
    u64 back;
    __asm__ volatile("mov %%dr2, %0" : "=r"(back));
    check("DR2 has 64 bits", back, value);
    __asm__ volatile("mov %0, %%dr2" ::"r"(0UL));
    __asm__ volatile("mov %%db4, %0" : "=r"(back));
    check("DR4 is DR6", back, dr6());
    write_cr4(read_cr4() | CR4_DE);
    ATTEMPT("mov %%db4, %%rax", ::: "rax");
    expect_fault("DR4 with CR4.DE", UD, 0);
    ATTEMPT("mov %%rax, %%db5", :);
    expect_fault("DR5 with CR4.DE", UD, 0);
    if (strict()) {
        ATTEMPT(".byte 0x44, 0x0f, 0x21, 0xc0", ::: "rax"); /* mov %dr8, %rax */
        expect_fault("DR8", UD, 0);
    }
}

SNIPPET(do_in, "mov $0x80, %edx\n in %dx, %al\n nop")
SNIPPET(do_in_word, "mov $0x7f, %edx\n in %dx, %ax\n nop")
SNIPPET(do_in_other, "mov $0x81, %edx\n in %dx, %al\n nop")

static void ports(void) {
    if (!strict()) {
        return;
    }
    set_address(2, (void *) 0x80);
    set_dr7(enable(2, PORT, 1));
    struct context c = access(do_in, area);
    ended("watched port", &c, DB, 0, do_in_end - 1);
    check("DR6 of a watched port", dr6() & 0xe00f, 4);
    c = access(do_in_word, area);
    ended("watched port in a word", &c, DB, 0, do_in_word_end - 1);
    c = access(do_in_other, area);
    finished("another port", &c);
    set_dr7(0x400);
    write_cr4(read_cr4() & ~(u64) CR4_DE);
}

/* --- branches --- */

SNIPPET(branching, "nop\n jmp 1f\n nop\n 1: nop\n .globl branch_here\n branch_here: jnz 2f\n nop\n 2: nop")
/* A branch that is not taken is not recorded. */
SNIPPET(recorded, "jmp 1f\n nop\n .globl recorded_target\n recorded_target:\n"
                  "1: jnz 2f\n mov $0x1db, %ecx\n rdmsr\n mov %eax, %esi\n"
                  "inc %ecx\n rdmsr\n mov %eax, %edi\n 2: nop")
extern u8 branch_here[], recorded_target[];

static void branches(void) {
    if (!strict()) { /* TCG has neither */
        return;
    }
    write_msr(DEBUG_CTL, BTF);
    struct context c = in_ring(0);
    c.ip = (u64) branching;
    c.flags |= TF;
    set_dr6(0);
    run(&c);
    check("branch trap", c.vector, DB);
    check("address of a branch trap", c.ip, (u64) branch_here - 1);
    check("DR6 of a branch trap", dr6() & BS, BS);
    check("BTF after a branch trap", read_msr(DEBUG_CTL) & BTF, 0);
    write_msr(DEBUG_CTL, BTF);
    c = in_ring(0);
    c.ip = (u64) branch_here;
    c.flags |= TF | 0x40; /* not taken */
    run(&c);
    check("a branch that is not taken does not trap", c.vector, END_OF_RUN);
    write_msr(DEBUG_CTL, LBR);
    c = in_ring(0);
    c.ip = (u64) recorded;
    c.flags |= 0x40; /* ZF */
    run(&c);
    write_msr(DEBUG_CTL, 0);
    finished("branch records", &c);
    check("last branch recorded, where from", c.si, (u64) recorded);
    check("last branch recorded, where to", c.di, (u64) recorded_target);
}

GUEST("debugregs") {
    pic_mask(0xffff);
    registers();
    execution();
    if (strict()) {
        data();
        kinds();
    }
    ports();
    branches();
}
