/* Copies 2 MiB to and fro in 64-bit words, each changed on its way. */
#include "bench.h"

enum { SIZE = 2 << 20, WORDS = SIZE / 8, TIMES = 22 };

static u64 *one, *other;

void prepare(void)
{
    one = pages(SIZE);
    other = pages(SIZE);
}

static void copy(u64 *to, const u64 *from, u64 key)
{
    for (u64 i = 0; i < WORDS; i++)
        to[i] = from[i] ^ key;
}

u64 work(void)
{
    u64 state = 4, sum = 0;
    for (u64 i = 0; i < WORDS; i++)
        one[i] = i;
    for (int t = 0; t < TIMES; t++) {
        copy(other, one, random_next(&state));
        copy(one, other, random_next(&state));
    }
    for (u64 i = 0; i < WORDS; i++)
        sum = mix(sum, one[i]);
    return sum;
}
