/* Searches words in 256 KiB of text: byte by byte, and with Horspool's skip table. */
#include "bench.h"

enum { SIZE = 1 << 18, WORDS = 24, TIMES = 8 };

static char text[SIZE + 1];
static char words[WORDS][16];

void prepare(void)
{
    u64 state = 3;
    for (u32 i = 0; i < SIZE; i++)
        text[i] = "etaoin shrdlu "[random_next(&state) % 14];
    for (u32 w = 0; w < WORDS; w++)
        for (u32 i = 0; i < 5 + w % 8; i++)
            words[w][i] = "etaoin shrdlu "[random_next(&state) % 14];
}

static u64 naive(const char *word)
{
    u64 found = 0;
    for (const char *at = text; *at; at++) {
        u64 i = 0;
        while (word[i] && at[i] == word[i])
            i++;
        found += !word[i];
    }
    return found;
}

static u64 horspool(const char *word)
{
    u64 skip[256];
    u64 n = 0, found = 0;
    while (word[n])
        n++;
    for (int c = 0; c < 256; c++)
        skip[c] = n;
    for (u64 i = 0; i + 1 < n; i++)
        skip[(u8)word[i]] = n - 1 - i;
    for (u64 at = 0; at + n <= SIZE; at += skip[(u8)text[at + n - 1]]) {
        u64 i = n;
        while (i && text[at + i - 1] == word[i - 1])
            i--;
        found += !i;
    }
    return found;
}

u64 work(void)
{
    u64 sum = 0;
    for (int t = 0; t < TIMES; t++)
        for (int w = 0; w < WORDS; w++) {
            sum = mix(sum, naive(words[w]));
            sum = mix(sum, horspool(words[w]));
        }
    return sum;
}
