/* Does what it may not, as its argument says; or all of it, each in a thread of its own. */
#include "l4.h"

#define HEAP 0x10000000UL
#define HEAP_SHIFT 28
#define CURRENT 0x7feffffff000UL

static u8 stack[8192] __attribute__((aligned(16)));
static u8 data[] = {0xc3};

static void null(void) { *(volatile int *)8 = 1; }
static void jump(void) { ((void (*)(void))0x50000000UL)(); }
static void run_data(void) { ((void (*)(void))data)(); }
static void code(void) { *(volatile u8 *)null = 0x90; }
static void current(void) { *(volatile u64 *)CURRENT = 0; }
static void kernel(void) { *(volatile int *)0xffff800000000000UL = 1; }
static void port(void) { __asm__ volatile("outb %b0, $0xf4" : : "a"(0)); }
static void halt(void) { __asm__ volatile("hlt"); }
static void mask(void) { __asm__ volatile("cli"); }
static void tables(void) { __asm__ volatile("movq %0, %%cr3" : : "r"(0UL) : "memory"); }
static void msr(void) { __asm__ volatile("wrmsr" : : "c"(0xc0000080), "a"(0), "d"(0)); }
static void syscall(void) { __asm__ volatile("syscall" : : : "rcx", "r11", "memory"); }
static void interrupt(void) { __asm__ volatile("int $0x80"); }
static void call(void) { __asm__ volatile("int $0x90" : : "a"(999)); }

static void memory(void) {
    for (u64 at = HEAP;; at += 4096) {
        *(volatile int *)at = 1;
    }
}

static void ever(void) {
    for (;;) {
    }
}

static void wait_for_nobody(u64 unused) {
    (void)unused;
    l4_receive(L4_ANY);
    l4_end_thread();
}

static void deadlock(void) {
    l4_new_thread(wait_for_nobody, stack + sizeof stack, 0, L4_NIL, L4_NIL);
    l4_receive(L4_ANY);
}

static const struct {
    const char *name;
    void (*act)(void);
} faults[] = {
    {"null", null},       {"jump", jump},         {"data", run_data}, {"code", code},
    {"current", current}, {"kernel", kernel},     {"port", port},     {"halt", halt},
    {"mask", mask},       {"tables", tables},     {"msr", msr},       {"syscall", syscall},
    {"memory", memory},   {"interrupt", interrupt}, {"call", call},
    /* These end no thread. */
    {"deadlock", deadlock}, {"ever", ever},
};

#define FAULTS (sizeof faults / sizeof *faults)

static u64 first;

static void act_and_tell(u64 which) {
    faults[which].act();
    l4_utcb()->message[0] = l4_tag(1, 0, 0);
    l4_send(first);
    l4_end_thread();
}

/* Each in turn; who survives it says so. Then all wait for ever, which ends the program. */
static void all(void) {
    first = l4_self();
    for (u64 which = 0; faults[which].act != deadlock; which++) {
        u64 thread = l4_new_thread(act_and_tell, stack + sizeof stack, which, L4_NIL, L4_NIL);
        struct l4_result got = l4_receive(thread);
        print(got.error ? "ended " : "FAIL fault: survived ");
        print(faults[which].name);
        print("\n");
        if (faults[which].act == memory) {
            l4_unmap(l4_page(HEAP, HEAP_SHIFT, L4_READ | L4_WRITE | L4_EXECUTE), 1);
        }
    }
    deadlock();
}

int main(int count, char **arguments) {
    const char *what = count > 1 ? arguments[1] : "";
    if (same_text(what, "all")) {
        all();
    }
    for (u64 which = 0; which < FAULTS; which++) {
        if (same_text(what, faults[which].name)) {
            faults[which].act();
        }
    }
    return 7;
}
