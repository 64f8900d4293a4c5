/* Product of two 128 x 128 matrices of doubles, row by row. */
#include "bench.h"

enum { N = 128, TIMES = 20 };

static double a[N][N], b[N][N], c[N][N];

void prepare(void)
{
    u64 state = 7;
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            a[i][j] = (double)(random_next(&state) >> 40) / (1 << 20);
            b[i][j] = (double)(random_next(&state) >> 40) / (1 << 22);
        }
}

u64 work(void)
{
    u64 sum = 0;
    for (int t = 0; t < TIMES; t++) {
        for (int i = 0; i < N; i++)
            for (int j = 0; j < N; j++) {
                double s = t;
                for (int x = 0; x < N; x++)
                    s += a[i][x] * b[x][j];
                c[i][j] = s;
            }
        for (int i = 0; i < N; i++)
            sum = mix(sum, bits(c[i][(i * 7 + t) % N]));
    }
    return sum;
}
