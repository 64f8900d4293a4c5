/* Does what it may not, as its argument says. */
#include "l4.h"

static u8 stack[4096] __attribute__((aligned(16)));

static void wait_for_nobody(u64 unused) {
    (void)unused;
    l4_receive(L4_ANY);
    l4_end_thread();
}

int main(int count, char **arguments) {
    const char *what = count > 1 ? arguments[1] : "";
    if (same_text(what, "null")) {
        *(volatile int *)8 = 1;
    } else if (same_text(what, "jump")) {
        ((void (*)(void))0x50000000UL)();
    } else if (same_text(what, "code")) {
        *(volatile u8 *)main = 0x90;
    } else if (same_text(what, "port")) {
        __asm__ volatile("outb %b0, $0xf4" : : "a"(0));
    } else if (same_text(what, "halt")) {
        __asm__ volatile("hlt");
    } else if (same_text(what, "kernel")) {
        *(volatile int *)0xffff800000000000UL = 1;
    } else if (same_text(what, "memory")) {
        for (u64 at = 0x10000000UL;; at += 4096) {
            *(volatile int *)at = 1;
        }
    } else if (same_text(what, "call")) {
        __asm__ volatile("int $0x90" : : "a"(999));
    } else if (same_text(what, "deadlock")) {
        l4_new_thread(wait_for_nobody, stack + sizeof stack, 0, L4_NIL, L4_NIL);
        l4_receive(L4_ANY);
    } else if (same_text(what, "ever")) {
        for (;;) {
        }
    }
    return 7;
}
