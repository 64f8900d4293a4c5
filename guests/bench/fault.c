/* Maps 2 MiB, touches each page of it once, and gives it back: page faults and their zeroed pages. */
#include "bench.h"

enum { SIZE = 2 << 20, PAGE = 4096, TIMES = 50 };

void prepare(void) {}

u64 work(void)
{
    u64 sum = 1;
    for (int t = 0; t < TIMES; t++) {
        u8 *at = pages(SIZE);
        for (u64 i = 0; i < SIZE; i += PAGE)
            sum = mix(sum, at[i + 8]);
        if (system_call(SYS_MUNMAP, (long)at, SIZE, 0, 0, 0, 0))
            fail("munmap");
    }
    return sum;
}
