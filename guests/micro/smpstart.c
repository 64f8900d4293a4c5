/* Cores that start, find each other by IPIs, wait for each other and share a counter under a lock. */
#include "smp.h"

#define IPI 0x61
#define ROUNDS 100
#define LOCKED_ROUNDS 5000

static volatile u32 started[SMP_MAX], ran[SMP_MAX], received[SMP_MAX];
static volatile u32 phase[SMP_MAX];
static spinlock lock;
static volatile u64 counted;

static void received_ipi(struct frame *frame) {
    (void) frame;
    received[smp_cpu()]++;
    smp_eoi();
}

static void first_function(int cpu) {
    started[cpu]++;
}

/* All cores at once, each to the next one; a second interrupt before the first is taken would be lost. */
static void send_ipis(int cpu) {
    int next = (cpu + 1) % smp_count();
    for (u32 i = 1; i <= ROUNDS; i++) {
        smp_ipi(next, IPI);
        while (received[next] < i) {
            cpu_pause();
        }
    }
}

static void sleep_for_ipis(int cpu) {
    if (cpu) {
        interrupts_off();
        while (received[cpu] <= ROUNDS) {
            wait_for_interrupt();
        }
        interrupts_on();
    } else {
        for (int i = 1; i < smp_count(); i++) {
            smp_ipi(i, IPI);
        }
    }
}

static void walk_in_step(int cpu) {
    for (u32 i = 1; i <= ROUNDS; i++) {
        phase[cpu] = i;
        smp_barrier();
        for (int other = 0; other < smp_count(); other++) {
            check("a core came through the barrier alone", phase[other], i);
        }
        smp_barrier();
    }
}

static void count_with_lock(int cpu) {
    (void) cpu;
    for (int i = 0; i < LOCKED_ROUNDS; i++) {
        spin_lock(&lock);
        counted++;
        spin_unlock(&lock);
    }
}

static void say_that_it_ran(int cpu) {
    check("smp_cpu", (u64) smp_cpu(), (u64) cpu);
    ran[cpu]++;
}

GUEST("smpstart") {
    int count = smp_wanted();
    handle(IPI, received_ipi);
    check("cores that came", (u64) smp_start(first_function), (u64) count - 1);
    check("cores that work", (u64) smp_count(), (u64) count);
    smp_run(say_that_it_ran);
    for (int i = 0; i < count; i++) {
        check("times a core ran what it was started with", started[i], i != 0);
        check("times a core ran what it was given then", ran[i], 1);
    }
    smp_run(send_ipis);
    for (int i = 0; i < count; i++) {
        check("interrupts that came to a core", received[i], ROUNDS);
    }
    smp_run(sleep_for_ipis);
    smp_run(walk_in_step);
    smp_run(count_with_lock);
    check("rounds under the lock", counted, (u64) count * LOCKED_ROUNDS);
}
