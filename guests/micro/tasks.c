/*
 * Hardware task switches with 16- and 32-bit task-state segments: by JMP, CALL, task gate, interrupt and
 * IRET; what they save, load and refuse, before and after the point of no return (APM volume 2, 12.2 and
 * 12.3; SDM volume 3, 7.3 with table 7-1).
 */
#include "micro.h"

#define NEW_SLOT 8
#define NEW SELECTOR(NEW_SLOT)
#define SMALL_SLOT 9
#define SMALL SELECTOR(SMALL_SLOT)
#define GATE_SLOT 10
#define GATE SELECTOR(GATE_SLOT)
#define LDT_SLOT 11
#define LDT SELECTOR(LDT_SLOT)
#define TEST_SLOT 12
#define TEST SELECTOR(TEST_SLOT)
#define MAIN TSS_SELECTOR

#define TSS32 0x89
#define TSS16 0x81
#define TASK_GATE 0x85
#define BUSY 2
#define DPL(n) ((n) << 5)
#define VECTOR 0x90
#define NT 0x4000
#define TF 0x100

struct tss32 {
    u32 link, esp0, ss0, esp1, ss1, esp2, ss2, cr3, eip, eflags;
    u32 ax, cx, dx, bx, sp, bp, si, di;
    u32 es, cs, ss, ds, fs, gs, ldt;
    u16 trap, io_map;
};

struct tss16 {
    u16 link, sp0, ss0, sp1, ss1, sp2, ss2, ip, flags;
    u16 ax, cx, dx, bx, sp, bp, si, di;
    u16 es, cs, ss, ds, ldt;
};

static struct tss32 next __attribute__((aligned(128)));
static struct tss16 small __attribute__((aligned(64)));
static u8 next_stack[512], inner_stack[1024] __attribute__((aligned(16)));
static u64 ldt[2];
static u32 directory[2][1024] __attribute__((aligned(4096)));

#define NEXT_TOP ((u32) next_stack + sizeof next_stack)

SNIPPET(in_task, "nop")
SNIPPET(task_fpu, "fnop")
SNIPPET(task_return, "incl %eax\n iret\n incl %ebx")
SNIPPET(jump, "ljmp $0x40, $0x12345678")
SNIPPET(call, "lcall $0x40, $0x12345678")
SNIPPET(jump_small, "ljmp $0x48, $0")
SNIPPET(call_small, "lcall $0x48, $0")
SNIPPET(jump_gate, "ljmp $0x53, $0")
SNIPPET(call_gate, "lcall $0x53, $0")
SNIPPET(task_int, "int $0x90")
SNIPPET(task_gp, "mov %eax, %ss")
SNIPPET(return_nested, "iret")
SNIPPET(read_debug, "mov %dr7, %eax\n mov %dr6, %ebx")

/* A task of ring 0 or 3 that starts at some code, all its registers different. */
static void new_task(u8 *code, int cpl) {
    memset(&next, 0, sizeof next);
    next.esp0 = (u32) inner_stack + sizeof inner_stack;
    next.ss0 = KERNEL_DATA;
    next.cr3 = read_cr3();
    next.eip = (u32) code;
    next.eflags = 2;
    u32 *registers = &next.ax;
    for (u32 i = 0; i < 8; i++) {
        registers[i] = 0x11111111 * (i + 1);
    }
    next.sp = NEXT_TOP;
    next.cs = cpl ? USER_CODE : KERNEL_CODE;
    next.es = next.ss = next.ds = next.fs = cpl ? USER_DATA : KERNEL_DATA;
    next.link = 0xaaaa;
    next.io_map = sizeof next;
    gdt[NEW_SLOT] = descriptor((u32) &next, sizeof next - 1, TSS32);
    gdt[GATE_SLOT] = gate(NEW, 0, TASK_GATE | DPL(3), 0);
}

static void new_small(u8 *code) {
    u16 *fields = (u16 *) &small;
    for (u32 i = 0; i < sizeof small / 2; i++) {
        fields[i] = (u16) (0x1111 * i);
    }
    gdt[TEST_SLOT] = descriptor((u32) code, 0xffff, 0x49b);
    gdt[TEST_SLOT + 1] = descriptor((u32) next_stack, 0xffff, 0x093);
    small.ip = 0;
    small.flags = 2;
    small.sp = sizeof next_stack;
    small.cs = TEST;
    small.ss = TEST + 8;
    small.es = small.ds = KERNEL_DATA;
    small.ldt = 0;
    gdt[SMALL_SLOT] = descriptor((u32) &small, sizeof small - 1, TSS16);
}

static u16 task_register(void) {
    u16 value;
    __asm__ volatile("str %0" : "=m"(value));
    return value;
}

static int busy(int slot) {
    return gdt[slot] >> 41 & 1;
}

/* Back to the first task, whatever the last run has left. */
static void recover(void) {
    __asm__ volatile("clts");
    gdt[MAIN / 8] &= ~((u64) BUSY << 40);
    __asm__ volatile("ltr %w0; lldt %w1" ::"r"(MAIN), "r"(0));
}

static struct context from(u8 *code, int cpl) {
    struct context c = in_ring(cpl);
    c.ip = (u32) code;
    c.flags = 0xad7;
    c.ax = 0xaaaa0001;
    c.cx = 0xcccc0002;
    c.dx = 0xdddd0003;
    c.bx = 0xbbbb0004;
    c.bp = 0xeeee0005;
    c.si = 0xffff0006;
    c.di = 0x99990007;
    run(&c);
    return c;
}

static void check_saved(const char *what, u8 *next_instruction) {
    const struct tss32 *old = task_state();
    check(what, old->eip, (u32) next_instruction);
    check(what, old->eflags & ~0x10000u, 0xad7);
    check(what, old->ax, 0xaaaa0001);
    check(what, old->cx, 0xcccc0002);
    check(what, old->dx, 0xdddd0003);
    check(what, old->bx, 0xbbbb0004);
    check(what, old->sp, in_ring(0).sp);
    check(what, old->bp, 0xeeee0005);
    check(what, old->si, 0xffff0006);
    check(what, old->di, 0x99990007);
    check(what, (u16) old->cs, KERNEL_CODE);
    check(what, (u16) old->ss, KERNEL_DATA);
    check(what, (u16) old->ds, KERNEL_DATA);
    check(what, (u16) old->es, KERNEL_DATA);
    check(what, (u16) old->fs, 0);
}

static void jumps(void) {
    new_task(in_task, 0);
    next.eflags = 0x200ad7;
    struct context c = from(jump, 0);
    finished("JMP to a task", &c);
    check("TR after JMP to a task", task_register(), NEW);
    check("the new task is busy", busy(NEW_SLOT), 1);
    check("the old task is not busy any more", busy(MAIN / 8), 0);
    check("JMP to a task leaves the link", next.link, 0xaaaa);
    check("TS after a task switch", read_cr0() & CR0_TS, CR0_TS);
    check("EAX of the new task", c.ax, 0x11111111);
    check("ECX of the new task", c.cx, 0x22222222);
    check("EDX of the new task", c.dx, 0x33333333);
    check("EBX of the new task", c.bx, 0x44444444);
    check("ESP of the new task", c.sp, NEXT_TOP);
    check("EBP of the new task", c.bp, 0x66666666);
    check("ESI of the new task", c.si, 0x77777777);
    check("EDI of the new task", c.di, 0x88888888);
    check("FS of the new task", c.fs, KERNEL_DATA);
    check("GS of the new task", c.gs, 0);
    check("flags of the new task", c.flags & ~0x10000u, 0x200ad7);
    check_saved("state of the task that a JMP left", jump_end);
    recover();

    new_task(in_task, 3);
    c = from(jump, 0);
    finished("JMP to a task of ring 3", &c);
    check("CS of a task of ring 3", c.cs, USER_CODE);
    check("SS of a task of ring 3", c.ss, USER_DATA);
    recover();

    new_task(task_fpu, 0);
    c = from(jump, 0);
    ended("x87 instruction in a new task", &c, NM, 0, task_fpu);
    recover();
}

static void calls(void) {
    new_task(in_task, 0);
    struct context c = from(call, 0);
    finished("CALL of a task", &c);
    check("CALL of a task writes the link", next.link & 0xffff, MAIN);
    check("CALL of a task sets NT", c.flags & NT, NT);
    check("both tasks are busy, old", busy(MAIN / 8), 1);
    check("both tasks are busy, new", busy(NEW_SLOT), 1);
    check_saved("state of the task that a CALL left", call_end);
    recover();

    new_task(task_return, 0);
    c = from(call, 0);
    finished("return from a task", &c);
    check("address after the return from a task", c.ip, (u32) call_end + 2);
    check("TR after the return from a task", task_register(), MAIN);
    check("a task that returned is not busy", busy(NEW_SLOT), 0);
    check("the task returned to is busy", busy(MAIN / 8), 1);
    check("EAX after the return from a task", c.ax, 0xaaaa0001);
    check("flags after the return from a task", c.flags & ~0x10000u, 0xad7);
    check("EAX that the task left", next.ax, 0x11111112);
    check("EIP that the task left", next.eip, (u32) task_return + 2);
    check("NT in the state of a task that returned", next.eflags & NT, 0);
    recover();

    /* The second call goes on behind the IRET. */
    next.link = 0;
    c = from(call, 0);
    finished("second CALL of a task", &c);
    check("the task goes on", c.bx, 0x44444445);
    recover();
}

static void gates(void) {
    new_task(in_task, 0);
    struct context c = from(jump_gate, 3);
    finished("JMP through a task gate", &c);
    check("TR after a task gate", task_register(), NEW);
    check("link after JMP through a gate", next.link, 0xaaaa);
    recover();
    new_task(task_return, 0);
    c = from(call_gate, 3);
    finished("CALL through a task gate", &c);
    check("ring after the return through a task gate", c.cs, USER_CODE);
    check("EAX after the return through a task gate", c.ax, 0xaaaa0001);
    recover();

    ((u64 *) idt)[VECTOR] = gate(NEW, 0, TASK_GATE | DPL(3), 0);
    new_task(task_return, 0);
    c = from(task_int, 3);
    finished("interrupt through a task gate", &c);
    check("address after the return from an interrupt task", c.ip, (u32) task_int_end + 2);
    check("EAX of an interrupt task", next.ax, 0x11111112);
    check("link of an interrupt task", next.link & 0xffff, MAIN);
    recover();

    u64 old = ((u64 *) idt)[GP];
    ((u64 *) idt)[GP] = gate(NEW, 0, TASK_GATE, 0);
    new_task(in_task, 0);
    c = in_ring(3);
    c.ip = (u32) task_gp;
    c.ax = 0x1000;
    run(&c);
    ((u64 *) idt)[GP] = old;
    finished("exception through a task gate", &c);
    check("ESP of an exception task", c.sp, NEXT_TOP - 4);
    check("error code on the stack of an exception task", *(u32 *) c.sp, 0x1000);
    check("address that an exception task finds",
          ((struct tss32 *) task_state())->eip, (u32) task_gp);
    recover();
}

static void small_tasks(void) {
    new_small(in_task);
    struct context c = from(jump_small, 0);
    finished("JMP to a 16-bit task", &c);
    check("EAX of a 16-bit task", c.ax & 0xffff, 0x1111 * 9 & 0xffff);
    check("EDI of a 16-bit task", c.di & 0xffff, (0x1111 * 16) & 0xffff);
    check("FS of a 16-bit task", c.fs, 0);
    check("CS of a 16-bit task", c.cs, TEST);
    check("SS of a 16-bit task", c.ss, TEST + 8);
    check("the 16-bit task is busy", busy(SMALL_SLOT), 1);
    check_saved("state of the task that a 16-bit one follows", jump_small_end);
    recover();
    new_small(task_return);
    c = from(call_small, 0);
    finished("CALL of a 16-bit task", &c);
    check("AX that a 16-bit task left", small.ax, (0x1111 * 9 + 1) & 0xffff);
    check("IP that a 16-bit task left", small.ip, 2);
    check("link of a 16-bit task", small.link, MAIN);
    check("EAX after the return from a 16-bit task", c.ax, 0xaaaa0001);
    recover();
}

/* Refused before anything has changed. */
static void refused(const char *what, u8 *code, int cpl, u32 vector, u32 error) {
    u64 before = gdt[NEW_SLOT];
    struct context c = from(code, cpl);
    ended(what, &c, vector, error, code);
    check("TR after a refused switch", task_register(), MAIN);
    check("busy bit after a refused switch", gdt[NEW_SLOT] == before, 1);
    check("TS after a refused switch", read_cr0() & CR0_TS, 0);
    check("EAX after a refused switch", c.ax, 0xaaaa0001);
}

static void refusals(void) {
    new_task(in_task, 0);
    refused("task of an inner ring", jump, 3, GP, NEW);
    gdt[NEW_SLOT] |= (u64) BUSY << 40;
    refused("JMP to a busy task", jump, 0, GP, NEW);
    refused("CALL of a busy task", call, 0, GP, NEW);
    refused("gate to a busy task", jump_gate, 3, GP, NEW);
    new_task(in_task, 0);
    gdt[NEW_SLOT] &= ~(0x80ULL << 40);
    refused("task not present", jump, 0, NP, NEW);
    refused("gate to a task not present", call_gate, 3, NP, NEW);
    gdt[NEW_SLOT] = descriptor((u32) &next, 0x66, TSS32);
    refused("task that is too small", jump, 0, TS, NEW);
    refused("gate to a task that is too small", call_gate, 3, TS, NEW);
    gdt[NEW_SLOT] = descriptor((u32) &small, 0x2a, TSS16);
    refused("16-bit task that is too small", jump, 0, TS, NEW);
    new_task(in_task, 0);
    gdt[GATE_SLOT] = gate(NEW, 0, TASK_GATE | DPL(2), 0);
    refused("task gate of an inner ring", jump_gate, 3, GP, GATE);
    gdt[GATE_SLOT] = gate(NEW, 0, (TASK_GATE & ~0x80) | DPL(3), 0);
    refused("task gate not present", jump_gate, 3, NP, GATE);
    gdt[GATE_SLOT] = gate(KERNEL_DATA, 0, TASK_GATE | DPL(3), 0);
    refused("task gate to data", jump_gate, 3, GP, KERNEL_DATA);
    gdt[GATE_SLOT] = gate(0, 0, TASK_GATE | DPL(3), 0);
    refused("task gate to null", jump_gate, 3, GP, 0);
    if (strict()) {
        gdt[GATE_SLOT] = gate(NEW | 4, 0, TASK_GATE | DPL(3), 0);
        refused("task gate with TI", jump_gate, 3, GP, NEW | 4);
    }
    gdt[GATE_SLOT] = gate(0x1000, 0, TASK_GATE | DPL(3), 0);
    refused("task gate beyond the table", jump_gate, 3, GP, 0x1000);

    ((u64 *) idt)[VECTOR] = gate(NEW, 0, TASK_GATE, 0);
    refused("interrupt task gate of an inner ring", task_int, 3, GP, VECTOR * 8 + 2);
    ((u64 *) idt)[VECTOR] = gate(NEW, 0, (TASK_GATE & ~0x80) | DPL(3), 0);
    refused("interrupt task gate not present", task_int, 3, NP, VECTOR * 8 + 2);
    ((u64 *) idt)[VECTOR] = gate(NEW, 0, TASK_GATE | DPL(3), 0);
    gdt[NEW_SLOT] |= (u64) BUSY << 40;
    refused("interrupt to a busy task", task_int, 3, GP, NEW);
    gdt[NEW_SLOT] = descriptor((u32) &next, sizeof next - 1, TSS32 & ~0x80);
    refused("interrupt to a task not present", task_int, 3, NP, NEW);
    gdt[NEW_SLOT] = descriptor((u32) &next, 0x20, TSS32);
    refused("interrupt to a task that is too small", task_int, 3, TS, NEW);
}

/* IRET with NT whose link leads nowhere. */
static void bad_link(const char *what, u32 link, u32 vector, u32 error) {
    struct tss32 *own = task_state();
    struct context c = in_ring(0);
    own->link = link;
    c.ip = (u32) return_nested;
    c.flags = NT | 2;
    run(&c);
    ended(what, &c, vector, error, return_nested);
    check(what, task_register(), MAIN);
}

static void bad_links(void) {
    new_task(in_task, 0);
    bad_link("return to a task that is not busy", NEW, TS, NEW);
    bad_link("return to no task", 0, TS, 0);
    bad_link("return to data", KERNEL_DATA, TS, KERNEL_DATA);
    bad_link("return beyond the table", 0x1000, TS, 0x1000);
    bad_link("return to a task with TI", NEW | 4, TS, NEW | 4);
    gdt[NEW_SLOT] = descriptor((u32) &next, sizeof next - 1, (TSS32 | BUSY) & ~0x80);
    bad_link("return to a task not present", NEW, NP, NEW);
    gdt[NEW_SLOT] = descriptor((u32) &next, 0x66, TSS32 | BUSY);
    bad_link("return to a task that is too small", NEW, TS, NEW);
}

/* Faults of the new task, at its first instruction. A task of ring 3 has a stack for the handler. */
static void fails(const char *what, u32 vector, u32 error) {
    u32 cs = next.cs & 0xffff, ip = next.eip;
    struct context c = from(jump, 0);
    check(what, c.vector, vector);
    check(what, c.error, error);
    check(what, c.ip, ip);
    check(what, c.cs, cs);
    check("TR after a switch that failed late", task_register(), NEW);
    check("EBX after a switch that failed late", c.bx, 0x44444444);
    check("the new task is busy after a late failure", busy(NEW_SLOT), 1);
    recover();
}

#define CHANGED(field, value, what, vector, error) \
    new_task(in_task, 3);                          \
    next.field = value;                            \
    fails(what, vector, error)

static void late_failures(void) {
    static const u32 absent = 0x80;
    u64 ring3_code = descriptor(0, 0xfffff, 0xcfb), ring3_data = descriptor(0, 0xfffff, 0xcf3);
    CHANGED(cs, 3, "new CS is null", TS, 0);
    CHANGED(cs, 0x1003, "new CS beyond the table", TS, 0x1000);
    CHANGED(cs, USER_DATA, "new CS is data", TS, USER_DATA & ~3u);
    CHANGED(cs, KERNEL_CODE | 3, "new CS of another ring", TS, KERNEL_CODE);
    gdt[TEST_SLOT] = ring3_code & ~((u64) absent << 40);
    CHANGED(cs, TEST | 3, "new CS not present", NP, TEST);
    CHANGED(ss, 3, "new SS is null", TS, 0);
    CHANGED(ss, 0x1003, "new SS beyond the table", TS, 0x1000);
    CHANGED(ss, USER_CODE, "new SS is code", TS, USER_CODE & ~3u);
    CHANGED(ss, KERNEL_DATA | 3, "new SS of another ring", TS, KERNEL_DATA);
    CHANGED(ss, USER_DATA & ~1u, "new SS with another RPL", TS, USER_DATA & ~3u);
    gdt[TEST_SLOT] = ring3_data & ~((u64) absent << 40);
    CHANGED(ss, TEST | 3, "new SS not present", SS, TEST);
    CHANGED(ds, TEST | 3, "new DS not present", NP, TEST);
    CHANGED(gs, TEST | 3, "new GS not present", NP, TEST);
    CHANGED(ds, 0x1003, "new DS beyond the table", TS, 0x1000);
    CHANGED(es, KERNEL_DATA, "new ES of an inner ring", TS, KERNEL_DATA);
    gdt[TEST_SLOT] = descriptor(0, 0xfffff, 0xcf9);
    CHANGED(fs, TEST | 3, "new FS is execute-only", TS, TEST);
    CHANGED(fs, NEW, "new FS is a task", TS, NEW);
    CHANGED(ldt, KERNEL_DATA, "new local table is data", TS, KERNEL_DATA);
    CHANGED(ldt, 0x1000, "new local table beyond the table", TS, 0x1000);
    CHANGED(ldt, LDT | 4, "new local table with TI", TS, LDT | 4);
    gdt[LDT_SLOT] = descriptor((u32) ldt, sizeof ldt - 1, 0x02);
    CHANGED(ldt, LDT, "new local table not present", TS, LDT);
    gdt[TEST_SLOT] = descriptor(0, 0xff, 0x4fb);
    new_task(in_task, 3);
    next.cs = TEST | 3;
    next.eip = 0x100;
    fails("new EIP beyond the limit", GP, 0);
}

static void local_tables(void) {
    ldt[1] = descriptor(0, 0xfffff, 0xcf3);
    gdt[LDT_SLOT] = descriptor((u32) ldt, sizeof ldt - 1, 0x82);
    new_task(in_task, 3);
    next.ldt = LDT;
    next.ds = 0xf;
    struct context c = from(jump, 0);
    finished("task with a local table", &c);
    u16 now;
    __asm__ volatile("sldt %0" : "=m"(now));
    check("LDTR of the new task", now, LDT);
    check("DS from the new local table", c.ds, 0xf);
    recover();
}

static void debugging(void) {
    if (strict()) {
        new_task(in_task, 3);
        next.trap = 1;
        __asm__ volatile("mov %0, %%dr6" ::"r"(0));
        struct context c = from(jump, 0);
        ended("task with the T bit", &c, DB, 0, in_task);
        u32 dr6;
        __asm__ volatile("mov %%dr6, %0" : "=r"(dr6));
        check("DR6 after a task trap", dr6 & 0xe00f, 0x8000);
        recover();
    }
    new_task(read_debug, 0);
    __asm__ volatile("mov %0, %%dr0; mov %0, %%dr1; mov %0, %%dr2; mov %0, %%dr3" ::"r"(0xffffff00));
    __asm__ volatile("mov %0, %%dr7" ::"r"(0x4ff));
    struct context c = from(jump, 0);
    finished("task switch with breakpoints", &c);
    check("a task switch clears local breakpoints", c.ax & 0xff, 0xaa);
    __asm__ volatile("mov %0, %%dr7" ::"r"(0x400));
    recover();
    new_task(in_task, 0);
    next.eflags = TF | 2;
    c = from(jump, 0);
    ended("single step in a new task", &c, DB, 0, in_task_end);
    recover();
}

static void paging(void) {
    if (!(cpuid(1).edx & 8)) {
        skip("task switches with paging (PSE)");
        return;
    }
    for (u32 d = 0; d < 2; d++) {
        for (u32 i = 0; i < 16; i++) {
            directory[d][i] = i << 22 | 0x87;
        }
    }
    directory[0][64] = 0x87; /* 256 MiB on: memory again, in one of them */
    write_cr4(read_cr4() | CR4_PSE);
    write_cr3((u32) directory[0]);
    write_cr0(read_cr0() | CR0_PG | CR0_WP);
    new_task(in_task, 0);
    next.cr3 = (u32) directory[1];
    struct context c = from(jump, 0);
    finished("task with tables of its own", &c);
    check("CR3 of the new task", read_cr3(), (u32) directory[1]);
    write_cr3((u32) directory[0]);
    recover();

    /* A state segment that can't be read, and one whose second half can't. */
    new_task(in_task, 0);
    gdt[NEW_SLOT] = descriptor(0x20000000, sizeof next - 1, TSS32);
    c = from(jump, 0);
    check("state not mapped", c.vector, PF);
    check("address of a switch to a state not mapped", c.ip, (u32) jump);
    check("error code of a state not mapped", c.error & ~2u, 0);
    check("CR2 of a state not mapped", c.cr2 >> 12, 0x20000);
    check("TR after a page fault", task_register(), MAIN);
    check("EAX after a page fault", c.ax, 0xaaaa0001);
    new_task(in_task, 0);
    memcpy((void *) (0x400000 - 0x30), &next, 0x30);
    gdt[NEW_SLOT] = descriptor(0x10400000 - 0x30, sizeof next - 1, TSS32);
    c = from(jump, 0);
    check("state half mapped", c.vector, PF);
    check("CR2 of a state half mapped", c.cr2 >> 12, 0x10400);
    check("TR after a page fault in the middle", task_register(), MAIN);
    check("busy bit after a page fault in the middle", busy(NEW_SLOT), 0);
    write_cr0(read_cr0() & ~(u32) (CR0_PG | CR0_WP));
    write_cr3(0);
}

GUEST("tasks") {
    pic_mask(0xffff);
    jumps();
    calls();
    gates();
    small_tasks();
    refusals();
    bad_links();
    if (strict()) { /* TCG reports them elsewhere, or not */
        late_failures();
    }
    local_tables();
    debugging();
    paging();
}
