/*
 * TLB shoot-down: one thread changes a page's mapping, others on all cores access it all the time. What a change took away
 * must be gone on every core when the system call has returned.
 */
#include "memory.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { READERS = 2, STEPS = 96, PLACES = 4 };

/*
 * What the page is like, with the number of the step above it. CHANGING says that either of two is right. A reader that finds
 * the same state before and after its access must have seen what that state allows and nothing else.
 */
enum kind { CHANGING, VALUE, WRITABLE, ZERO, GONE, KINDS_BITS = 3 };

static struct {
    char *_Atomic area; /* the page that all look at */
    char *alias;        /* the same memory, always writable; a page for each place. NULL: the page is anonymous */
    _Atomic uint64_t state;
    _Atomic int stop;
    _Atomic uint64_t looks[READERS];
    _Atomic uint64_t written;
} game;

static cpu_set_t all_processors;

/* Which processor a thread runs on matters only in that they are different ones. */
static void run_on(int which)
{
    cpu_set_t one;
    CPU_ZERO(&one);
    which %= CPU_COUNT(&all_processors);
    for (int cpu = 0, found = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(cpu, &all_processors) && found++ == which)
            CPU_SET(cpu, &one);
    if (sched_setaffinity(0, sizeof one, &one) < 0)
        wrong("sched_setaffinity: %s", strerror(errno));
}

static void check(uint64_t state, int done, uint64_t value, const struct fault *fault)
{
    uint64_t step = state >> KINDS_BITS;
    switch (state & 7) {
    case VALUE:
        if (!done || value != scramble(step))
            wrong("in step %lu a reader found %lx (signal %d), %lx was mapped", step, value, fault->signal, scramble(step));
        break;
    case ZERO:
        if (!done || value != 0)
            wrong("in step %lu a reader found %lx (signal %d) in a page that was given back", step, value, fault->signal);
        break;
    case GONE:
        if (done)
            wrong("in step %lu a reader found %lx after the page was taken away", step, value);
        break;
    }
}

/* Reads and, in the word beside it, writes; a write that is allowed counts. */
static void *reader(void *number)
{
    int who = (int)(intptr_t)number;
    struct fault fault = {0};
    run_on(who + 1);
    while (!game.stop) {
        uint64_t value = 0, before = game.state;
        fault.signal = 0;
        int done = try_read(game.area, &value, &fault);
        if (before == game.state)
            check(before, done, value, &fault);
        before = game.state;
        done = try_write(game.area + 8 * (1 + who), before, &fault);
        if (before == game.state && (before & 7) == VALUE && done)
            wrong("in step %lu a thread wrote to a page that may only be read", before >> KINDS_BITS);
        if (before == game.state && (before & 7) == WRITABLE && !done)
            wrong("in step %lu a thread could not write (signal %d, code %d)", before >> KINDS_BITS, fault.signal, fault.code);
        game.looks[who]++;
        if ((who + 1) % CPU_COUNT(&all_processors) == 0)
            sched_yield(); /* the thread that makes the changes is on this processor */
    }
    return number;
}

/* Says what the page is like now, and lets each reader look at it from begin to end. */
static void now(uint64_t step, enum kind kind)
{
    uint64_t before[READERS];
    game.state = step << KINDS_BITS | kind;
    for (int i = 0; i < READERS; i++)
        before[i] = game.looks[i];
    for (int i = 0; i < READERS; i++)
        while (game.looks[i] < before[i] + 2)
            sched_yield();
}

/* The next place gets a value, then appears at the page; what was there before keeps its own. */
static uint64_t appear(uint64_t digest, uint64_t step, int file)
{
    size_t place = step % PLACES * PAGE;
    *(volatile uint64_t *)(game.alias + place) = scramble(step);
    if (mmap(game.area, PAGE, PROT_READ, MAP_SHARED | MAP_FIXED, file, (off_t)place) == MAP_FAILED)
        wrong("mmap: %s", strerror(errno));
    now(step, VALUE);
    return mix(digest, *(volatile uint64_t *)game.area);
}

/* While the page is read-only nobody's words in it may change. */
static uint64_t settled(uint64_t digest, const volatile uint64_t *words)
{
    uint64_t are[READERS];
    for (int i = 0; i < READERS; i++)
        are[i] = words[1 + i];
    for (int turn = 0; turn < 200; turn++)
        for (int i = 0; i < READERS; i++)
            if (words[1 + i] != are[i])
                wrong("a page that may only be read changed from %lx to %lx", are[i], words[1 + i]);
    return mix(digest, 1);
}

static uint64_t of_a_file(uint64_t digest)
{
    int file = memory_file(PLACES * PAGE);
    game.alias = map(PLACES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    for (uint64_t step = 1; step <= STEPS; step++) {
        game.state = CHANGING;
        digest = appear(digest, step, file);
        if (step % 2 == 0) {
            game.state = CHANGING;
            protect(game.area, PAGE, PROT_READ | PROT_WRITE);
            now(step, WRITABLE);
            game.state = CHANGING;
            protect(game.area, PAGE, PROT_READ);
            digest = settled(digest, (uint64_t *)(game.alias + step % PLACES * PAGE));
            now(step, VALUE);
        }
        if (step % 4 == 1) {
            game.state = CHANGING;
            protect(game.area, PAGE, PROT_NONE);
            now(step, GONE);
        } else if (step % 4 == 3) {
            game.state = CHANGING;
            unmap(game.area, PAGE);
            now(step, GONE);
        }
    }
    game.state = CHANGING;
    unmap(game.alias, PLACES * PAGE);
    close(file);
    return digest;
}

/* A page among others of a large one, which is split and filled anew. */
static uint64_t of_a_large_page(uint64_t digest, char *large)
{
    for (uint64_t step = STEPS + 1; step <= STEPS + STEPS / 8; step++) {
        game.state = CHANGING;
        fill(large, HUGE / 8, step);
        *(volatile uint64_t *)game.area = scramble(step);
        protect(large, HUGE, PROT_READ);
        digest = settled(digest, (uint64_t *)game.area);
        now(step, VALUE);
        game.state = CHANGING;
        protect(large, HUGE, PROT_READ | PROT_WRITE);
        now(step, WRITABLE);
        game.state = CHANGING;
        protect(game.area, PAGE, PROT_NONE);
        now(step, GONE);
        game.state = CHANGING;
        digest = verify(digest, large, 2 * PAGE, step);
        protect(game.area, PAGE, PROT_READ);
        advise(game.area, PAGE, MADV_DONTNEED);
        now(step, ZERO);
        game.state = CHANGING;
        protect(large, HUGE, PROT_READ | PROT_WRITE);
        advise(large, HUGE, MADV_DONTNEED);
        advise(large, HUGE, MADV_HUGEPAGE);
    }
    return digest;
}

uint64_t shootdown_part(uint64_t seed)
{
    pthread_t threads[READERS];
    char *large = map_aligned(HUGE);
    advise(large, HUGE, MADV_HUGEPAGE);
    game.stop = 0;
    game.state = CHANGING;
    if (sched_getaffinity(0, sizeof all_processors, &all_processors) < 0)
        wrong("sched_getaffinity: %s", strerror(errno));
    run_on(0);
    game.area = map(PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    uint64_t digest = seed;
    /* The threads begin with a page that is there; nobody else of this process maps anything meanwhile. */
    for (int i = 0; i < READERS; i++)
        if (pthread_create(&threads[i], NULL, reader, (void *)(intptr_t)i) != 0)
            wrong("no thread");
    digest = of_a_file(digest);
    game.area = large + HUGE / 2;
    digest = of_a_large_page(digest, large);
    game.stop = 1;
    for (int i = 0; i < READERS; i++)
        pthread_join(threads[i], NULL);
    unmap(large, HUGE);
    return digest;
}
