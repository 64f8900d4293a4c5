/* Several cores; see smp.h. */
#include "smp.h"

#define TRAMPOLINE 0x8000
#define STACK 0x4000
#define APIC 0xfee00000u
#define MSR_APIC_BASE 0x1b
#define MSR_X2APIC 0x800
#define APIC_X2APIC 0x400
#define MSR_GS_BASE 0xc0000101

#define APIC_TASK_PRIORITY 0x80
#define APIC_END 0xb0
#define APIC_SPURIOUS 0xf0
#define APIC_COMMAND 0x300
#define APIC_COMMAND_HIGH 0x310
#define COMMAND_PENDING 0x1000
#define COMMAND_INIT 0x4500 /* INIT, assert */
#define COMMAND_STARTUP 0x4600
#define SPURIOUS_VECTOR 0xff

extern u64 pml4[512], pdpt[512];
extern const u8 trampoline[], trampoline_end[];
void smp_arrived(int cpu);

u8 smp_stacks[SMP_MAX * STACK] __attribute__((aligned(16)));

static struct core {
    int number; /* first, at %gs:0 */
    u32 work_done;
    u64 gdt[8];
    u32 tss[26];
} __attribute__((aligned(64))) cores[SMP_MAX];

static u64 apic_tables[512] __attribute__((aligned(4096)));
static int x2apic;
static void (*volatile work)(int);
static volatile u32 work_number, unfinished, arrived, waiting, barriers;
static u32 count = 1; /* of cores that work */

u64 option(const char *name, u64 otherwise) {
    uword length = strlen(name);
    for (const char *at = command_line(); *at; at++) {
        if (!memcmp(at, name, length) && at[length] == '=') {
            u64 value = 0;
            for (at += length + 1; *at >= '0' && *at <= '9'; at++) {
                value = value * 10 + (u64) (*at - '0');
            }
            return value;
        }
    }
    return otherwise;
}

int smp_wanted(void) {
    u64 wanted = option("cpus", 1);
    ENSURE("cpus= on the command line is 1 to 64", wanted >= 1 && wanted <= SMP_MAX);
    return (int) wanted;
}

int smp_count(void) {
    return (int) count;
}

u32 smp_apic_read(u32 offset) {
    return x2apic ? (u32) read_msr(MSR_X2APIC + offset / 16) : *(volatile u32 *) (uword) (APIC + offset);
}

void smp_apic_write(u32 offset, u32 value) {
    if (x2apic) {
        write_msr(MSR_X2APIC + offset / 16, value);
    } else {
        *(volatile u32 *) (uword) (APIC + offset) = value;
    }
}

void smp_eoi(void) {
    smp_apic_write(APIC_END, 0);
}

static void command(int cpu, u32 value) {
    if (x2apic) {
        /* WRMSR to the x2APIC is not serialising (SDM volume 3, 11.12.3): what was stored goes first. */
        __asm__ volatile("mfence; lfence" ::: "memory");
        write_msr(MSR_X2APIC + APIC_COMMAND / 16, (u64) cpu << 32 | value);
        return;
    }
    uword flags = read_flags();
    interrupts_off(); /* a handler that sends too must not come between the halves */
    smp_apic_write(APIC_COMMAND_HIGH, (u32) cpu << 24);
    smp_apic_write(APIC_COMMAND, value);
    while (smp_apic_read(APIC_COMMAND) & COMMAND_PENDING) {
        cpu_pause();
    }
    if (flags & 0x200) {
        interrupts_on();
    }
}

void smp_ipi(int cpu, int vector) {
    command(cpu, 0x4000 | (u32) vector);
}

void smp_delay(u32 microseconds) {
    u16 count = (u16) (microseconds * 1193ULL / 1000 + 1);
    pit_program(0, count);
    while (pit_read() <= count) { /* goes on from 0xffff when it has come to 0 */
        cpu_pause();
    }
}

static void woken(struct frame *frame) {
    (void) frame;
    smp_eoi();
}

static void spurious(struct frame *frame) {
    (void) frame; /* has no end of interrupt */
}

/* Own GDT and TSS, GS for smp_cpu(), the local APIC on. */
static void begin(int cpu) {
    struct core *core = &cores[cpu];
    core->number = cpu;
    memcpy(core->gdt, gdt, 5 * sizeof *gdt);
    uword top = (uword) smp_stacks + (uword) cpu * STACK + STACK / 2; /* the lower half for traps */
    core->tss[1] = (u32) top;
    core->tss[2] = (u32) (top >> 32);
    core->tss[25] = sizeof core->tss << 16;
    core->gdt[TSS_SELECTOR / 8] =
            descriptor((u32) (uword) core->tss, sizeof core->tss - 1, 0x89);
    core->gdt[TSS_SELECTOR / 8 + 1] = (uword) core->tss >> 32;
    struct {
        u16 limit;
        uword base;
    } __attribute__((packed)) gdtr = {sizeof core->gdt - 1, (uword) core->gdt},
                              idtr = {sizeof idt - 1, (uword) idt};
    __asm__ volatile("lgdt %0; lidt %1; ltr %w2" ::"m"(gdtr), "m"(idtr), "r"(TSS_SELECTOR));
    write_msr(MSR_GS_BASE, (uword) core);
    if (x2apic) {
        write_msr(MSR_APIC_BASE, read_msr(MSR_APIC_BASE) | APIC_X2APIC);
    }
    smp_apic_write(APIC_SPURIOUS, 0x100 | SPURIOUS_VECTOR);
    smp_apic_write(APIC_TASK_PRIORITY, 0);
}

/* Called by trampoline.S on a new core, with interrupts off. */
void smp_arrived(int cpu) {
    struct core *core = &cores[cpu];
    begin(cpu);
    atomic_add(&arrived, 1);
    for (;;) {
        while (core->work_done == work_number) {
            wait_for_interrupt();
        }
        core->work_done++;
        interrupts_on();
        if (work) {
            work(cpu);
        }
        interrupts_off();
        atomic_add(&unfinished, -1);
    }
}

static void map_apic(void) {
    /* 0xfee00000 in the fourth GiB: a page of 2 MiB, not cached. */
    apic_tables[APIC >> 21 & 511] = APIC | 0x9b;
    pdpt[3] = (uword) apic_tables | 3;
}

static void start_cores(int wanted) {
    memcpy((void *) TRAMPOLINE, trampoline, (uword) (trampoline_end - trampoline));
    for (int i = 1; i < wanted; i++) {
        command(i, COMMAND_INIT);
    }
    smp_delay(10000);
    for (int round = 0; round < 2; round++) {
        for (int i = 1; i < wanted; i++) {
            command(i, COMMAND_STARTUP | TRAMPOLINE >> 12);
        }
        smp_delay(200);
    }
    for (int i = 0; i < 500 && (int) arrived < wanted - 1; i++) {
        smp_delay(10000);
    }
}

static void hand_out(void (*function)(int)) {
    work = function;
    unfinished = count - 1;
    atomic_add(&work_number, 1);
    for (u32 i = 1; i < count; i++) {
        smp_ipi((int) i, SMP_WAKE);
    }
}

static void await_the_others(void) {
    while (unfinished) {
        cpu_pause();
    }
}

int smp_start(void (*function)(int cpu)) {
    int wanted = smp_wanted();
    pic_init(0xffff);
    map_apic();
    x2apic = has_word(command_line(), "x2apic");
    ENSURE("x2apic: this processor has none", !x2apic || cpuid(1).ecx >> 21 & 1);
    handle(SMP_WAKE, woken);
    handle(SPURIOUS_VECTOR, spurious);
    begin(0);
    start_cores(wanted);
    interrupts_on();
    count = arrived + 1;
    hand_out(function);
    return (int) arrived;
}

void smp_run(void (*function)(int cpu)) {
    await_the_others();
    hand_out(function);
    function(0);
    await_the_others();
}

void smp_barrier(void) {
    u32 before = barriers;
    if (atomic_add(&waiting, 1) + 1 == (u32) smp_count()) {
        waiting = 0;
        __asm__ volatile("" ::: "memory");
        barriers = before + 1;
        return;
    }
    while (barriers == before) {
        cpu_pause();
    }
}
