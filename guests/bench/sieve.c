/* The sieve of Eratosthenes with a byte for each of 4 Mi numbers. */
#include "bench.h"

enum { SIZE = 4 << 20, TIMES = 6 };

static u8 *composite;

void prepare(void)
{
    composite = pages(SIZE);
}

u64 work(void)
{
    u64 sum = 0;
    for (int t = 0; t < TIMES; t++) {
        for (u64 i = 0; i < SIZE; i++)
            composite[i] = 0;
        for (u64 p = 2; p * p < SIZE; p++)
            if (!composite[p])
                for (u64 i = p * p; i < SIZE; i += p)
                    composite[i] = 1;
        for (u64 i = 2; i < SIZE; i++)
            sum += !composite[i];
    }
    return sum;
}
