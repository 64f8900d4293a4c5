/*
 * Runs litmus tests in bulk: the threads of a test go through an array of cells together, a
 * fresh set of variables for each round. They meet before every round, if there is a core for each, and
 * start it after small random delays.
 */
#include "litmus.h"

#define CELLS 512
#define OUTCOMES 64
#define JUNK_LINES 4096
#define EAGER_SPINS 200
#define PATIENT_SPINS 10000
#define PATIENCE 50 /* times the rounds, until what must be observed has come */

static struct cell cells[CELLS + 1]; /* the last one takes what reaches over an end */
static u32 results[MAX_THREADS][CELLS][2];

/* What disturbs the threads in a batch of rounds; changes from batch to batch. */
static struct batch {
    const struct test *test;
    int threads, first_cpu;
    u32 number, step, delays;
    int meet_often, touch, clog;
} now;

/* How far each thread is, in rounds since the start. */
static struct {
    volatile u32 round;
    u32 padding[15];
} places[MAX_THREADS] __attribute__((aligned(64)));

static u32 junk[JUNK_LINES][16] __attribute__((aligned(64)));

static struct {
    char digits[8];
    u32 count;
} outcomes[OUTCOMES];
static int outcome_count;

static u32 next_random(u32 *state) {
    u32 x = *state;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    return *state = x;
}

static void meet(int thread, u32 round) {
    places[thread].round = round;
    for (int other = 0; other < now.threads; other++) {
        for (u32 spins = 0; (int) (places[other].round - round) < 0; spins++) {
            /* A core that pauses may be put to sleep, and be late for ever. */
            if (spins > (now.meet_often ? PATIENT_SPINS : EAGER_SPINS)) {
                cpu_pause();
            }
        }
    }
}

/* So that the stores of the test wait in it. */
static void fill_store_buffer(u32 random) {
    for (u32 i = 0; i < 4; i++) {
        *(volatile u32 *) junk[(random + i * 97) % JUNK_LINES] = random;
    }
}

static void touch(volatile struct cell *cell) {
    (void) cell->x[0];
    (void) cell->y[0];
    (void) cell->z[0];
    (void) cell->w[0];
}

static void run_batch(int cpu) {
    int thread = (cpu + smp_count() - now.first_cpu) % smp_count();
    if (thread >= now.threads) {
        return;
    }
    struct batch b = now;
    body *program = b.test->bodies[thread];
    u32 random = (b.number * MAX_THREADS + (u32) thread + 1) * 2654435761u | 1;
    for (u32 i = 0; i < CELLS; i++) {
        u32 at = i * b.step % CELLS;
        struct cell *cell = &cells[at];
        if (b.touch) {
            touch(cell);
        }
        if (b.meet_often || i % 32 == 0) {
            meet(thread, b.number * CELLS + i + 1);
        }
        for (u32 delay = next_random(&random) & b.delays; delay; delay--) {
            __asm__ volatile("");
        }
        if (b.clog) {
            fill_store_buffer(random);
        }
        program(cell, results[thread][at]);
    }
}

static void count_outcome(const char *digits, uword length) {
    int i = 0;
    while (i < outcome_count && memcmp(outcomes[i].digits, digits, length)) {
        i++;
    }
    if (i == OUTCOMES) {
        i--; /* only a test that fails anyway has so many */
    }
    if (i == outcome_count) {
        memcpy(outcomes[i].digits, digits, length + 1);
        outcomes[i].count = 0;
        outcome_count++;
    }
    outcomes[i].count++;
}

static u64 slot_value(char slot, u32 at) {
    switch (slot) {
        case 'x': return cells[at].x[0];
        case 'y': return cells[at].y[0];
        case 'z': return cells[at].z[0];
        case 'w': return cells[at].w[0];
        default: return results[(slot - 'a') / 2][at][(slot - 'a') % 2];
    }
}

static void collect(const struct test *test) {
    uword length = strlen(test->slots);
    for (u32 at = 0; at < CELLS; at++) {
        char digits[8];
        for (uword i = 0; i < length; i++) {
            u64 value = slot_value(test->slots[i], at);
            digits[i] = (char) ('0' + (value > 9 ? 9 : value));
        }
        digits[length] = 0;
        count_outcome(digits, length);
    }
}

/* Whether each outcome of a list came at least once. */
static int all_came(const char *list) {
    int came = 0, wanted_outcomes = 0;
    for (const char *at = list; *at; at++) {
        wanted_outcomes += at == list || at[-1] == ' ';
    }
    for (int i = 0; i < outcome_count; i++) {
        came += has_word(list, outcomes[i].digits);
    }
    return came == wanted_outcomes;
}

static int judge(const struct test *test) {
    int passed = 1;
    for (int i = 0; i < outcome_count; i++) {
        int allowed = has_word(test->allowed, outcomes[i].digits);
        passed &= allowed;
        print("  ");
        print(outcomes[i].digits);
        print(allowed ? ":" : "(forbidden!):");
        print_decimal(outcomes[i].count);
    }
    print("\n");
    return passed;
}

static int threads_of(const struct test *test) {
    int threads = 0;
    while (threads < MAX_THREADS && test->bodies[threads]) {
        threads++;
    }
    return threads;
}

static void prepare(u32 number) {
    static const u32 delays[] = {0, 1, 3, 7, 15, 31, 63, 0};
    static const u32 steps[] = {1, 5, 77, 211}; /* odd: each cell once */
    now.number = number;
    now.first_cpu = (int) (number % (u32) smp_count());
    now.delays = delays[number % 8];
    now.step = steps[number / 8 % 4];
    now.touch = number / 2 & 1;
    now.clog = number / 4 & 1;
    memset(cells, 0, sizeof cells);
    memset(results, 0, sizeof results);
}

int litmus(const struct test *test, u32 rounds) {
    int processors = (int) option("processors", (u64) smp_count());
    const char *observed = processors > 1 ? test->observed : "";
    now.test = test;
    now.threads = threads_of(test);
    now.meet_often = now.threads <= processors;
    if (now.threads > smp_count()) {
        print("skip ");
        print(test->name);
        print(": too few cores\n");
        return 1;
    }
    memset(places, 0, sizeof places);
    outcome_count = 0;
    u32 batches = (rounds + CELLS - 1) / CELLS;
    for (u32 i = 0; i < batches || (i < PATIENCE * batches && !all_came(observed)); i++) {
        prepare(i);
        smp_run(run_batch);
        collect(test);
    }
    print(test->name);
    print("  [");
    print(test->program);
    print("]  ");
    print(test->slots);
    print(" =");
    int passed = judge(test) & all_came(observed);
    if (!all_came(observed)) {
        print("  not observed: one of ");
        print(observed);
        print("\n");
    }
    print(passed ? "PASS " : "FAIL ");
    print(test->name);
    print("\n");
    return passed;
}

int wanted(const char *name) {
    const char *line = command_line();
    uword length = strlen(name);
    for (const char *at = line; *at; at++) {
        if (!memcmp(at, "only=", 5)) {
            return !memcmp(at + 5, name, length) && (!at[5 + length] || at[5 + length] == ' ');
        }
    }
    return 1;
}

GUEST("litmus") {
    int others = smp_start(0);
    check("cores that came", (u64) others, (u64) smp_wanted() - 1);
    u32 rounds = (u32) option("rounds", 20000);
    int failures = 0;
    if (option("processors", 2) < 2) {
        print("one processor: what must be observed with two is not asked for\n");
    }
    for (const struct test *test = tests; test->name; test++) {
        if (wanted(test->name) && threads_of(test) >= (int) option("threads", 1)
                && !has_word(command_line(), test->name)) {
            failures += !litmus(test, rounds);
        }
    }
    if (wanted("atomics") && !has_word(command_line(), "atomics")) {
        failures += !atomics(rounds);
    }
    check("tests that failed", (u64) failures, 0);
}
