/*
 * Loads for several cores, measured by the TSC: how much "active" cores get done in "ms" milliseconds
 * while the others sleep, in "rounds" rounds over the first "loads" loads. With "hz" also what the
 * first core does while all others get so many timer interrupts a second, and while they get none. Checks that locks exclude. For `alcazar
 * bench smp`.
 */
#include "smp.h"

#define CACHE_LINE 64
#define WORDS 512
#define TICK 0x52
#define APIC_TIMER 0x320
#define APIC_PERIODIC 0x20000
#define APIC_COUNT 0x380
#define APIC_DIVIDE 0x3e0
#define APIC_HZ 1000000000 /* as Alcazar's */

struct line {
    volatile u64 value;
    u8 rest[CACHE_LINE - sizeof(u64)];
} __attribute__((aligned(CACHE_LINE)));

static struct line done[SMP_MAX], shared, lock_word, next_ticket, now_serving;
static u64 data[SMP_MAX][WORDS];
static volatile u32 ready;
static volatile u64 end;
static int active;
static u64 ticks, tick;
static void (*load)(int cpu);

static u64 compute_words(u64 *words, u64 x) {
    for (int i = 0; i < WORDS; i++) {
        x = x * 6364136223846793005ULL + 1442695040888963407ULL;
        words[i] = (words[i] ^ x >> 29) + x;
    }
    return x;
}

/* Nothing that another core has. */
static void compute(int cpu) {
    compute_words(data[cpu], done[cpu].value);
    done[cpu].value++;
}

/* A short time with the lock, and one some times as long without. */
static void locked_work(int cpu) {
    u64 x = shared.value;
    for (int i = 0; i < 4; i++) {
        data[0][i] += x;
    }
    shared.value = x + 1;
    done[cpu].value++;
}

static void private_work(int cpu) {
    u64 x = done[cpu].value;
    for (int i = 8; i < 24; i++) {
        x = x * 5 + data[cpu][i];
    }
    data[cpu][24] = x;
}

/* Whoever comes first: LOCK CMPXCHG, and PAUSE while it is taken. */
static void spinlocks(int cpu) {
    while (!__sync_bool_compare_and_swap(&lock_word.value, 0, 1)) {
        while (lock_word.value) {
            cpu_pause();
        }
    }
    locked_work(cpu);
    __atomic_store_n(&lock_word.value, 0, __ATOMIC_RELEASE);
    private_work(cpu);
}

/* In the order of coming: one that waits and does not run keeps all behind it from going on. */
static void tickets(int cpu) {
    u64 mine = atomic_add(&next_ticket.value, 1);
    while (now_serving.value != mine) {
        cpu_pause();
    }
    locked_work(cpu);
    __atomic_store_n(&now_serving.value, mine + 1, __ATOMIC_RELEASE);
    private_work(cpu);
}

static void work(int cpu) {
    if (cpu >= active) {
        return;
    }
    done[cpu].value = 0;
    atomic_add(&ready, 1);
    while (ready < (u32) active) {
        cpu_pause();
    }
    if (cpu == 0) {
        end = read_tsc() + ticks;
    }
    while (!end) {
        cpu_pause();
    }
    while (read_tsc() < end) {
        for (int i = 0; i < 32; i++) {
            load(cpu);
        }
    }
}

static u64 measure(void (*what)(int cpu), int cores) {
    active = cores;
    load = what;
    ready = 0;
    end = 0;
    shared.value = 0;
    smp_run(work);
    u64 sum = 0;
    for (int i = 0; i < cores; i++) {
        sum += done[i].value;
    }
    ENSURE("a lock excludes", what == compute || shared.value == sum);
    return sum;
}

static void ticked(struct frame *frame) {
    (void) frame;
    smp_eoi();
}

static void start_ticks(int cpu) {
    if (cpu) {
        smp_apic_write(APIC_TIMER, APIC_PERIODIC | TICK);
        smp_apic_write(APIC_DIVIDE, 0xb); /* by 1 */
        smp_apic_write(APIC_COUNT, (u32) tick);
    }
}

static void stop_ticks(int cpu) {
    if (cpu) {
        smp_apic_write(APIC_COUNT, 0);
    }
}

static void say(const char *name, int cores, u64 count) {
    print(name);
    print(" ");
    print_decimal((u64) cores);
    print(" ");
    print_decimal(count);
    print("\n");
}

static u64 ticks_per_millisecond(void) {
    u64 start = read_tsc();
    smp_delay(50000);
    return (read_tsc() - start) / 50;
}

GUEST("smpload") {
    static const struct {
        const char *name;
        void (*load)(int cpu);
    } LOADS[] = {{"compute", compute}, {"spinlock", spinlocks}, {"ticket", tickets}};
    int wanted = smp_wanted();
    ENSURE("all cores come", smp_start(0) == wanted - 1);
    ticks = ticks_per_millisecond() * option("ms", 20);
    int rounds = (int) option("rounds", 1);
    int loads = (int) option("loads", sizeof LOADS / sizeof *LOADS);
    u64 hz = option("hz", 0);
    tick = hz ? APIC_HZ / hz : 0;
    handle(TICK, ticked);
    for (int round = 0; round < rounds; round++) {
        for (int i = 0; i < loads; i++) {
            for (int cores = 1; cores <= wanted; cores *= 2) {
                u64 count = measure(LOADS[i].load, cores);
                say(LOADS[i].name, cores, count);
            }
        }
        if (hz) {
            u64 alone = measure(compute, 1);
            smp_run(start_ticks);
            u64 beside = measure(compute, 1);
            smp_run(stop_ticks);
            say("unticked", 1, alone);
            say("ticked", 1, beside);
        }
    }
    pass();
}
