/* Quicksort of 1 MiB of 32-bit numbers, insertion sort for short runs. */
#include "bench.h"

enum { COUNT = 1 << 18, SHORT = 12, TIMES = 12 };

static u32 *numbers;

void prepare(void)
{
    numbers = pages(COUNT * sizeof(u32));
}

static void insertion(u32 *from, u32 *to)
{
    for (u32 *i = from + 1; i < to; i++) {
        u32 value = *i, *at = i;
        for (; at > from && at[-1] > value; at--)
            *at = at[-1];
        *at = value;
    }
}

static void quick(u32 *from, u32 *to)
{
    while (to - from > SHORT) {
        u32 pivot = from[(to - from) / 2], *low = from, *high = to - 1;
        while (low <= high) {
            while (*low < pivot)
                low++;
            while (*high > pivot)
                high--;
            if (low <= high) {
                u32 swap = *low;
                *low++ = *high;
                *high-- = swap;
            }
        }
        quick(from, high + 1);
        from = low;
    }
    insertion(from, to);
}

u64 work(void)
{
    u64 sum = 0, state = 5;
    for (int t = 0; t < TIMES; t++) {
        for (u64 i = 0; i < COUNT; i++)
            numbers[i] = (u32)(random_next(&state) >> 16);
        quick(numbers, numbers + COUNT);
        for (u64 i = 0; i < COUNT; i++)
            sum = mix(sum, numbers[i]);
    }
    return sum;
}
