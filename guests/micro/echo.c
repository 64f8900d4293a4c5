/* Echoes lines from COM1, received by interrupt (IRQ 4), until one reads "quit". */
#include "micro.h"

#define RING 256
#define IIR_RECEIVED 0x04
#define IIR_MASK 0x0f
#define LSR_DATA 0x01

static volatile char ring[RING];
static volatile u8 head, tail;
static volatile u32 interrupts;

static void received(struct frame *frame) {
    (void) frame;
    interrupts++;
    u8 cause = inb(COM1 + 2) & IIR_MASK;
    if (cause != IIR_RECEIVED && cause != 0x0c) {
        check("interrupt cause", cause, IIR_RECEIVED);
    }
    while (inb(COM1 + 5) & LSR_DATA) {
        ring[head++] = (char) inb(COM1);
    }
    pic_end(4);
}

static char next(void) {
    interrupts_off();
    while (head == tail) {
        wait_for_interrupt();
    }
    return ring[tail++];
}

GUEST("echo") {
    handle(IRQ_BASE + 4, received);
    pic_init((u16) ~(1 << 4));
    outb(COM1 + 2, 0x07); /* FIFOs on and cleared, trigger at 1 byte */
    outb(COM1 + 1, 0x01); /* interrupt on received data */
    print("type lines; quit ends\n");
    for (;;) {
        char line[80];
        unsigned length = 0;
        char c;
        while ((c = next()) != '\n' && c != '\r') {
            if (length < sizeof line - 1) {
                line[length++] = c;
            }
        }
        line[length] = 0;
        if (!memcmp(line, "quit", 5)) {
            ENSURE("characters without an interrupt", interrupts > 0);
            return;
        }
        print("echo: ");
        print(line);
        print("\n");
    }
}
