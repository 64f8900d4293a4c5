/*
 * Local APICs: the way between their modes, messages to absent cores, NMIs from everywhere, start-up
 * messages that have to be ignored, INIT, deadlines of the timer. Also with the word x2apic.
 */
#include "smp.h"

#define APIC_BASE 0x1b
#define ENABLED 0x800
#define X2APIC 0x400
#define APIC_CPUID (1u << 9)
#define TSC 0x10
#define TSC_DEADLINE 0x6e0

#define ID 0x20
#define PRIORITY 0x80
#define ERRORS 0x280
#define COMMAND 0x300
#define COMMAND_HIGH 0x310
#define LVT_TIMER 0x320
#define DEADLINE_MODE 0x40000
#define ALL 0x80000
#define SEND_ACCEPT 4
enum { FIXED = 0x4000, NMI_MODE = 0x4400, INIT = 0x4500, STARTUP = 0x4600 };

#define TRAMPOLINE_PAGE 8
#define NOWHERE_PAGE 0xa0 /* the display window, where a PC without display has no memory */
#define ABSENT 99
#define TIMER_VECTOR 0x45
#define ROUNDS 300

static int wide;
static volatile u32 nmis[SMP_MAX], depth[SMP_MAX], nested, reflected, ran[SMP_MAX], released;
static volatile u32 ticks;

static void send(u32 cpu, u32 command) {
    if (wide) {
        write_msr(0x800 + COMMAND / 16, (u64) cpu << 32 | command);
    } else {
        smp_apic_write(COMMAND_HIGH, cpu << 24);
        smp_apic_write(COMMAND, command);
    }
}

static void refuse(const char *what, u32 number, u64 value) {
    ATTEMPT("wrmsr", ::"c"(number), "a"((u32) value), "d"((u32) (value >> 32)) : "memory");
    expect_fault(what, GP, 0);
}

static void modes(void) {
    u64 base = read_msr(APIC_BASE);
    u32 id = cpuid(1).ebx >> 24;
    check("the APIC is on", base & (ENABLED | X2APIC), ENABLED);
    refuse("x2APIC mode of an APIC that is off", APIC_BASE, (base & ~(u64) ENABLED) | X2APIC);
    refuse("a reserved bit of the base", APIC_BASE, base | 1);
    refuse("x2APIC register in xAPIC mode", 0x808, 0);
    write_msr(APIC_BASE, base | X2APIC);
    check("id in x2APIC mode", read_msr(0x802), id);
    check("logical id", read_msr(0x80d), (id >> 4) << 16 | 1u << (id & 15));
    refuse("id is read-only", 0x802, 0);
    refuse("reserved bits of the task priority", 0x808, 0x100);
    refuse("end of interrupt takes 0", 0x80b, 1);
    refuse("a register that is not there", 0x80e, 0);
    write_msr(0x808, 0x20);
    check("task priority", read_msr(0x808), 0x20);
    write_msr(0x808, 0);
    refuse("straight back to xAPIC mode", APIC_BASE, base);
    write_msr(APIC_BASE, base & ~(u64) ENABLED);
    check("CPUID of an APIC that is off", cpuid(1).edx & APIC_CPUID, 0);
    refuse("from off to x2APIC mode", APIC_BASE, base | X2APIC);
    write_msr(APIC_BASE, base);
    check("CPUID of an APIC that is on", cpuid(1).edx & APIC_CPUID, APIC_CPUID);
}

/* Nobody is there, and nothing hangs. */
static void absent_cores(void) {
    static const u32 commands[] = {FIXED | 0x61, NMI_MODE, INIT, STARTUP | NOWHERE_PAGE};
    for (u32 i = 0; i < sizeof commands / sizeof *commands; i++) {
        smp_apic_write(ERRORS, 0);
        send(ABSENT, commands[i]);
        smp_apic_write(ERRORS, 0);
        if (amd() && strict()) {
            check("error of a message to nobody", smp_apic_read(ERRORS), SEND_ACCEPT);
        }
    }
    smp_apic_write(ERRORS, 0);
}

static void nmi_came(struct frame *frame) {
    int cpu = smp_cpu();
    (void) frame;
    if (atomic_add(&depth[cpu], 1) != 0) {
        nested = 1;
    }
    nmis[cpu]++;
    if (reflected == 1) {
        u32 before = nmis[cpu];
        reflected = 2;
        smp_apic_write(COMMAND, ALL | NMI_MODE);
        for (int i = 0; i < 1000; i++) {
            cpu_pause();
        }
        if (nmis[cpu] != before) {
            nested = 1;
        }
    }
    atomic_add(&depth[cpu], -1);
}

static void flood(int cpu) {
    (void) cpu;
    for (int i = 0; i < ROUNDS; i++) {
        smp_apic_write(COMMAND, ALL | NMI_MODE);
    }
}

/* NMIs wait for the IRET of the one before, and are not lost then. */
static void floods(void) {
    handle(NMI, nmi_came);
    smp_run(flood);
    for (int i = 0; i < smp_count(); i++) {
        ENSURE("a core without NMI", nmis[i] > 0);
    }
    u32 before = nmis[0];
    reflected = 1;
    send(0, NMI_MODE);
    while (nmis[0] < before + 2) {
        cpu_pause();
    }
    check("an NMI within an NMI", nested, 0);
}

static void hold(int cpu) {
    if (cpu == 0) {
        for (int i = 1; i < smp_count(); i++) {
            send((u32) i, STARTUP | NOWHERE_PAGE);
        }
        smp_delay(1000);
        released = 1;
    }
    while (!released) {
        cpu_pause();
    }
}

static void run_once(int cpu) {
    ran[cpu]++;
}

static void startup_of_running_cores(void) {
    smp_run(hold);
    smp_run(run_once);
    for (int i = 0; i < smp_count(); i++) {
        check("a core goes on after a start-up message", ran[i], 1);
    }
}

/* After INIT a core is gone until the first start-up message; more of them change nothing. */
static void init(void) {
    for (int i = 1; i < smp_count(); i++) {
        send((u32) i, INIT);
    }
    smp_delay(10000);
    for (int i = 1; i < smp_count(); i++) {
        send((u32) i, STARTUP | TRAMPOLINE_PAGE);
        send((u32) i, STARTUP | NOWHERE_PAGE);
    }
    smp_delay(1000);
    smp_run(run_once);
    for (int i = 0; i < smp_count(); i++) {
        check("a core that was started once more", ran[i], 2);
    }
}

static void tick(struct frame *frame) {
    (void) frame;
    ticks++;
    smp_eoi();
}

static void until_tick(u32 count) {
    interrupts_off();
    while (ticks < count) {
        wait_for_interrupt();
    }
    interrupts_on();
}

static void deadlines(void) {
    handle(TIMER_VECTOR, tick);
    write_msr(TSC_DEADLINE, read_tsc() + 1000);
    check("a deadline in another mode", read_msr(TSC_DEADLINE), 0);
    smp_apic_write(LVT_TIMER, DEADLINE_MODE | TIMER_VECTOR);
    __asm__ volatile("mfence" ::: "memory");
    u64 deadline = read_tsc() + 2000000;
    write_msr(TSC_DEADLINE, deadline);
    until_tick(1);
    ENSURE("a deadline came early", read_tsc() >= deadline);
    check("a deadline that has passed", read_msr(TSC_DEADLINE), 0);
    write_msr(TSC_DEADLINE, 1);
    until_tick(2);
    deadline = read_tsc() + (1ull << 50);
    write_msr(TSC_DEADLINE, deadline);
    check("a deadline to come", read_msr(TSC_DEADLINE), deadline);
    write_msr(TSC, deadline); /* now it is time */
    until_tick(3);
    write_msr(TSC_DEADLINE, read_tsc() + (1ull << 50));
    smp_apic_write(LVT_TIMER, TIMER_VECTOR);
    __asm__ volatile("mfence" ::: "memory");
    smp_apic_write(LVT_TIMER, DEADLINE_MODE | TIMER_VECTOR);
    check("a deadline after another mode", read_msr(TSC_DEADLINE), 0);
    check("interrupts of the timer", ticks, 3);
}

GUEST("smpapic") {
    int count = smp_wanted();
    u32 features = cpuid(1).ecx;
    wide = has_word(command_line(), "x2apic");
    if (features >> 21 & 1) {
        modes();
    } else {
        skip("x2APIC mode");
    }
    check("cores that came", (u64) smp_start(0), (u64) count - 1);
    absent_cores();
    floods();
    startup_of_running_cores();
    init();
    if (features >> 24 & 1) {
        deadlines();
    } else {
        skip("deadlines");
    }
}
