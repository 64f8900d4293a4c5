/*
 * What the parts of the load have in common: data that can be told from its number, digests of what was read back, accesses
 * that may fault, processes that work at once.
 */
#ifndef MEMORY_H
#define MEMORY_H

#include <stddef.h>
#include <stdint.h>

enum { PAGE = 4096, HUGE = 2 << 20, PROCESSES_MOST = 16 };

/* A part returns this instead of a digest when this machine or kernel lacks what it is about. */
#define SKIPPED 0

/* The work of one process: data comes from the seed alone. Returns a digest of all that was verified. */
typedef uint64_t part_function(uint64_t seed);

/* Says what is wrong in one line and ends this process with status 1. */
void wrong(const char *form, ...) __attribute__((format(printf, 1, 2), noreturn));

/* Names the part for messages. */
extern const char *part_name;

/* The number of the check in this process that expects a bit wrong, to see that it tells; 0: none. */
extern long sabotage;

/* A number without pattern for each argument (splitmix64). */
uint64_t scramble(uint64_t x);

/* The seed of a thing within another one. */
uint64_t derive(uint64_t seed, uint64_t number);

/* A digest that has one number more. */
uint64_t mix(uint64_t digest, uint64_t value);

/* Writes the data of a seed; both are multiples of 8 bytes. */
void fill(void *at, size_t bytes, uint64_t seed);

/* Checks that the data of a seed is there, and returns the digest with it. */
uint64_t verify(uint64_t digest, const void *at, size_t bytes, uint64_t seed);

/* Checks that all is zero, and returns the digest with it. */
uint64_t verify_zero(uint64_t digest, const void *at, size_t bytes);

/* Checks a condition that must hold, and returns the digest with its number. */
uint64_t require(uint64_t digest, int holds, const char *what);

/* mmap that must succeed. */
void *map(size_t bytes, int protection, int flags, int file, size_t offset);

/* Private anonymous memory, readable and writable, that begins at a multiple of 2 MiB. */
void *map_aligned(size_t bytes);
void unmap(void *at, size_t bytes);
void protect(void *at, size_t bytes, int protection);
void advise(void *at, size_t bytes, int advice);

/* A file of so many bytes in memory, without a name. */
int memory_file(size_t bytes);

/* What a signal said about an access that failed. */
struct fault {
    int signal, code;
    uintptr_t address;
    unsigned long error; /* of the page fault, as the processor gave it */
    int key;             /* the protection key, for SEGV_PKUERR */
};

/* From now on faults of this process's threads are caught. */
void catch_faults(void);

/* 1 when the access was done, 0 when it faulted and *fault tells how; one thread may probe at a time in each thread. */
int try_read(const void *at, uint64_t *value, struct fault *fault);
int try_write(void *at, uint64_t value, struct fault *fault);
int try_call(void *at, uint64_t *value, struct fault *fault);
int try_deep(void (*work)(void), struct fault *fault);

enum access { READ, WRITE, EXECUTE };

/* Checks that an access faults as it must: signal, code, address, and the processor's own error bits. */
uint64_t must_fault(uint64_t digest, enum access access, void *at, int signal, int code);

/* Lets so many processes do a part at once, each with its own seed; a digest of theirs in order. */
uint64_t at_once(part_function *part, int processes, uint64_t seed);

/* Starts a process that does a part; the digest it ends with is for end_of. */
struct process {
    int id;
    volatile uint64_t *result;
};
struct process start(part_function *part, uint64_t seed);

/* Waits for the process, which must end well, and gives its digest. */
uint64_t end_of(struct process process);

/* A number out of a file like /proc/meminfo, -1 when it is not there. */
long read_number(const char *file, const char *key);

/* The parts. */
part_function map_part, protect_part, remap_part, advise_part, huge_part, lock_part, stack_part, userfault_part, pkeys_part;
part_function fork_part, exec_part, vmread_part, shootdown_part, swap_part, pressure_part;

/* The program that exec_part starts; arguments are those of main. */
int exec_child(int count, char **arguments);

/* A fixed amount of work for a benchmark; its result, or exit with 2 when there is no such. */
int bench(const char *name, uint64_t work);

#endif
