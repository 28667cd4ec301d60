/* The gradient of blown smoke with the adjoint written by hand.
 *
 * A step on N x N periodic cells, h = 1 / N, with velocities (u, w) in cells a step and smoke s:
 *
 *     adv(q; u, w)(i, j) = q(i - u, j - w), bilinear between cells
 *     u* = adv(u; u, w),  w* = adv(w; u, w)
 *     d = - h / 2 (u*_east - u*_west + w*_north - w*_south)
 *     p <- (d + p_west + p_east + p_south + p_north) / 4,  SWEEPS times from 0
 *     u' = u* - (p_east - p_west) / 2h,  w' = w* - (p_north - p_south) / 2h,  s' = adv(s; u', w')
 *
 *     loss = mean (s(T) - target)^2, its gradient by the first (u, w)
 *
 * What makes it fast: fields have a border that repeats the opposite side, so that stencils are plain vector loops;
 * cells and weights of a row are found as vectors, with integers kept in doubles; u and w share them, and
 * are spread as pairs; the first
 * sweep, from zero, is d / 4; sweeps and central differences are their own adjoints but for a sign; the tape keeps
 * only the states, and the reverse pass needs nothing else but to find cells and weights again.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define W (N + 8)                   /* of a row in memory: 4 cells of border on either side keep rows aligned */
#define AT(i, j) (((i) + 1) * W + (j) + 4)
#define SIZE ((N + 2) * W)

typedef double field[SIZE] __attribute__((aligned(64)));
typedef struct { field u, w, s; } state;

static const double H = 1.0 / N;

/* Let the border repeat the opposite side. */
static void close_border(double *q) {
    for (int i = 0; i < N; i++) {
        q[AT(i, -1)] = q[AT(i, N - 1)];
        q[AT(i, N)] = q[AT(i, 0)];
    }
    memcpy(q + AT(-1, -1), q + AT(N - 1, -1), (N + 2) * sizeof(double));
    memcpy(q + AT(N, -1), q + AT(0, -1), (N + 2) * sizeof(double));
}

/* The cells round (i - u, j - w) for a row, as places in memory, and the weights. A border of one lets the
 * four be next to each other: lower left, and the same one up, right, or both. */
typedef struct { int place[N + 2]; double fx[N + 2], fy[N + 2]; } stencil;

static inline double wrapped(double k) {
    k -= N * floor(k * H);
    return k >= N ? k - N : k < 0 ? k + N : k;
}

static inline void locate(int i, const double *u, const double *w, stencil *r) {
    for (int j = 0; j < N; j++) {
        const double x = i - u[AT(i, j)], y = j - w[AT(i, j)];
        const double left = floor(x), low = floor(y);
        r->fx[j] = x - left;
        r->fy[j] = y - low;
        r->place[j] = (int)(wrapped(left) * W + wrapped(low) + (W + 4));
    }
}

static inline double between(const double *q, double fx, double fy) {
    return (1 - fx) * ((1 - fy) * q[0] + fy * q[1]) + fx * ((1 - fy) * q[W] + fy * q[W + 1]);
}

static void relax(const double *restrict d, const double *restrict p, double *restrict out) {
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            out[AT(i, j)] = 0.25 * (d[AT(i, j)] + p[AT(i - 1, j)] + p[AT(i + 1, j)] + p[AT(i, j - 1)] + p[AT(i, j + 1)]);
    close_border(out);
}

/* Sweeps from zero with the right side d; p is scratch. Returns where the result lies. */
static double *solve(double *d, field p[2]) {
    for (int k = 0; k < SIZE; k++) p[0][k] = 0.25 * d[k];
    for (int sweep = 1; sweep < SWEEPS; sweep++) relax(d, p[(sweep - 1) % 2], p[sweep % 2]);
    return p[(SWEEPS - 1) % 2];
}

static field D, P[2], A, B;

/* d = c (u_east - u_west + w_north - w_south) */
static void diverge(const double *restrict u, const double *restrict w, double c, double *restrict d) {
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            d[AT(i, j)] = c * (u[AT(i + 1, j)] - u[AT(i - 1, j)] + w[AT(i, j + 1)] - w[AT(i, j - 1)]);
    close_border(d);
}

/* u -= c (p_east - p_west), w -= c (p_north - p_south) */
static void push(double *restrict u, double *restrict w, const double *restrict p, double c,
                 const double *restrict u0, const double *restrict w0) {
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            u[AT(i, j)] = u0[AT(i, j)] - c * (p[AT(i + 1, j)] - p[AT(i - 1, j)]);
            w[AT(i, j)] = w0[AT(i, j)] - c * (p[AT(i, j + 1)] - p[AT(i, j - 1)]);
        }
    close_border(u);
    close_border(w);
}

static void step(const state *now, state *next) {
    stencil r;
    for (int i = 0; i < N; i++) {
        locate(i, now->u, now->w, &r);
        for (int j = 0; j < N; j++) {
            A[AT(i, j)] = between(now->u + r.place[j], r.fx[j], r.fy[j]);
            B[AT(i, j)] = between(now->w + r.place[j], r.fx[j], r.fy[j]);
        }
    }
    close_border(A);
    close_border(B);
    diverge(A, B, -0.5 * H, D);
    push(next->u, next->w, solve(D, P), 0.5 * N, A, B);
    for (int i = 0; i < N; i++) {
        locate(i, next->u, next->w, &r);
        for (int j = 0; j < N; j++) next->s[AT(i, j)] = between(now->s + r.place[j], r.fx[j], r.fy[j]);
    }
    close_border(next->s);
}

/* Add the border of an adjoint to the cells that it repeats. */
static void fold_border(double *q) {
    for (int j = -1; j <= N; j++) {
        q[AT(0, j)] += q[AT(N, j)];
        q[AT(N - 1, j)] += q[AT(-1, j)];
    }
    for (int i = 0; i < N; i++) {
        q[AT(i, 0)] += q[AT(i, N)];
        q[AT(i, N - 1)] += q[AT(i, -1)];
    }
}

static inline void spread(double *q, double fx, double fy, double ct) {
    const double up = fx * ct, down = ct - up;
    q[0] += (1 - fy) * down;
    q[1] += fy * down;
    q[W] += (1 - fy) * up;
    q[W + 1] += fy * up;
}

typedef double pair __attribute__((vector_size(16)));

/* The same for two fields at once, which share cells and weights. */
static inline void spread_pair(pair *q, double fx, double fy, pair ct) {
    const pair up = fx * ct, down = ct - up;
    q[0] += (1 - fy) * down;
    q[1] += fy * down;
    q[W] += (1 - fy) * up;
    q[W + 1] += fy * up;
}

static field SA, SB, SPARE;
static pair BOTH[SIZE];

/* g holds the adjoint of `next`, and then that of `now`. */
static void unstep(const state *now, const state *next, state *g) {
    stencil r;
    memset(SPARE, 0, sizeof(field));
    for (int i = 0; i < N; i++) {                          /* s' = adv(s; u', w') */
        locate(i, next->u, next->w, &r);
        for (int j = 0; j < N; j++) {
            const double fx = r.fx[j], fy = r.fy[j], ct = g->s[AT(i, j)];
            const double *q = now->s + r.place[j];
            g->u[AT(i, j)] -= ct * ((1 - fy) * (q[W] - q[0]) + fy * (q[W + 1] - q[1]));
            g->w[AT(i, j)] -= ct * ((1 - fx) * (q[1] - q[0]) + fx * (q[W + 1] - q[W]));
        }
        for (int j = 0; j < N; j++) spread(SPARE + r.place[j], r.fx[j], r.fy[j], g->s[AT(i, j)]);
    }
    fold_border(SPARE);
    memcpy(g->s, SPARE, sizeof(field));
    close_border(g->u);
    close_border(g->w);
    diverge(g->u, g->w, 0.5 * N, D);                       /* the projection is symmetric */
    push(A, B, solve(D, P), -0.5 * H, g->u, g->w);
    memset(BOTH, 0, sizeof BOTH);
    for (int i = 0; i < N; i++) {                          /* u* = adv(u; u, w), w* = adv(w; u, w) */
        locate(i, now->u, now->w, &r);
        for (int j = 0; j < N; j++) {
            const double a = A[AT(i, j)], b = B[AT(i, j)];
            const double *q = now->u + r.place[j], *v = now->w + r.place[j];
            const double x0 = a * (q[W] - q[0]) + b * (v[W] - v[0]), x1 = a * (q[W + 1] - q[1]) + b * (v[W + 1] - v[1]);
            const double y0 = a * (q[1] - q[0]) + b * (v[1] - v[0]), y1 = a * (q[W + 1] - q[W]) + b * (v[W + 1] - v[W]);
            SA[AT(i, j)] = -(x0 + r.fy[j] * (x1 - x0));
            SB[AT(i, j)] = -(y0 + r.fx[j] * (y1 - y0));
        }
        for (int j = 0; j < N; j++)
            spread_pair(BOTH + r.place[j], r.fx[j], r.fy[j], (pair){A[AT(i, j)], B[AT(i, j)]});
    }
    for (int k = 0; k < SIZE; k++) {
        g->u[k] = BOTH[k][0];
        g->w[k] = BOTH[k][1];
    }
    fold_border(g->u);
    fold_border(g->w);
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            g->u[AT(i, j)] += SA[AT(i, j)];
            g->w[AT(i, j)] += SB[AT(i, j)];
        }
}

static void begin(state *first, const double *wind, const double *smoke) {
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            first->u[AT(i, j)] = wind[i * N + j];
            first->w[AT(i, j)] = wind[N * N + i * N + j];
            first->s[AT(i, j)] = smoke[i * N + j];
        }
    close_border(first->u);
    close_border(first->w);
    close_border(first->s);
}

static double measure(const state *last, const double *target) {
    double total = 0.0;
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            const double off = last->s[AT(i, j)] - target[i * N + j];
            total += off * off;
        }
    return total / (N * N);
}

long tape_bytes(long steps) { return (steps + 1) * (long)sizeof(state); }

/* wind: u (N, N), w (N, N); two states of the tape are enough for the loss alone. */
double loss(long steps, const double *wind, const double *smoke, const double *target, state *tape) {
    begin(tape, wind, smoke);
    for (long t = 0; t < steps; t++) step(tape + t % 2, tape + (t + 1) % 2);
    return measure(tape + steps % 2, target);
}

double gradient(long steps, const double *wind, const double *smoke, const double *target, double *slope, state *tape) {
    static state g;
    begin(tape, wind, smoke);
    for (long t = 0; t < steps; t++) step(tape + t, tape + t + 1);
    memset(&g, 0, sizeof g);
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            g.s[AT(i, j)] = 2.0 / (N * N) * (tape[steps].s[AT(i, j)] - target[i * N + j]);
    for (long t = steps; t-- > 0;) unstep(tape + t, tape + t + 1, &g);
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            slope[i * N + j] = g.u[AT(i, j)];
            slope[N * N + i * N + j] = g.w[AT(i, j)];
        }
    return measure(tape + steps, target);
}
