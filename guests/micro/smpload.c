/*
 * Loads for several cores, measured by the TSC: how much "active" cores get done in "ms" milliseconds
 * while the others sleep, in "rounds" rounds over all loads. Checks that locks exclude. For `alcazar
 * bench smp`.
 */
#include "smp.h"

#define CACHE_LINE 64
#define WORDS 512

struct line {
    volatile u64 value;
    u8 rest[CACHE_LINE - sizeof(u64)];
} __attribute__((aligned(CACHE_LINE)));

static struct line done[SMP_MAX], shared, lock_word, next_ticket, now_serving;
static u64 data[SMP_MAX][WORDS];
static volatile u32 ready;
static volatile u64 end;
static int active;
static u64 ticks;
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

static u64 ticks_per_millisecond(void) {
    u64 start = read_tsc();
    smp_delay(50000);
    return (read_tsc() - start) / 50;
}

GUEST("smpload") {
    static const struct {
        const char *name;
        void (*load)(int cpu);
        int least;
    } LOADS[] = {{"compute", compute, 1}, {"spinlock", spinlocks, 1}, {"ticket", tickets, 1}};
    int wanted = smp_wanted();
    ENSURE("all cores come", smp_start(0) == wanted - 1);
    ticks = ticks_per_millisecond() * option("ms", 20);
    int rounds = (int) option("rounds", 1);
    for (int round = 0; round < rounds; round++) {
        for (u32 i = 0; i < sizeof LOADS / sizeof *LOADS; i++) {
            for (int cores = LOADS[i].least; cores <= wanted; cores *= 2) {
                u64 count = measure(LOADS[i].load, cores);
                print(LOADS[i].name);
                print(" ");
                print_decimal((u64) cores);
                print(" ");
                print_decimal(count);
                print("\n");
            }
        }
    }
    pass();
}
