/* One word of each page of 64 MiB, in order of pages and again: 16384 pages, no two accesses in one. */
#include "bench.h"

enum { SIZE = 64 << 20, PAGE = 4096, TIMES = 140 };

static u8 *data;

void prepare(void)
{
    data = pages(SIZE);
}

u64 work(void)
{
    u64 sum = 0;
    for (u64 i = 0; i < SIZE; i += PAGE) /* all lines that are used, so that each repetition does the same */
        for (u64 line = 0; line < PAGE; line += 64)
            *(u64 *)(data + i + line) = i + line;
    for (u64 t = 0; t < TIMES; t++)
        for (u64 i = 0; i < SIZE; i += PAGE) {
            u64 *word = (u64 *)(data + i + ((i / PAGE + t) & 63) * 64);
            sum = mix(sum, *word);
            *word += sum;
        }
    return sum;
}
