/* Five-point stencil on a grid of 256 x 256 doubles. */
#include "bench.h"

enum { N = 256, TIMES = 120 };

static double grid[2][N][N];

void prepare(void) {}

u64 work(void)
{
    u64 state = 8, sum = 0;
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            grid[0][i][j] = grid[1][i][j] = (double)(random_next(&state) >> 44);
    for (int t = 0; t < TIMES; t++) {
        double(*from)[N] = grid[t & 1], (*to)[N] = grid[~t & 1];
        for (int i = 1; i < N - 1; i++)
            for (int j = 1; j < N - 1; j++)
                to[i][j] = 0.5 * from[i][j] + 0.125 * (from[i - 1][j] + from[i + 1][j] + from[i][j - 1] + from[i][j + 1]);
    }
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            sum = mix(sum, bits(grid[0][i][j]));
    return sum;
}
