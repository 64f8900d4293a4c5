/* Calls through a table of sixteen functions, in an order without pattern. */
#include "bench.h"

enum { CODE = 1 << 12, TIMES = 4000 };

static u8 code[CODE];

static u64 add(u64 x) { return x + 0x9e3779b9; }
static u64 subtract(u64 x) { return x - 0x7f4a7c15; }
static u64 times3(u64 x) { return x * 3; }
static u64 times5(u64 x) { return x * 5; }
static u64 invert(u64 x) { return ~x; }
static u64 negate(u64 x) { return -x; }
static u64 fold(u64 x) { return x ^ x >> 32; }
static u64 turn(u64 x) { return x << 7 | x >> 57; }
static u64 swap(u64 x) { return __builtin_bswap64(x); }
static u64 set(u64 x) { return x | 1; }
static u64 halve(u64 x) { return x / 2; }
static u64 square(u64 x) { return x * x; }
static u64 odd(u64 x) { return x & 1 ? 3 * x + 1 : x >> 1; }
static u64 low(u64 x) { return x ^ (x & 0xffff) << 20; }
static u64 high(u64 x) { return x + (x >> 48); }
static u64 same(u64 x) { return x; }

static u64 (*const functions[16])(u64) = { add,  subtract, times3, times5, invert, negate, fold, turn,
                                           swap, set,      halve,  square, odd,    low,    high, same };

void prepare(void)
{
    u64 state = 11;
    for (int i = 0; i < CODE; i++)
        code[i] = random_next(&state) >> 20 & 15;
}

u64 work(void)
{
    u64 x = 1;
    for (int t = 0; t < TIMES; t++)
        for (int i = 0; i < CODE; i++)
            x = functions[code[i]](x + (u64)i);
    return x;
}
