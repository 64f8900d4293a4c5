/* Two threads send a message to and fro; what a round costs in instructions and in time. */
#include "l4.h"

#define ROUNDS 10000

static u8 stack[8192] __attribute__((aligned(16)));

static void pong(u64 unused) {
    (void)unused;
    struct l4_result got = l4_receive(L4_ANY);
    for (;;) {
        struct l4_utcb *utcb = l4_utcb();
        utcb->message[0] = l4_tag(2, 1, 0);
        utcb->message[1] += 1;
        got = l4_reply_and_wait(got.from);
    }
}

int main(int count, char **arguments) {
    (void)count;
    (void)arguments;
    u64 partner = l4_new_thread(pong, stack + sizeof stack, 0, L4_NIL, L4_NIL);
    struct l4_utcb *utcb = l4_utcb();
    utcb->message[1] = 0;
    u64 instructions = l4_instructions();
    u64 time = l4_time();
    for (int i = 0; i < ROUNDS; i++) {
        utcb->message[0] = l4_tag(1, 1, 0);
        struct l4_result got = l4_call(partner);
        if (got.error || got.from != partner) {
            print("FAIL pingpong: error ");
            print_number(got.error);
            print("\n");
            return 1;
        }
    }
    time = l4_time() - time;
    instructions = l4_instructions() - instructions;
    if (utcb->message[1] != ROUNDS) {
        print("FAIL pingpong: words are lost\n");
        return 1;
    }
    print("ok pingpong: ");
    print_number(instructions / ROUNDS);
    print(" instructions and ");
    print_number(time / ROUNDS);
    print(" ns a round of two messages\n");
    return 0;
}
