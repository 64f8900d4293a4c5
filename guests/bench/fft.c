/* Fast Fourier transform of 4096 complex doubles (radix 2, in place), there and back. */
#include "bench.h"

enum { LOG = 12, N = 1 << LOG, TIMES = 140 };

static double re[N], im[N], cosine[N / 2], sine[N / 2];

/* Roots of unity by halving the angle, so that nothing but +, *, / and sqrt is needed: equal everywhere. */
void prepare(void)
{
    cosine[0] = 1;
    sine[0] = 0;
    double c = -1, s = 0; /* the half turn */
    for (int step = N / 2; step > 1; step /= 2) {
        double half = (1 + c) / 2, rest = (1 - c) / 2;
        __asm__("sqrtsd %1, %0" : "=x"(c) : "x"(half));
        __asm__("sqrtsd %1, %0" : "=x"(s) : "x"(rest));
        for (int i = 0; i < N / 2; i += step) {
            cosine[i + step / 2] = cosine[i] * c - sine[i] * s;
            sine[i + step / 2] = sine[i] * c + cosine[i] * s;
        }
    }
}

static void reorder(void)
{
    for (u32 i = 0, j = 0; i < N; i++) {
        if (i < j) {
            double a = re[i], b = im[i];
            re[i] = re[j], im[i] = im[j];
            re[j] = a, im[j] = b;
        }
        u32 bit = N >> 1;
        for (; j & bit; bit >>= 1)
            j ^= bit;
        j |= bit;
    }
}

static void transform(double sign)
{
    reorder();
    for (int size = 2; size <= N; size *= 2)
        for (int from = 0; from < N; from += size)
            for (int i = 0; i < size / 2; i++) {
                double c = cosine[i * (N / size)], s = sign * sine[i * (N / size)];
                double *r = re + from + i, *m = im + from + i;
                double a = r[size / 2] * c - m[size / 2] * s, b = r[size / 2] * s + m[size / 2] * c;
                r[size / 2] = r[0] - a, m[size / 2] = m[0] - b;
                r[0] += a, m[0] += b;
            }
}

u64 work(void)
{
    u64 state = 10, sum = 0;
    for (int i = 0; i < N; i++) {
        re[i] = (double)(random_next(&state) >> 44);
        im[i] = 0;
    }
    for (int t = 0; t < TIMES; t++) {
        transform(1);
        transform(-1);
        for (int i = 0; i < N; i++)
            re[i] /= N, im[i] /= N;
    }
    for (int i = 0; i < N; i++)
        sum = mix(sum, bits(re[i]));
    return sum;
}
