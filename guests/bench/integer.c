/* Lengths of Collatz rows and greatest common divisors: arithmetic, shifts and branches in registers. */
#include "bench.h"

enum { ROWS = 900000, PAIRS = 1000 };

void prepare(void) {}

static u64 collatz(u64 n)
{
    u64 length = 0;
    while (n != 1) {
        n = n & 1 ? 3 * n + 1 : n >> 1;
        length++;
    }
    return length;
}

static u64 divisor(u64 a, u64 b)
{
    while (b) {
        u64 rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

u64 work(void)
{
    u64 sum = 0;
    for (u64 n = 1; n <= ROWS; n++)
        sum = mix(sum, collatz(n));
    for (u64 a = 1; a <= PAIRS; a++)
        for (u64 b = 1; b <= PAIRS; b++)
            sum += divisor(a * 7919, b * 104729);
    return sum;
}
