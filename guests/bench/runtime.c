/*
 * Start, console and memory of a benchmark. It runs
 *     PROGRAM [REPETITIONS [SECONDS]]
 * and prints a line when the data is ready and one after each repetition:
 *     bench NAME begin SECONDS
 *     bench NAME REPETITION CHECKSUM SECONDS
 * with the time of CLOCK_MONOTONIC. When SECONDS have passed before the last repetition it leaves out the others and says
 *     bench NAME enough SECONDS
 * Whoever measures from outside takes the time at which lines arrive.
 */
#include "bench.h"

enum { PROT_READ_WRITE = 3, MAP_PRIVATE_ANONYMOUS = 0x22, CLOCK_MONOTONIC = 1, PAGE = 4096 };

__asm__(".globl _start\n"
        "_start:\n"
        "    xorl %ebp, %ebp\n"
        "    movq %rsp, %rdi\n"
        "    andq $-16, %rsp\n"
        "    call start\n");

long system_call(long number, long a, long b, long c, long d, long e, long f)
{
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

static void leave(int status)
{
    system_call(SYS_EXIT, status, 0, 0, 0, 0, 0);
    __builtin_trap();
}

static u64 length(const char *text)
{
    u64 n = 0;
    while (text[n])
        n++;
    return n;
}

void fail(const char *why)
{
    system_call(SYS_WRITE, 2, (long)why, (long)length(why), 0, 0, 0);
    system_call(SYS_WRITE, 2, (long)"\n", 1, 0, 0, 0);
    leave(1);
    __builtin_unreachable();
}

void *pages(u64 bytes)
{
    long at = system_call(SYS_MMAP, 0, (long)bytes, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0);
    if (at < 0)
        fail("no memory");
    for (u64 i = 0; i < bytes; i += PAGE)
        ((volatile u8 *)at)[i] = 0;
    return (void *)at;
}

static char line[128];
static u64 used;

static void put(const char *text)
{
    while (*text)
        line[used++] = *text++;
}

/* Digits in base 10 or 16, with zeros in front up to a width. */
static void put_number(u64 value, u64 base, int width)
{
    char digits[24];
    int n = 0;
    do {
        digits[n++] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value || n < width);
    while (n)
        line[used++] = digits[--n];
}

/* Ends the line with the time, which it returns in seconds, and prints it in one piece. */
static u64 put_time(void)
{
    u64 now[2];
    if (system_call(SYS_CLOCK, CLOCK_MONOTONIC, (long)now, 0, 0, 0, 0) < 0)
        fail("no clock");
    put(" ");
    put_number(now[0], 10, 1);
    put(".");
    put_number(now[1], 10, 9);
    put("\n");
    if (system_call(SYS_WRITE, 1, (long)line, (long)used, 0, 0, 0) != (long)used)
        fail("standard output does not take a line");
    used = 0;
    return now[0];
}

static u64 number(const char *text)
{
    u64 value = 0;
    for (; *text >= '0' && *text <= '9'; text++)
        value = value * 10 + (u64)(*text - '0');
    return value;
}

void start(long *stack) __attribute__((noreturn, used));
void start(long *stack)
{
    u64 repetitions = stack[0] > 1 ? number((const char *)stack[2]) : 1;
    u64 limit = stack[0] > 2 ? number((const char *)stack[3]) : ~0UL;
    prepare();
    put("bench " NAME " begin");
    u64 begin = put_time(), now = begin;
    for (u64 i = 1; i <= repetitions; i++) {
        if (now - begin >= limit) {
            put("bench " NAME " enough");
            put_time();
            break;
        }
        u64 sum = work();
        put("bench " NAME " ");
        put_number(i, 10, 1);
        put(" ");
        put_number(sum, 16, 16);
        now = put_time();
    }
    leave(0);
    __builtin_unreachable();
}
