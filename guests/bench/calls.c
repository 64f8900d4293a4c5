/* Recursion: Fibonacci numbers and Takeuchi's function, every call a call (see the Makefile). */
#include "bench.h"

enum { N = 34, TAK = 6 };

void prepare(void) {}

static u64 fib(u64 n)
{
    return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

static long tak(long x, long y, long z)
{
    return y < x ? tak(tak(x - 1, y, z), tak(y - 1, z, x), tak(z - 1, x, y)) : z;
}

u64 work(void)
{
    u64 sum = fib(N);
    for (int t = 0; t < TAK; t++)
        sum = mix(sum, (u64)tak(18, 12, 6));
    return sum;
}
