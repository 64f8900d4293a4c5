/*
 * Cores that are busy with each other in every way for a given number of steps, and a result that
 * shows whether any of it got lost. For tests that stop, save and load such a guest in the middle.
 *
 * Each step of a core: its turn in a log under a lock, a transfer between accounts, atomic counts (one of
 * them over the edge of a cache line, one of 16 bytes), a walk over memory of its own, an interrupt to
 * another core that has to be answered. Now and then it sleeps in HLT for its own timer, which
 * is periodic, one-shot or by TSC deadline.
 *
 * Command line: cpus=N, steps=N of each core (default 200).
 */
#include "smp.h"

#define PING 0x60 /* and the sender's number, so that no two of them become one */
#define TIMER 0xe0
#define STEPS_MAX 20000
#define CORES_MAX 8
#define ACCOUNTS 64
#define START_AMOUNT 1000
#define WORDS 4096 /* of each core's own memory */
#define SLEEP_STEPS 8
#define TIMER_COUNT 200000
#define DEADLINE 300000 /* TSC ticks */

#define APIC_TIMER 0x320
#define APIC_INITIAL 0x380
#define APIC_DIVIDE 0x3e0
#define DIVIDE_BY_1 0xb
#define TIMER_PERIODIC 0x20000
#define TIMER_DEADLINE 0x40000
#define MSR_DEADLINE 0x6e0

enum timer { ONE_SHOT, PERIODIC, BY_DEADLINE, TIMERS };

static u32 steps;
static spinlock lock;
static u32 entries; /* of the log, and all that follows: under the lock */
static u32 log[CORES_MAX * STEPS_MAX];
static u64 chain, last_tsc;
static long long accounts[ACCOUNTS];

static volatile u64 total;
static u8 line[128] __attribute__((aligned(64)));
static unsigned __int128 wide __attribute__((aligned(16)));

static struct core {
    volatile u32 sent[CORES_MAX], answered[CORES_MAX]; /* by the other core, to it */
    volatile u32 ticks, wrong;
    enum timer timer;
    u64 random;
    u64 memory[WORDS];
} __attribute__((aligned(4096))) cores[CORES_MAX];

static u64 mix(u64 value, u64 more) {
    value = (value ^ more) * 0x9e3779b97f4a7c15;
    return value ^ value >> 29;
}

static u32 random_below(struct core *core, u32 limit) {
    core->random = core->random * 6364136223846793005 + 1442695040888963407;
    return (u32) (core->random >> 33) % limit;
}

static void ping(struct frame *frame) {
    u32 sender = frame->vector - PING;
    struct core *from = &cores[sender];
    int own = smp_cpu();
    if (from->sent[own] != from->answered[own] + 1) {
        cores[own].wrong++;
    }
    from->answered[own]++;
    smp_eoi();
}

static void tick(struct frame *frame) {
    (void) frame;
    cores[smp_cpu()].ticks++;
    smp_eoi();
}

static void arm(struct core *core) {
    if (core->timer == ONE_SHOT) {
        smp_apic_write(APIC_INITIAL, TIMER_COUNT);
    } else if (core->timer == BY_DEADLINE) {
        write_msr(MSR_DEADLINE, read_tsc() + DEADLINE);
    }
}

static int has_deadline(void) {
    u32 a = 1, b, c = 0, d;
    __asm__("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    return c >> 24 & 1;
}

static void start_timer(struct core *core, int cpu) {
    static const u32 modes[TIMERS] = {0, TIMER_PERIODIC, TIMER_DEADLINE};
    core->timer = (enum timer) (cpu % TIMERS);
    if (core->timer == BY_DEADLINE && !has_deadline()) {
        core->timer = ONE_SHOT;
    }
    smp_apic_write(APIC_DIVIDE, DIVIDE_BY_1);
    smp_apic_write(APIC_TIMER, modes[core->timer] | TIMER);
    if (core->timer == PERIODIC) {
        smp_apic_write(APIC_INITIAL, TIMER_COUNT);
    }
}

/* A timer that is lost lets the core sleep for ever. */
static void sleep_for_timer(struct core *core) {
    interrupts_off();
    u32 before = core->ticks;
    arm(core);
    while (core->ticks == before) {
        wait_for_interrupt();
        interrupts_off();
    }
    interrupts_on();
}

static void write_log(struct core *core, int cpu, u32 step) {
    spin_lock(&lock);
    u64 now = read_tsc();
    if (now < last_tsc) {
        core->wrong++;
    }
    last_tsc = now;
    log[entries++] = (u32) cpu << 24 | step;
    chain = mix(chain, (u64) cpu << 24 | step);
    u32 from = random_below(core, ACCOUNTS), to = random_below(core, ACCOUNTS);
    long long amount = random_below(core, 100);
    accounts[from] -= amount;
    accounts[to] += amount;
    spin_unlock(&lock);
}

static void count(void) {
    atomic_add(&total, 1);
    u64 *split = (u64 *) (line + 60);
    __asm__ volatile("lock addq $3, %0" : "+m"(*split));
    u64 low = 0, high = 0;
    u8 done;
    do {
        u64 new_low = low + 1, new_high = high + 2;
        __asm__ volatile("lock cmpxchg16b %1; sete %0"
                         : "=q"(done), "+m"(wide), "+a"(low), "+d"(high)
                         : "b"(new_low), "c"(new_high));
    } while (!done);
}

static void walk(u64 *memory, int cpu, u32 step) {
    u64 value = mix((u64) cpu, step);
    for (u32 i = 0; i < 64; i++) {
        u32 at = (u32) (value >> 20) % WORDS;
        value = mix(value, memory[at]);
        memory[at] = value;
    }
}

static void send(struct core *core, int cpu, int to) {
    core->sent[to]++;
    smp_ipi(to, PING + cpu);
    while (core->answered[to] != core->sent[to]) {
        cpu_pause();
    }
}

static void work(int cpu) {
    struct core *core = &cores[cpu];
    core->random = (u64) cpu + 1;
    interrupts_on();
    start_timer(core, cpu);
    for (u32 step = 0; step < steps; step++) {
        write_log(core, cpu, step);
        count();
        walk(core->memory, cpu, step);
        send(core, cpu, (int) random_below(core, (u32) smp_count()));
        if (step % SLEEP_STEPS == 0) {
            sleep_for_timer(core);
        }
    }
    smp_apic_write(APIC_TIMER, 0x10000); /* masked */
}

static void check_log(u32 number) {
    static u32 next[CORES_MAX];
    u64 value = 0;
    check("entries of the log", entries, number * steps);
    for (u32 i = 0; i < entries; i++) {
        u32 cpu = log[i] >> 24;
        ENSURE("an entry of the log is a core's", cpu < number);
        check("a core's next entry", log[i] & 0xffffff, next[cpu]++);
        value = mix(value, log[i]);
    }
    check("chain over the log", chain, value);
}

static void check_core(u32 cpu) {
    static u64 memory[WORDS];
    struct core *core = &cores[cpu];
    memset(memory, 0, sizeof memory);
    u32 sent = 0;
    for (u32 step = 0; step < steps; step++) {
        walk(memory, (int) cpu, step);
    }
    for (int other = 0; other < smp_count(); other++) {
        check("interrupts answered", core->answered[other], core->sent[other]);
        sent += core->sent[other];
    }
    check("interrupts sent", sent, steps);
    check("a core's own memory", (u64) memcmp(core->memory, memory, sizeof memory), 0);
    check("interrupts twice or time backwards", core->wrong, 0);
    ENSURE("as many ticks as sleeps", core->ticks >= (steps + SLEEP_STEPS - 1) / SLEEP_STEPS);
    if (core->timer != PERIODIC) {
        check("ticks", core->ticks, (steps + SLEEP_STEPS - 1) / SLEEP_STEPS);
    }
}

GUEST("smpbusy") {
    u32 number = (u32) smp_wanted();
    steps = (u32) option("steps", 200);
    ENSURE("cpus= is at most 8, steps= at most 20000", number <= CORES_MAX && steps <= STEPS_MAX);
    for (u32 i = 0; i < ACCOUNTS; i++) {
        accounts[i] = START_AMOUNT;
    }
    for (u32 i = 0; i < number; i++) {
        handle(PING + (int) i, ping);
    }
    handle(TIMER, tick);
    check("cores that came", (u64) smp_start(0), number - 1);
    for (const char *at = "busy"; *at; at++) {
        outb(0xe9, (u8) *at); /* for whoever waits for this moment */
    }
    smp_run(work);
    check_log(number);
    for (u32 i = 0; i < number; i++) {
        check_core(i);
    }
    long long sum = 0;
    for (u32 i = 0; i < ACCOUNTS; i++) {
        sum += accounts[i];
    }
    check("sum of the accounts", (u64) sum, ACCOUNTS * START_AMOUNT);
    u64 all = (u64) number * steps;
    check("atomic count", total, all);
    check("atomic count over a line's edge", *(u64 *) (line + 60), 3 * all);
    check("count of 16 bytes, low", (u64) wide, all);
    check("count of 16 bytes, high", (u64) (wide >> 64), 2 * all);
}
