/*
 * Page faults of accesses that the processor makes by itself (descriptors, gates, task state, the
 * permission bitmap: as supervisor, whatever the ring; APM volume 2, 5.6, 8.4.2), and of instructions that
 * touch several places: no register has changed, and the error code and CR2 tell the part that failed.
 */
#include "micro.h"

#define PAGE 4096
#define WINDOW 0x10000000u
#define AT(page, offset) (WINDOW + (page) * PAGE + (offset))
#define GONE AT(2, 0) /* the first page that is not there; 0 and 1 are */
#define READ_ONLY AT(8, 0)
#define RING_SLOT 20
#define RING1_CODE (SELECTOR(RING_SLOT) | 1)
#define RING1_DATA (SELECTOR(RING_SLOT + 1) | 1)
#define GATE SELECTOR(RING_SLOT + 2)

static u32 directory[1024] __attribute__((aligned(4096)));
static u32 table[1024] __attribute__((aligned(4096)));
static u8 frames[3 * PAGE] __attribute__((aligned(4096)));

static u8 *memory(u32 address) {
    return frames + (address - WINDOW);
}

static struct context start(u8 *code) {
    struct context c = in_ring(3);
    c.ip = (u32) code;
    c.ax = 0x11111111;
    c.cx = 0x22222222;
    c.dx = 0x33333333;
    c.bx = 0x44444444;
    c.bp = 0x55555555;
    c.si = 0x66666666;
    c.di = 0x77777777;
    c.flags = 0x8d7;
    return c;
}

/* Runs and expects a page fault that changed nothing. */
static void page_fault(const char *what, struct context c, u8 *code, u32 error, u32 address) {
    struct context before = c;
    run(&c);
    ended(what, &c, PF, error, code);
    check(what, c.cr2, address);
    check(what, c.ax, before.ax);
    check(what, c.cx, before.cx);
    check(what, c.dx, before.dx);
    check(what, c.bx, before.bx);
    check(what, c.sp, before.sp);
    check(what, c.bp, before.bp);
    check(what, c.si, before.si);
    check(what, c.di, before.di);
    check(what, c.flags & ~0x10000u, before.flags);
    check(what, c.cs, before.cs);
    check(what, c.ss, before.ss);
    check(what, c.ds, before.ds);
    check(what, c.es, before.es);
    check(what, c.fs, before.fs);
}

/* --- the processor's own accesses --- */

SNIPPET(load_fs, "mov %ax, %fs")
SNIPPET(load_ss, "mov %ax, %ss")
SNIPPET(do_lar, "lar %ax, %cx")
SNIPPET(do_verw, "verw %ax")
SNIPPET(do_int, "int $0x90")
SNIPPET(do_in, "in %dx, %al")
SNIPPET(far_jump, "ljmp $0x0f, $0")
SNIPPET(far_call, "lcall $0x0f, $0")
SNIPPET(far_return, "lret")
SNIPPET(do_iret, "iret")
SNIPPET(call_gate, "lcall $0xb3, $0")
SNIPPET(arrive, "nop")

static void set_ldt(u32 base) {
    gdt[FREE_SLOT] = descriptor(base, 0xffff, 0x082);
    __asm__ volatile("lldt %w0" ::"r"(SELECTOR(FREE_SLOT)));
}

static void descriptors(void) {
    set_ldt(GONE - 8); /* selector 0xf: its descriptor lies in the missing page */
    struct context c = start(load_fs);
    c.ax = 0xf;
    page_fault("descriptor of FS", c, load_fs, 0, GONE);
    c.ip = (u32) load_ss;
    page_fault("descriptor of SS", c, load_ss, 0, GONE);
    c.ip = (u32) do_lar;
    page_fault("descriptor of LAR", c, do_lar, 0, GONE);
    c.ip = (u32) do_verw;
    page_fault("descriptor of VERW", c, do_verw, 0, GONE);
    c.ip = (u32) far_jump;
    page_fault("descriptor of a far jump", c, far_jump, 0, GONE);
    c.ip = (u32) far_call;
    page_fault("descriptor of a far call", c, far_call, 0, GONE);
    u32 words[] = {(u32) arrive, 0xf, 0x2};
    c.sp -= 12;
    memcpy((void *) c.sp, words, 12);
    c.ip = (u32) far_return;
    page_fault("descriptor of a far return", c, far_return, 0, GONE);
    c.ip = (u32) do_iret;
    page_fault("descriptor of IRET", c, do_iret, 0, GONE);

    /* Half of it is there. */
    set_ldt(GONE - 12);
    c = start(load_fs);
    c.ax = 0xf;
    page_fault("descriptor across pages", c, load_fs, 0, GONE);

    if (!strict()) {
        __asm__ volatile("lldt %w0" ::"r"(0));
        return;
    }
    /* Its accessed bit can't be written. TCG writes it as a word, and not for code. */
    set_ldt(READ_ONLY);
    *(u64 *) frames = 0;
    *(u64 *) (frames + 8) = descriptor(0, 0xfffff, 0xcf2);
    page_fault("accessed bit of FS", c, load_fs, 3, READ_ONLY + 13);
    *(u64 *) (frames + 8) = descriptor(0, 0xfffff, 0xcfa);
    c.ip = (u32) far_jump;
    page_fault("accessed bit of a far jump", c, far_jump, 3, READ_ONLY + 13);
    *(u64 *) (frames + 8) = descriptor(0, 0xfffff, 0xcfb);
    c.ip = (u32) load_fs;
    run(&c);
    finished("accessed bit that is set already", &c);
    __asm__ volatile("lldt %w0" ::"r"(0));
}

struct pseudo {
    u16 limit;
    u32 base;
} __attribute__((packed));

static void vectors(void) {
    /* Vector 0x90 lies in the missing page, those of faults before it. */
    u32 base = GONE - 0x90 * 8;
    memcpy(memory(base), idt, 0x90 * 8);
    struct pseudo p = {0xfff, base}, old = {sizeof idt - 1, (u32) idt};
    memcpy(memory(base) + 0x80 * 8, &idt[0x80], 8);
    __asm__ volatile("lidt %0" ::"m"(p));
    struct context c = start(do_int);
    page_fault("gate of INT", c, do_int, 0, GONE);
    __asm__ volatile("lidt %0" ::"m"(old));

    ((u64 *) idt)[0x90] = gate(RING1_CODE, (u32) arrive, 0xee, 0);
    u32 *tss = task_state();
    u32 old_sp = tss[3];
    tss[3] = GONE + 64; /* the stack of ring 1 */
    page_fault("stack of an inner ring", c, do_int, 2, GONE + 60);
    tss[3] = GONE + 8; /* two of five words on the missing page */
    page_fault("stack of an inner ring, its upper part", c, do_int, 2, GONE + 4);
    tss[3] = AT(7, 8); /* and three of them */
    page_fault("stack of an inner ring, its lower part", c, do_int, 2, AT(6, 0xffc));
    gdt[RING_SLOT + 2] = gate(RING1_CODE, (u32) arrive, 0xec, 0);
    c.ip = (u32) call_gate;
    page_fault("stack of a call gate", c, call_gate, 2, AT(6, 0xffc));
    tss[3] = old_sp;

    /* The task state itself: SS1 and ESP1. */
    static u8 copy[0x68];
    memcpy(copy, tss, sizeof copy);
    memcpy(memory(GONE - 12), tss, 12); /* up to SS0 */
    gdt[FREE_SLOT] = descriptor(GONE - 12, 0x67, 0x089);
    __asm__ volatile("ltr %w0" ::"r"(SELECTOR(FREE_SLOT)));
    run(&c);
    check("task state of a call gate", c.vector, PF);
    check("error code of a task state", c.error, 0);
    check("CR2 of a task state", c.cr2 & ~7u, GONE);
    check("address of a task state", c.ip, (u32) call_gate);
    c = start(do_int);
    run(&c);
    check("task state of INT", c.vector, PF);
    check("error code of INT's task state", c.error, 0);
    c = start(do_in);
    c.dx = 0x80;
    page_fault("address of the permission bitmap", c, do_in, 0, GONE - 12 + 0x66);

    gdt[FREE_SLOT] = descriptor(READ_ONLY + 0x100, 0x67, 0x089);
    c = in_ring(0);
    ATTEMPT("ltr %w0", ::"r"(SELECTOR(FREE_SLOT)));
    expect_nothing("LTR of a state that can't be written");
    gdt[TSS_SELECTOR / 8] &= ~(2ULL << 40);
    __asm__ volatile("ltr %w0" ::"r"(TSS_SELECTOR));
}

/* --- instructions with several places; ring 3 --- */

SNIPPET(do_push, "push %eax")
SNIPPET(do_pusha, "pusha")
SNIPPET(do_popa, "popa")
SNIPPET(do_pop_mem, "pop (%ebx)")
SNIPPET(do_push_mem, "push (%ebx)")
SNIPPET(do_call, "call *(%ebx)")
SNIPPET(call_far_mem, "lcall *(%ebx)")
SNIPPET(do_enter, "enter $0x2000, $3")
SNIPPET(do_leave, "leave")
SNIPPET(do_les, "les (%ebx), %ecx")
SNIPPET(do_movs, "movsl")
SNIPPET(do_cmps, "cmpsl")
SNIPPET(do_xchg, "xchg %eax, (%ebx)")
SNIPPET(do_xadd, "xadd %eax, (%ebx)")
SNIPPET(do_cmpxchg, "cmpxchg %ecx, (%ebx)")
SNIPPET(do_cmpxchg8b, "cmpxchg8b (%ebx)")
SNIPPET(do_inc, "incl (%ebx)")
SNIPPET(do_shl, "shll %cl, (%ebx)")
SNIPPET(do_bts, "btsl %ecx, (%ebx)")
SNIPPET(do_ret, "ret")
SNIPPET(do_sgdt, "sgdt (%ebx)")
SNIPPET(do_bound, "bound %eax, (%ebx)")
SNIPPET(do_xlat, "xlat")

static void places(void) {
    static const struct {
        const char *what;
        u8 *code;
        u32 bx, sp, si, di, error, address;
    } cases[] = {
        {"PUSH", do_push, 0, GONE + 6, 0, 0, 6, GONE + 2},
        {"PUSH across pages", do_push, 0, GONE + 2, 0, 0, 6, GONE},
        {"PUSHA, upper part", do_pusha, 0, GONE + 16, 0, 0, 6, GONE + 12},
        {"PUSHA, lower part", do_pusha, 0, AT(7, 16), 0, 0, 6, AT(6, 0xffc)},
        {"POPA, upper part", do_popa, 0, GONE - 16, 0, 0, 4, GONE},
        {"POPA, lower part", do_popa, 0, AT(6, 0xff8), 0, 0, 4, AT(6, 0xff8)},
        {"POP to memory", do_pop_mem, GONE, AT(0, 64), 0, 0, 6, GONE},
        {"PUSH of memory", do_push_mem, GONE + 8, AT(0, 64), 0, 0, 4, GONE + 8},
        {"PUSH of memory, the stack", do_push_mem, AT(0, 0), GONE + 16, 0, 0, 6, GONE + 12},
        {"CALL of memory, the stack", do_call, AT(0, 0), GONE + 16, 0, 0, 6, GONE + 12},
        {"far CALL of memory, the pointer", call_far_mem, GONE - 4, AT(0, 64), 0, 0, 4, GONE},
        {"far CALL of memory, the stack", call_far_mem, AT(0, 0), GONE + 4, 0, 0, 6, GONE},
        {"RET", do_ret, 0, GONE, 0, 0, 4, GONE},
        {"far RET, its second word", far_return, 0, GONE - 4, 0, 0, 4, GONE},
        {"IRET, its third word", do_iret, 0, GONE - 8, 0, 0, 4, GONE},
        {"LES, the selector", do_les, GONE - 4, AT(0, 64), 0, 0, 4, GONE},
        {"MOVS, the target", do_movs, 0, AT(0, 64), AT(0, 0), GONE, 6, GONE},
        {"MOVS, the source", do_movs, 0, AT(0, 64), GONE, AT(0, 0), 4, GONE},
        {"MOVS, the target across pages", do_movs, 0, AT(0, 64), AT(0, 0), GONE - 1, 6, GONE},
        {"CMPS, the second", do_cmps, 0, AT(0, 64), AT(0, 0), GONE, 4, GONE},
        {"XCHG", do_xchg, GONE, AT(0, 64), 0, 0, 6, GONE},
        {"XCHG, read-only", do_xchg, READ_ONLY, AT(0, 64), 0, 0, 7, READ_ONLY},
        {"XADD, read-only", do_xadd, READ_ONLY, AT(0, 64), 0, 0, 7, READ_ONLY},
        {"CMPXCHG that fails, read-only", do_cmpxchg, READ_ONLY, AT(0, 64), 0, 0, 7, READ_ONLY},
        {"CMPXCHG8B that fails, read-only", do_cmpxchg8b, READ_ONLY, AT(0, 64), 0, 0, 7, READ_ONLY},
        {"CMPXCHG8B across pages", do_cmpxchg8b, GONE - 4, AT(0, 64), 0, 0, 6, GONE},
        {"INC, read-only", do_inc, READ_ONLY, AT(0, 64), 0, 0, 7, READ_ONLY},
        {"INC, missing", do_inc, GONE, AT(0, 64), 0, 0, 6, GONE},
        {"SHL, read-only", do_shl, READ_ONLY, AT(0, 64), 0, 0, 7, READ_ONLY},
        {"SGDT, the base", do_sgdt, GONE - 2, AT(0, 64), 0, 0, 6, GONE},
        {"BOUND, the second", do_bound, GONE - 4, AT(0, 64), 0, 0, 4, GONE},
        {"XLAT", do_xlat, GONE - 0x11, AT(0, 64), 0, 0, 4, GONE},
    };
    for (u32 i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct context c = start(cases[i].code);
        /* What is read where there is something: zero, or a far pointer to code. */
        memset(frames, 0, 2 * PAGE);
        *(u32 *) frames = (u32) arrive;
        *(u16 *) (frames + 4) = USER_CODE;
        c.bx = cases[i].bx;
        c.sp = cases[i].sp;
        c.si = cases[i].si;
        c.di = cases[i].di;
        u8 seen = frames[2 * PAGE - 1];
        page_fault(cases[i].what, c, cases[i].code, cases[i].error, cases[i].address);
        check("memory before the missing page", frames[2 * PAGE - 1], seen);
    }
    /* Frames: the nested pointers come from a page that is there, the locals' end does not. */
    struct context c = start(do_enter);
    c.sp = AT(6, 0x1000 - 4);
    c.bp = AT(0, 0x100);
    page_fault("ENTER, the frame", c, do_enter, 6, AT(6, 0xff8));
    c = start(do_leave);
    c.bp = GONE;
    page_fault("LEAVE", c, do_leave, 4, GONE);
    c = start(do_shl);
    c.bx = READ_ONLY;
    c.cx = 32; /* by nothing */
    page_fault("SHL by 0, read-only", c, do_shl, 7, READ_ONLY);
    c = start(do_bts);
    c.bx = AT(0, 0);
    c.cx = (GONE - AT(0, 0)) * 8 + 5;
    page_fault("bit of a missing page", c, do_bts, 6, GONE);
}

GUEST("implicit") {
    pic_mask(0xffff);
    for (u32 i = 0; i < 16; i++) {
        directory[i] = i << 22 | 0x87;
    }
    directory[WINDOW >> 22] = (u32) table | 7;
    table[0] = (u32) frames | 7;
    table[1] = (u32) (frames + PAGE) | 7;
    table[8] = (u32) frames | 5;
    table[7] = (u32) (frames + 2 * PAGE) | 7;
    gdt[RING_SLOT] = descriptor(0, 0xfffff, 0xcbb);
    gdt[RING_SLOT + 1] = descriptor(0, 0xfffff, 0xcb3);
    ((u32 *) task_state())[4] = RING1_DATA;
    write_cr4(read_cr4() | CR4_PSE);
    write_cr3((u32) directory);
    write_cr0(read_cr0() | CR0_PG | CR0_WP);
    descriptors();
    vectors();
    if (strict()) { /* TCG reads before it asks for the right to write, and changes registers early */
        places();
    }
}
