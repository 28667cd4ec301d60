/* Waves that are to draw a picture, and the adjoint, by hand.
 *
 * The skin is p0 at one step and flat at the next. In each of `steps` steps, with L the four neighbours less four
 * times the cell itself, and nothing beyond the edges,
 *
 *     p' = 2 p - q + BEND L p - BENT L q,      q the shape before p.
 *
 * The loss is the mean of (p - target)^2 at last. All is linear but the loss, so nothing is remembered. With c' and
 * c the cotangents of p' and of p as the shape before it, those a step earlier are
 *
 *     of p:  c + 2 c' + BEND L c',      of q:  -c' - BENT L c',
 *
 * which takes L of one field, where a step takes it of two. Fields have a border of zeros, and rows begin where
 * vectors may.
 */
#include <string.h>

#define W ((N + 2 + 7) / 8 * 8 + 8) /* a row with its border; the first cell is at 8 */
#define AT(i, j) (((i) + 1) * W + (j) + 8)
#define SIZE ((N + 2) * W)

typedef double field[SIZE] __attribute__((aligned(64)));

static field fields[3];

static inline double around(const double *restrict q, long k) {
    return q[k - W] + q[k + W] + q[k - 1] + q[k + 1] - 4 * q[k];
}

static double *run(long steps, const double *shape) {
    double *before = fields[0], *now = fields[1], *next = fields[2];
    memset(fields, 0, sizeof fields);
    for (long i = 0; i < N; i++) memcpy(before + AT(i, 0), shape + i * N, N * sizeof(double));
    for (long t = 0; t < steps; t++) {
        for (long i = 0; i < N; i++) {
            const double *restrict q = before, *restrict p = now;
            double *restrict out = next;
#pragma GCC ivdep
            for (long k = AT(i, 0); k < AT(i, N); k++)
                out[k] = 2 * p[k] - q[k] + BEND * around(p, k) - BENT * around(q, k);
        }
        double *old = before;
        before = now, now = next, next = old;
    }
    return now;
}

double loss(long steps, const double *shape, const double *target) {
    const double *p = run(steps, shape);
    double total = 0;
    for (long i = 0; i < N; i++)
        for (long j = 0; j < N; j++) {
            double miss = p[AT(i, j)] - target[i * N + j];
            total += miss * miss;
        }
    return total / (N * N);
}

double gradient(long steps, const double *shape, const double *target, double *slope) {
    double *end = run(steps, shape), total = 0;
    double *now = fields[0], *before = fields[1], *next = fields[2]; /* cotangents */
    field seed;
    memset(seed, 0, sizeof seed);
    for (long i = 0; i < N; i++)
        for (long j = 0; j < N; j++) {
            double miss = end[AT(i, j)] - target[i * N + j];
            total += miss * miss;
            seed[AT(i, j)] = 2.0 / (N * N) * miss;
        }
    memset(fields, 0, sizeof fields);
    memcpy(now, seed, sizeof seed);
    for (long t = 0; t < steps; t++) {
        for (long i = 0; i < N; i++) {
            const double *restrict c = now;
            double *restrict q = before, *restrict out = next;
#pragma GCC ivdep
            for (long k = AT(i, 0); k < AT(i, N); k++) {
                double bend = around(c, k);
                out[k] = q[k] + 2 * c[k] + BEND * bend;
                q[k] = -c[k] - BENT * bend;
            }
        }
        double *old = now;
        now = next, next = old;
    }
    for (long i = 0; i < N; i++) memcpy(slope + i * N, before + AT(i, 0), N * sizeof(double));
    return total / (N * N);
}
