/* What the parts of the litmus guest share; the machine beneath is that of ../micro/smp.h. */
#ifndef LITMUS_H
#define LITMUS_H

#include "../micro/smp.h"

/* The shared variables of one round, each in a cache line of its own, zero at its start. */
struct cell {
    u64 x[8], y[8], z[8], w[8];
} __attribute__((aligned(256)));

#define MAX_THREADS 4

/* One thread's part of a program: leaves what it read in result[0] and result[1], from 0 to 9. */
typedef void body(struct cell *cell, u32 *result);

/*
 * A litmus test. An outcome is a string of digits, one for each letter of "slots": a and b are what
 * the first thread read, c and d the second, e and f the third, g and h the fourth; x, y, z and w are
 * what is in memory at the end. Lists have blanks between outcomes.
 */
struct test {
    const char *name;
    const char *program;   /* for readers, with those letters */
    const char *slots;
    const char *allowed;   /* by x86-TSO; every other outcome fails the test */
    const char *forbidden; /* the one that the test is about, if there is one */
    const char *observed;  /* must come at least once if two processors run at the same time */
    body *bodies[MAX_THREADS];
};

extern const struct test tests[];

/* Runs a test that many rounds, tells what came; whether it passed. */
int litmus(const struct test *test, u32 rounds);

/* Counters, tokens and locks that must add up; whether all did. */
int atomics(u32 rounds);

/* Whether a test was asked for: all unless "only=NAME" is on the command line. A bare name leaves one out. */
int wanted(const char *name);

#endif
