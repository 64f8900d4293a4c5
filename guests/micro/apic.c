/* The local APIC (IPIs to itself, priorities, timer) and the IO-APIC (8254 at pin 2, UART at pin 4). */
#include "micro.h"

#define MSR_APIC_BASE 0x1b
#define APIC_ENABLED 0x800
#define APIC 0xfee00000u
#define APIC_ID 0x20
#define APIC_VERSION 0x30
#define TASK_PRIORITY 0x80
#define END_OF_INTERRUPT 0xb0
#define SPURIOUS 0xf0
#define IN_SERVICE 0x100
#define REQUESTS 0x200
#define COMMAND 0x300
#define SELF 0x40000
#define LVT_TIMER 0x320
#define PERIODIC 0x20000
#define MASKED 0x10000
#define INITIAL_COUNT 0x380
#define CURRENT_COUNT 0x390
#define DIVIDE 0x3e0

#define IOAPIC 0xfec00000u
#define IO_VERSION 1
#define IO_REDIRECTION(pin) (0x10 + 2 * (pin))
#define LEVEL 0x8000
#define PIN_PIT 2
#define PIN_UART 4

enum { LOW = 0x50, HIGH = 0x61, TIMER = 0x45, PIT_VECTOR = 0x71, UART_VECTOR = 0x82 };

static volatile u32 counts[256];
static volatile u8 order[8];
static volatile u32 ordered;
static volatile u32 level_repeats;

static u32 apic(u32 reg) {
    return *(volatile u32 *) (APIC + reg);
}

static void set_apic(u32 reg, u32 value) {
    *(volatile u32 *) (APIC + reg) = value;
}

static u32 ioapic(u32 reg) {
    *(volatile u32 *) IOAPIC = reg;
    return *(volatile u32 *) (IOAPIC + 0x10);
}

static void set_ioapic(u32 reg, u32 value) {
    *(volatile u32 *) IOAPIC = reg;
    *(volatile u32 *) (IOAPIC + 0x10) = value;
}

static u32 bit(u32 base, u32 vector) {
    return apic(base + (vector >> 5) * 0x10) >> (vector & 31) & 1;
}

static void counted(struct frame *frame) {
    counts[frame->vector]++;
    if (ordered < sizeof order) {
        order[ordered++] = (u8) frame->vector;
    }
    check("in service within the handler", bit(IN_SERVICE, frame->vector), 1);
    set_apic(END_OF_INTERRUPT, 0);
}

static void uart(struct frame *frame) {
    counts[frame->vector]++;
    if (!level_repeats) {
        inb(COM1 + 2); /* takes the request back */
        outb(COM1 + 1, 0);
    } else {
        level_repeats--;
    }
    set_apic(END_OF_INTERRUPT, 0);
}

static void let_in(void) {
    interrupts_on();
    __asm__ volatile("nop; nop; nop");
    interrupts_off();
}

static void wait_for(u32 vector, u32 count) {
    while (counts[vector] < count) {
        wait_for_interrupt();
    }
}

static void local(void) {
    check("local APIC on", read_msr(MSR_APIC_BASE) & APIC_ENABLED, APIC_ENABLED);
    check("base of the local APIC", read_msr(MSR_APIC_BASE) & 0xfffff000, APIC);
    u32 version = apic(APIC_VERSION) & 0xff;
    ENSURE("version of the local APIC", version >= 0x10 && version <= 0x1f);
    set_apic(SPURIOUS, 0x1ff);
    set_apic(TASK_PRIORITY, 0);

    set_apic(COMMAND, SELF | LOW);
    let_in();
    check("interrupt sent to itself", counts[LOW], 1);
    check("in service after the end", bit(IN_SERVICE, LOW), 0);

    set_apic(TASK_PRIORITY, 0x60);
    set_apic(COMMAND, SELF | LOW);
    let_in();
    check("interrupt below the task priority", counts[LOW], 1);
    check("it is requested", bit(REQUESTS, LOW), 1);
    set_apic(COMMAND, SELF | HIGH);
    let_in();
    check("interrupt of the same class as the task priority", counts[HIGH], 0);
    ordered = 0;
    set_apic(TASK_PRIORITY, 0);
    let_in();
    check("both came", counts[LOW] + counts[HIGH], 3);
    check("the higher came first", order[0], HIGH);
    check("the lower came next", order[1], LOW);
}

static void timer(void) {
    set_apic(DIVIDE, 3); /* by 16 */
    set_apic(LVT_TIMER, TIMER);
    set_apic(INITIAL_COUNT, 20000);
    wait_for(TIMER, 1);
    check("current count after one shot", apic(CURRENT_COUNT), 0);
    set_apic(LVT_TIMER, PERIODIC | TIMER);
    set_apic(INITIAL_COUNT, 20000);
    wait_for(TIMER, 11);
    ENSURE("current count within the period", apic(CURRENT_COUNT) <= 20000);
    set_apic(LVT_TIMER, MASKED | TIMER);
    set_apic(INITIAL_COUNT, 20000);
    u32 before = counts[TIMER];
    while (apic(CURRENT_COUNT)) {
    }
    let_in();
    ENSURE("interrupt of a masked timer", counts[TIMER] <= before + 1);
    set_apic(INITIAL_COUNT, 0);
}

static void io(void) {
    u32 pins = (ioapic(IO_VERSION) >> 16 & 0xff) + 1;
    ENSURE("at least 16 pins", pins >= 16);
    u32 id = apic(APIC_ID) >> 24;
    set_ioapic(IO_REDIRECTION(PIN_PIT) + 1, id << 24);
    set_ioapic(IO_REDIRECTION(PIN_PIT), PIT_VECTOR);
    pit_program(2, PIT_HZ / 1000);
    wait_for(PIT_VECTOR, 20);
    set_ioapic(IO_REDIRECTION(PIN_PIT), MASKED | PIT_VECTOR);
    let_in();
    u32 before = counts[PIT_VECTOR];
    for (int i = 0; i < 3; i++) {
        u16 last = pit_read();
        u16 now;
        while ((now = pit_read()) <= last) {
            last = now;
        }
    }
    let_in();
    check("interrupts of a masked pin", counts[PIT_VECTOR], before);

    set_ioapic(IO_REDIRECTION(PIN_UART) + 1, id << 24);
    set_ioapic(IO_REDIRECTION(PIN_UART), UART_VECTOR);
    outb(COM1 + 1, 2); /* transmitter empty */
    wait_for(UART_VECTOR, 1);

    /* Level triggered: comes again after each end of interrupt until the cause is gone. */
    set_ioapic(IO_REDIRECTION(PIN_UART), LEVEL | UART_VECTOR);
    level_repeats = 3;
    outb(COM1 + 1, 2);
    wait_for(UART_VECTOR, 5);
    let_in();
    check("interrupts of a level", counts[UART_VECTOR], 5);
    set_ioapic(IO_REDIRECTION(PIN_UART), MASKED);
}

GUEST("apic") {
    pic_init(0xffff);
    static const u8 vectors[] = {LOW, HIGH, TIMER, PIT_VECTOR};
    for (unsigned i = 0; i < sizeof vectors; i++) {
        handle(vectors[i], counted);
    }
    handle(UART_VECTOR, uart);
    local();
    timer();
    io();
}
