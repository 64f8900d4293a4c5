/*
 * The same tests as a Linux program: stands for ../micro/micro.c and smp.c with threads in place of
 * cores. Options are those of the guest's command line.
 */
#define _GNU_SOURCE
#include "litmus.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char line[1024];

void print(const char *text) {
    fputs(text, stdout);
}

void print_decimal(u64 value) {
    printf("%llu", value);
}

void print_hex(u64 value) {
    printf("0x%llx", value);
}

void fail(const char *what) {
    printf("FAIL %s: %s\n", guest_name, what);
    exit(1);
}

void check(const char *what, u64 got, u64 want) {
    if (got != want) {
        printf("FAIL %s: %s: got 0x%llx, want 0x%llx\n", guest_name, what, got, want);
        exit(1);
    }
}

const char *command_line(void) {
    return line;
}

int has_word(const char *text, const char *word) {
    uword length = strlen(word);
    for (const char *at = text; *at; at++) {
        if ((at == text || at[-1] == ' ') && !memcmp(at, word, length)
                && (at[length] == ' ' || !at[length])) {
            return 1;
        }
    }
    return 0;
}

u64 option(const char *name, u64 otherwise) {
    char text[64];
    snprintf(text, sizeof text, " %s=", name);
    const char *at = __builtin_strstr(line, text);
    return at ? strtoull(at + strlen(text), 0, 10) : otherwise;
}

int smp_wanted(void) {
    return (int) option("cpus", 4);
}

int smp_count(void) {
    return smp_wanted();
}

int smp_start(void (*function)(int cpu)) {
    (void) function;
    return smp_wanted() - 1;
}

static void (*work)(int);

static void *worker(void *number) {
    int cpu = (int) (uword) number;
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu % (int) sysconf(_SC_NPROCESSORS_ONLN), &set);
    sched_setaffinity(0, sizeof set, &set);
    work(cpu);
    return 0;
}

void smp_run(void (*function)(int cpu)) {
    pthread_t threads[SMP_MAX];
    work = function;
    for (int i = 0; i < smp_count(); i++) {
        pthread_create(&threads[i], 0, worker, (void *) (uword) i);
    }
    for (int i = 0; i < smp_count(); i++) {
        pthread_join(threads[i], 0);
    }
}

int main(int count, char **words) {
    for (int i = 1; i < count; i++) {
        snprintf(line + strlen(line), sizeof line - strlen(line), " %s", words[i]);
    }
    if (option("processors", 0) == 0) {
        snprintf(line + strlen(line), sizeof line - strlen(line), " processors=%ld",
                 sysconf(_SC_NPROCESSORS_ONLN));
    }
    guest();
    printf("ok %s\n", guest_name);
    return 0;
}
