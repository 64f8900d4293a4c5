/* Reads words of 8 MiB in no order: 2048 pages, more than many a TLB holds. */
#include "bench.h"

enum { SIZE = 8 << 20, WORDS = SIZE / 8, TIMES = 2200000 };

static u64 *data;

void prepare(void)
{
    data = pages(SIZE);
    for (u64 i = 0; i < WORDS; i++)
        data[i] = i * 0x9e3779b97f4a7c15;
}

u64 work(void)
{
    u64 sum = 0, state = 6;
    for (u64 i = 0; i < TIMES; i++)
        sum += data[random_next(&state) % WORDS] ^ i;
    return sum;
}
