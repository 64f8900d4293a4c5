/* CRC-32 (IEEE 802.3) of 64 KiB by a table of 256 words. */
#include "bench.h"

enum { SIZE = 1 << 16, TIMES = 1400 };

static u32 table[256];
static u8 data[SIZE];

void prepare(void)
{
    for (u32 i = 0; i < 256; i++) {
        u32 c = i;
        for (int bit = 0; bit < 8; bit++)
            c = c & 1 ? c >> 1 ^ 0xedb88320 : c >> 1;
        table[i] = c;
    }
    u64 state = 1;
    for (u32 i = 0; i < SIZE; i++)
        data[i] = (u8)random_next(&state);
}

u64 work(void)
{
    u32 c = 0xffffffff;
    for (int t = 0; t < TIMES; t++)
        for (u32 i = 0; i < SIZE; i++)
            c = c >> 8 ^ table[(c ^ data[i]) & 0xff];
    return ~c;
}
