/* Sparse matrix times vector (compressed rows): 16384 rows of 9 entries, some near the diagonal and some far. */
#include "bench.h"

enum { ROWS = 16384, ENTRIES = 9, TIMES = 200 };

static double value[ROWS * ENTRIES], x[ROWS], y[ROWS];
static u32 column[ROWS * ENTRIES], first[ROWS + 1];

void prepare(void)
{
    u64 state = 9;
    for (u32 row = 0; row < ROWS; row++) {
        first[row] = row * ENTRIES;
        for (u32 i = 0; i < ENTRIES; i++) {
            u64 r = random_next(&state);
            column[row * ENTRIES + i] = (u32)(i < 5 ? row + i : r) % ROWS;
            value[row * ENTRIES + i] = (double)(r >> 40) / (1 << 26);
        }
    }
    first[ROWS] = ROWS * ENTRIES;
}

static void multiply(double *to, const double *from)
{
    for (u32 row = 0; row < ROWS; row++) {
        double s = 0;
        for (u32 i = first[row]; i < first[row + 1]; i++)
            s += value[i] * from[column[i]];
        to[row] = s;
    }
}

u64 work(void)
{
    u64 sum = 0;
    for (u32 i = 0; i < ROWS; i++)
        x[i] = 1.0 / (i + 1);
    for (int t = 0; t < TIMES / 2; t++) {
        multiply(y, x);
        multiply(x, y);
    }
    for (u32 i = 0; i < ROWS; i++)
        sum = mix(sum, bits(x[i]));
    return sum;
}
