/* Ends in a triple fault: an interrupt table without entries leaves no handler for any fault. */
#include "micro.h"

GUEST("triple") {
    static const struct {
        u16 limit;
        uword base;
    } __attribute__((packed)) nothing = {0, 0};
    print("triple: faulting now\n");
    __asm__ volatile("lidt %0; int3" ::"m"(nothing));
    fail("still running");
}
