/*
 * Several cores, for 64-bit guests on a PC. The command line says how many: cpus=N, at most SMP_MAX, 1
 * without the word. A core's number is its APIC id; the first core is 0. With the word "x2apic" the
 * local APICs work in that mode.
 *
 * All cores share page tables, IDT and the handlers of handle(); each has its own stack, GDT and TSS.
 * ATTEMPT, run() and enter_user() are for the first core; run() spoils GS, thus smp_cpu(). The console
 * is for one core at a time.
 */
#ifndef SMP_H
#define SMP_H

#include "micro.h"

#define SMP_MAX 64
#define SMP_WAKE 0xf1 /* vector by which sleeping cores learn of work */

/*
 * Starts all other cores by INIT, SIPI, SIPI, with interrupts on. Each executes the function and then
 * sleeps until smp_run() has work for it; the function may be 0. Gives the number of cores that came
 * within five seconds, the first one not counted; unless all have come there is no going on. To be
 * called once.
 */
int smp_start(void (*function)(int cpu));

/* Has every core execute the function, this one too, and comes back when all have finished. */
void smp_run(void (*function)(int cpu));

/* Cores wanted by the command line. */
int smp_wanted(void);

/* Cores that work: those that came and the first one. */
int smp_count(void);

/* Waits until each core has called it; interrupts are taken meanwhile if they are on. */
void smp_barrier(void);

/* Sends a fixed interrupt to one core, which may be the own one. */
void smp_ipi(int cpu, int vector);

/* The end of an interrupt, for handlers. */
void smp_eoi(void);

/* Registers of the own local APIC, by their offset in its page; in x2APIC mode through the MSRs. */
u32 smp_apic_read(u32 offset);
void smp_apic_write(u32 offset, u32 value);

/* Waits at least that long by the 8254's counter 0; at most 50,000 us. First core only. */
void smp_delay(u32 microseconds);

/* The number after "NAME=" on the command line, or what else is given. */
u64 option(const char *name, u64 otherwise);

static inline int smp_cpu(void) {
    int cpu;
    __asm__("mov %%gs:0, %0" : "=r"(cpu));
    return cpu;
}

static inline void cpu_pause(void) {
    __asm__ volatile("pause" ::: "memory");
}

static inline u64 read_tsc(void) {
    u32 low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (u64) high << 32 | low;
}

typedef struct {
    volatile u32 taken;
} spinlock;

static inline void spin_lock(spinlock *lock) {
    u32 one = 1;
    for (;;) {
        __asm__ volatile("xchg %0, %1" : "+r"(one), "+m"(lock->taken)::"memory");
        if (!one) {
            return;
        }
        while (lock->taken) {
            cpu_pause();
        }
    }
}

static inline void spin_unlock(spinlock *lock) {
    __asm__ volatile("movl $0, %0" : "=m"(lock->taken)::"memory");
}

#define atomic_add(where, value) __atomic_fetch_add(where, value, __ATOMIC_SEQ_CST)

#endif
