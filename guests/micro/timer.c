/* The 8254's counter 0 through the 8259s: periodic and single interrupts, masks, requests, reads. */
#include "micro.h"

static volatile u32 ticks;
static volatile u8 in_service;

static void tick(struct frame *frame) {
    (void) frame;
    ticks++;
    outb(PIC1, 0x0b); /* OCW3: read the in-service register */
    in_service = inb(PIC1);
    pic_end(0);
}

static void wait_ticks(u32 count) {
    u32 begin = ticks;
    while (ticks - begin < count) { /* a late host may bring two at once */
        wait_for_interrupt();
    }
}

static u8 requests(void) {
    outb(PIC1, 0x0a); /* OCW3: read the interrupt request register */
    return inb(PIC1);
}

GUEST("timer") {
    handle(IRQ_BASE, tick);
    pic_init(0xfffe);
    check("mask reads back", inb(PIC1 + 1), 0xfe);

    /* Mode 2 at 1000 Hz. */
    pit_program(2, PIT_HZ / 1000);
    wait_ticks(50);
    check("in-service bit within the handler", in_service & 1, 1);
    outb(PIC1, 0x0b);
    check("in-service bit afterwards", inb(PIC1) & 1, 0);

    /* The counter stays within its period and moves. */
    u32 changes = 0;
    u16 last = pit_read();
    for (int i = 0; i < 10000 && changes < 3; i++) {
        u16 now = pit_read();
        ENSURE("counter beyond its period", now <= PIT_HZ / 1000 && now > 0);
        changes += now != last;
        last = now;
    }
    ENSURE("the counter stands still", changes == 3);

    /* A masked request waits in the controller, and comes when unmasked. */
    pic_mask(0xffff);
    u32 before = ticks;
    while (!(requests() & 1)) {
    }
    interrupts_on();
    __asm__ volatile("nop; nop");
    interrupts_off();
    check("ticks while masked", ticks, before);
    pic_mask(0xfffe);
    wait_ticks(1);

    /* Mode 3, square wave. */
    pit_program(3, PIT_HZ / 500);
    wait_ticks(5);

    /* Mode 0: one interrupt for one count, then silence until the next count. A tick of mode 3 may still be on its way. */
    outb(0x43, 0x30);
    interrupts_on();
    __asm__ volatile("nop; nop");
    interrupts_off();
    before = ticks;
    pit_program(0, PIT_HZ / 1000);
    wait_ticks(1);
    outb(0x43, 0xe2); /* read back the status of counter 0 */
    u8 status = inb(0x40);
    check("output high after the count", status & 0x80, 0x80);
    check("mode in the status", status >> 1 & 7, 0);
    check("access mode in the status", status >> 4 & 3, 3);
    interrupts_on();
    u16 start = pit_read();
    while ((u16) (start - pit_read()) < PIT_HZ / 500) {
    }
    interrupts_off();
    check("one interrupt in mode 0", ticks, before + 1);
    outb(0x40, 100);
    outb(0x40, 0);
    wait_ticks(1);

    /* Counter 2's gate and output through port 0x61. */
    outb(0x61, (u8) ((inb(0x61) & ~2) | 1));
    outb(0x43, 0xb0);
    outb(0x42, 0x00);
    outb(0x42, 0x10);
    check("output of counter 2 while counting", inb(0x61) & 0x20, 0);
    while (!(inb(0x61) & 0x20)) {
    }
}
