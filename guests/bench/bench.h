/* What every benchmark here has: two functions of its own and these few of runtime.c. No libc. */
#ifndef BENCH_H
#define BENCH_H

typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long u64;

/* Makes the data that all repetitions use. Called once, before the first. */
void prepare(void);

/* One repetition. Returns a checksum of all that it computed: the same each time, on every machine. */
u64 work(void);

/* Linux system calls as the kernel has them: below 0 is an error number. */
long system_call(long number, long a, long b, long c, long d, long e, long f);

enum { SYS_READ = 0, SYS_WRITE = 1, SYS_MMAP = 9, SYS_MUNMAP = 11, SYS_PIPE = 22, SYS_CLOSE = 3,
       SYS_FORK = 57, SYS_EXIT = 60, SYS_GETPPID = 110, SYS_SETAFFINITY = 203, SYS_CLOCK = 228 };

/* Zeroed pages, all of them touched. Ends the program when there are none. */
void *pages(u64 bytes);

/* Ends the program with a message on standard error. */
void fail(const char *why) __attribute__((noreturn));

/* The next of a row of 64-bit numbers without pattern (xorshift64); the state must not be 0. */
static inline u64 random_next(u64 *state)
{
    u64 x = *state;
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return *state = x;
}

/* Takes a value into a checksum; the order of values counts. */
static inline u64 mix(u64 sum, u64 value)
{
    return ((sum << 27 | sum >> 37) ^ value) * 0x9e3779b97f4a7c15;
}

/* The bits of a double, for checksums: results are equal to the last bit or not at all. */
static inline u64 bits(double value)
{
    u64 as;
    __builtin_memcpy(&as, &value, sizeof as);
    return as;
}

#endif
