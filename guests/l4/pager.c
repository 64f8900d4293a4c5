/* A thread in a new space, whose pages come from its pager: this program's first thread. */
#include "l4.h"

#define SHARED 0x10000000UL
#define STACK 0x20000000UL

/* Runs in the new space: all that it touches has to be mapped first. */
static void child(u64 parent) {
    volatile u64 *shared = (volatile u64 *)SHARED;
    shared[1] = shared[0] + 1;
    l4_utcb()->message[0] = l4_tag(5, 0, 0);
    l4_call(parent);
    l4_end_thread();
}

int main(int count, char **arguments) {
    (void)count;
    (void)arguments;
    u64 faults = 0;
    l4_get_pages(l4_page(SHARED, L4_PAGE_SHIFT, L4_READ | L4_WRITE));
    l4_get_pages(l4_page(STACK - 4096, L4_PAGE_SHIFT, L4_READ | L4_WRITE));
    *(volatile u64 *)SHARED = 41;
    u64 thread = l4_new_thread(child, (void *)STACK, l4_self(), L4_ANY, l4_self());
    struct l4_result got = l4_receive(thread);
    struct l4_utcb *utcb = l4_utcb();
    while (!got.error && (l4_label(utcb->message[0]) & ~7UL) == L4_FAULT) {
        u64 page = utcb->message[1] & ~4095UL;
        u64 rights = l4_label(utcb->message[0]) & 7;
        faults++;
        utcb->message[0] = l4_tag(0, 0, 2);
        utcb->message[1] = page | L4_MAP;
        utcb->message[2] = l4_page(page, L4_PAGE_SHIFT, rights | L4_READ);
        got = l4_ipc(thread, thread, 0);
    }
    if (got.error || l4_label(utcb->message[0]) != 5 || ((volatile u64 *)SHARED)[1] != 42) {
        print("FAIL pager: error ");
        print_number(got.error);
        print("\n");
        return 1;
    }
    /* What was mapped is taken back, and the child faults for ever, until it is ended. */
    l4_unmap(l4_page(SHARED, L4_PAGE_SHIFT, L4_READ | L4_WRITE | L4_EXECUTE), 0);
    if (((volatile u64 *)SHARED)[1] != 42 || l4_kill(thread) != 0) {
        print("FAIL pager: unmap took too much\n");
        return 1;
    }
    print("ok pager: ");
    print_number(faults);
    print(" page faults answered\n");
    return 0;
}
