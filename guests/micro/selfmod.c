/*
 * Code changed by what is no ordinary store: frames of interrupts and calls, accessed bits of descriptors
 * and page tables, task state, string instructions that run over themselves, single steps; and code that
 * crosses into a page that changes (APM volume 2, 7.6.1; SDM volume 3, 8.1.3). `smc` has the ordinary ones.
 * Cross-modifying code needs a second processor; with one, another mapping of the code stands for it.
 */
#include "micro.h"

#define TF 0x100
#define PAGE 4096
#define RET 0xc3
#define WINDOW 0x10000000u

static u8 area[4 * PAGE] __attribute__((aligned(4096)));
static u32 directory[1024] __attribute__((aligned(4096)));
static u32 table[1024] __attribute__((aligned(4096)));

static u32 call(const void *code) {
    u32 result;
    __asm__ volatile("call *%1" : "=a"(result) : "r"(code) : "ecx", "edx", "memory");
    return result;
}

/* mov $value, %eax; ret */
static void put(u8 *at, u32 value) {
    at[0] = 0xb8;
    memcpy(at + 1, &value, 4);
    at[5] = 0xc3;
}

/*
 * --- pushes of the processor ---
 *
 * The lowest word goes where the constant of MOV is; what comes above has 0xc3, which is RET, in its lowest
 * byte. So code of ring 3 runs by a selector that ends so.
 */

#define RET_SELECTOR 0xc3

SNIPPET(do_int, "int $0x90")
SNIPPET(arrive, "mov %edx, %esp")
SNIPPET(far_call, "lcall $0x1b, $far_call_end")

static void frames(void) {
    u8 *code = area + 0x100;
    u32 *tss = task_state();
    gdt[RET_SELECTOR >> 3] = descriptor(0, 0xfffff, 0xcfb);
    ((u64 *) idt)[0x90] = gate(KERNEL_CODE, (u32) arrive, 0xee, 0);
    struct context c = in_ring(3);
    put(code, 1);
    check("code before an interrupt's frame", call(code), 1);
    u32 old = tss[1];
    tss[1] = (u32) code + 1 + 20;
    c.cs = RET_SELECTOR;
    c.ip = (u32) do_int;
    c.dx = old;
    run(&c);
    tss[1] = old;
    finished("interrupt whose frame is code", &c);
    check("code after an interrupt's frame", call(code), (u32) do_int_end);

    put(code, 1);
    check("code before a far call", call(code), 1);
    c = in_ring(3);
    c.cs = RET_SELECTOR;
    c.ip = (u32) far_call;
    c.sp = (u32) code + 1 + 8;
    run(&c);
    finished("far call that pushes over code", &c);
    check("code after a far call", call(code), (u32) far_call_end);

    put(code, 1);
    check("code before PUSHA", call(code), 1);
    __asm__ volatile("mov %%esp, %%eax\n mov %0, %%esp\n pusha\n mov %%eax, %%esp" ::"r"(
                             code + 1 + 32),
                     "S"(RET), "D"(0x77665544)
                     : "eax", "memory");
    check("code after PUSHA", call(code), 0x77665544);
}

/* --- accessed and dirty bits --- */

static void accessed_bits(void) {
    /* mov $imm, %eax; ret; the byte with the accessed bit is one of the constant. */
    struct {
        u16 limit;
        u32 base;
    } __attribute__((packed)) old, p;
    __asm__ volatile("sgdt %0" : "=m"(old));
    /* A table whose descriptor 12 is code at the same time: B8 lies in byte 4, the type in byte 5. */
    static u64 other[64];
    memcpy(other, gdt, sizeof gdt);
    other[12] = descriptor(0, 0xffff, 0xc92); /* not accessed */
    ((u8 *) &other[12])[4] = 0xb8;
    ((u8 *) &other[12])[6] = 0xcf;
    ((u8 *) &other[12])[7] = 0x00;
    ((u8 *) &other[13])[1] = 0xc3;
    p.limit = sizeof other - 1;
    p.base = (u32) other;
    u8 *code = (u8 *) &other[12] + 4; /* mov $0x....cf92, %eax; ret */
    u32 before = call(code);
    check("code that is a descriptor", before & 0xffff, 0xcf92);
    __asm__ volatile("lgdt %0; mov %w1, %%fs; mov %w2, %%fs; lgdt %3" ::"m"(p), "r"(12 * 8), "r"(0),
                     "m"(old));
    check("code after its accessed bit was set", call(code) & 0xffff, 0xcf93);

    /* An entry of the page table: A lies in byte 0, so the constant begins there. */
    for (u32 i = 0; i < 16; i++) {
        directory[i] = i << 22 | 0x83;
    }
    directory[WINDOW >> 22] = (u32) table | 3;
    for (u32 i = 0; i < 4; i++) {
        table[i] = (u32) (area + i * PAGE) | 3;
    }
    write_cr4(read_cr4() | CR4_PSE);
    write_cr3((u32) directory);
    write_cr0(read_cr0() | CR0_PG | CR0_WP);
    u8 *entry = (u8 *) &table[8];
    table[8] = (u32) area | 3;
    entry[-1] = 0xb8;
    entry[4] = 0xc3;
    check("code that is a page table", call(entry - 1), (u32) area | 3);
    (void) *(volatile u8 *) (WINDOW + 8 * PAGE);
    check("code after its page was read", call(entry - 1), (u32) area | 0x23);
    *(volatile u8 *) (WINDOW + 8 * PAGE) = 0;
    check("code after its page was written", call(entry - 1), (u32) area | 0x63);
}

/* --- strings that run over themselves --- */

static void strings(void) {
    /* mov $9, %ecx; rep stosb; then NOPs that are INC EAX in the end, 8 of them; ret */
    u8 *code = area + 0x200;
    memset(code, 0x90, 64);
    static const u8 begin[] = {0xb9, 8, 0, 0, 0, 0xf3, 0xaa, 0x31, 0xc0};
    memcpy(code, begin, sizeof begin);
    code[sizeof begin + 8] = 0xc3;
    u32 result;
    for (int i = 0; i < 3; i++) {
        memset(code + sizeof begin, 0x90, 8);
        u8 *to = code + sizeof begin;
        __asm__ volatile("call *%2"
                         : "=a"(result), "+D"(to)
                         : "r"(code), "0"(0x40)
                         : "ecx", "memory");
        check("STOS over the code behind it", result, 8);
    }
    /* The same by MOVS: mov $6, %ecx; rep movsb; then what is copied. */
    static const u8 copy[] = {0xb9, 6, 0, 0, 0, 0xf3, 0xa4, 0x90, 0x90, 0x90, 0x90, 0x90, 0xc3};
    static const u8 source[2][6] = {{0xb8, 0x44, 0x33, 0x22, 0x11, RET},
                                    {0x31, 0xc0, 0x90, 0x40, 0x40, RET}};
    for (int i = 0; i < 6; i++) {
        memcpy(code, copy, sizeof copy);
        u32 to = (u32) code + 7, from = (u32) source[i & 1], left = 1;
        __asm__ volatile("call *%4"
                         : "=a"(result), "+c"(left), "+D"(to), "+S"(from)
                         : "b"(code)
                         : "edx", "memory");
        check("MOVS over the code behind it", result, i & 1 ? 2 : 0x11223344);
        check("MOVS over the code behind it, target", to, (u32) code + 13);
    }
}

/* --- single steps --- */

/* The store changes the instruction behind it, which traps before it runs. */
SNIPPET(stepping, "push $0x102\n popf\n movb $0x22, 1f + 1\n 1: mov $0x11, %al\n nop")

static void steps(void) {
    for (int i = 0; i < 2; i++) {
        struct context c = in_ring(0);
        c.ip = (u32) stepping;
        run(&c);
        check("trap after a store into the next instruction", c.vector, DB);
        check("address of a trap after a store", c.ip, (u32) stepping_end - 3);
        c.flags &= ~(u32) TF;
        run(&c);
        finished("the changed instruction", &c);
        check("result of the changed instruction", c.ax & 0xff, 0x22);
        __asm__ volatile("movb $0x11, stepping_end - 2" ::: "memory");
    }
}

/* --- across pages, another mapping, another page --- */

static void across(void) {
    volatile u8 *window = (volatile u8 *) WINDOW;
    u8 *code = area + PAGE - 3; /* three bytes of MOV in the first page */
    put(code, 0x01020304);
    for (u32 i = 0; i < 50; i++) {
        *(volatile u8 *) (area + PAGE) = (u8) i; /* in the second page */
        check("second page changed", call(code), 0x01000304 | i << 16);
        check("the same through another mapping", call((void *) (window + PAGE - 3)),
              0x01000304 | i << 16);
        window[PAGE - 2] = (u8) i; /* in the first page, through the other mapping */
        check("first page changed through another mapping", call(code), 0x01000300 | i << 16 | i);
        window[PAGE - 2] = 4;
    }
    /* The second page is exchanged for another. */
    memcpy(area + 2 * PAGE, area + PAGE, 16);
    area[2 * PAGE] = 0x99;
    check("before the second page is exchanged", call((void *) (window + PAGE - 3)), 0x01310304);
    table[1] = (u32) (area + 2 * PAGE) | 3;
    invlpg(WINDOW + PAGE);
    check("after the second page was exchanged", call((void *) (window + PAGE - 3)), 0x01990304);
    table[1] = (u32) (area + PAGE) | 3;
    write_cr3(read_cr3());
    check("after it was exchanged back", call((void *) (window + PAGE - 3)), 0x01310304);
    /* And for none. */
    table[1] = 0;
    invlpg(WINDOW + PAGE);
    ATTEMPT("jmp *%0", ::"b"(window + PAGE - 3) : "eax", "memory");
    expect_vector("second page gone", PF, 0);
    check("address of code whose second page is gone", caught.ip, WINDOW + PAGE - 3);
    check("CR2 of code whose second page is gone", caught.cr2, WINDOW + PAGE);
    table[1] = (u32) (area + PAGE) | 3;
    invlpg(WINDOW + PAGE);
}

/* --- the length changes --- */

static void lengths(void) {
    u8 *code = area + 0x300;
    static const u8 forms[][8] = {
        {0xb8, 1, 0, 0, 0, 0x40, 0x40, 0xc3},          /* mov $1; inc; inc; ret */
        {0x66, 0xb8, 1, 0, 0x31, 0xc0, 0x40, 0xc3},    /* mov $1, %ax; xor; inc; ret */
        {0x31, 0xc0, 0x83, 0xc0, 0x7f, 0x90, 0x90, 0xc3}, /* xor; add $0x7f; nop; nop; ret */
        {0x31, 0xc0, 0xeb, 0x02, 0x40, 0x40, 0x40, 0xc3}, /* xor; jmp over two; inc; ret */
    };
    static const u32 results[] = {3, 1, 0x7f, 1};
    for (int round = 0; round < 40; round++) {
        int i = round * 7 % 4;
        memcpy(code, forms[i], 8);
        check("instructions of other lengths", call(code), results[i]);
    }
    /* A prefix comes and goes: the operand size, REP, LOCK to #UD. */
    static const u8 prefixed[] = {0x90, 0xff, 0x05, 0, 0, 0, 0, 0xc3}; /* nop; incl address; ret */
    static u32 counter;
    memcpy(code, prefixed, sizeof prefixed);
    u32 address = (u32) &counter;
    memcpy(code + 3, &address, 4);
    counter = 0xffff;
    call(code);
    check("INC of 32 bits", counter, 0x10000);
    counter = 0xffff;
    *(volatile u8 *) code = 0x66;
    call(code);
    check("INC of 16 bits", counter, 0);
    *(volatile u8 *) code = 0xf0;
    call(code);
    check("INC with LOCK", counter, 1);
}

GUEST("selfmod") {
    pic_mask(0xffff);
    frames();
    strings();
    steps();
    lengths();
    accessed_bits();
    across();
}
