/* The gradient of a walking robot of rigid boxes with the adjoint written by hand.
 *
 * One step of n boxes at x with angles q, velocities v and spins w, all read from the old state, dt = 0.001:
 *
 *     in = sin(30 t dt + 2 pi j / 10), .05 (x - x_head, v, q, w) of each box, goal
 *     h = tanh(W1 in + b1)             a = tanh(W2 h + b2), of the springs only: joints would not listen
 *     an impulse J at the arm p of a box, at the instant s:    V += J / m    W += p x J / I
 *                                                              X -= s J / m  Q -= s p x J / I
 *     corner at the arm r, u = v + w (-r_y, r_x) - (0, dt g), height y over the ground:
 *         u_y < 0 and y + dt u_y < 0:  J_y = -u_y / (1/m + r_x^2 / I), J_x = -u_x / (1/m + r_y^2 / I) within J_y,
 *                                      at the arm r + dt u, at s = y / -min(u_y, -1e-3) within 0 .. dt
 *     spring from a to b with d = x_a + r_a - x_b - r_b and l = |d| + 1e-4, and joint, with z = u_a - u_b, its e
 *     = z / (|z| + .1), and C the sum of 1/m + (r x e)^2 / I of both:
 *         J = dt k (1 - L (1 + reach a) / l) d, or dt k d + z / C;  -J on a, +J on b, at the start of the step
 *     v' = exp(-10 dt) v + V - (0, dt g)    x' = x + dt v' + X    w' = exp(-10 dt) w + W    q' = q + dt w' + Q
 *
 *     loss = |x_head(T) - goal|
 *
 * What makes it fast: ten waves of one clock are combinations of two, and the goal is a bias, so that the network
 * has 6 n + 2 inputs while it runs; W1 is kept transposed as well; tanh, sin and cos are those of the C library's
 * vectors; the corners of a box are one vector, and looked at closely only if one of them hits; the tables of the
 * links are constants, unrolled; the tape keeps h, a, sin q and cos q; and the gradient of W1, a sum of outer
 * products, is added up for BATCH steps at once.
 *
 * N, M, K, POINTS, HEAD and the tables come from the generated rigid.h, as they do for every peer that traces or
 * generates code. Muscle k is link MUSCLE[k], joint k is link JOINT[k], box i has corners 4 i .. 4 i + 3.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "rigid.h"

#define H 32
#define CLOCKS 10
#define S (CLOCKS + 6 * N + 2)   /* senses as the weights are given */
#define R (2 + 6 * N)            /* senses as the network runs */
#define PAD(n) (((n) + 3) / 4 * 4)
#define BATCH 8
#define UNROLLED _Pragma("GCC unroll 32")

static const double DT = 0.001, GRAVITY = 9.8, GROUND = 0.1, FRICTION = 1.0, SENSE = 0.05;
static const double SOFTENING = 1e-4, JOINT_SOFTENING = 0.1, SLOWEST = 1e-3, GOAL[2] = {0.9, 0.15};

__attribute__((simd("notinbranch"))) double tanh(double);
__attribute__((simd("notinbranch"))) double sin(double);
__attribute__((simd("notinbranch"))) double cos(double);

typedef double v4 __attribute__((vector_size(32)));
typedef long m4 __attribute__((vector_size(32)));

static inline v4 pick(m4 mask, v4 a, v4 b) { return (v4)((mask & (m4)a) | (~mask & (m4)b)); }
static inline v4 least(v4 a, v4 b) { return pick(a < b, a, b); }
static inline v4 most(v4 a, v4 b) { return pick(a > b, a, b); }
static inline double sum4(v4 a) { return (a[0] + a[2]) + (a[1] + a[3]); }
static inline int any(m4 mask) { return (mask[0] | mask[1] | mask[2] | mask[3]) != 0; }
static inline v4 all4(double a) { return (v4){a, a, a, a}; }

typedef struct { _Alignas(32) double x[PAD(N)], y[PAD(N)], angle[PAD(N)], vx[PAD(N)], vy[PAD(N)], spin[PAD(N)]; } motion;

typedef struct {
    motion at;
    _Alignas(32) double cos[PAD(N)], sin[PAD(N)], senses[PAD(R)], hidden[H], signal[PAD(K)];
} record;

typedef double __attribute__((aligned(32))) row[PAD(R)];

typedef struct {                                   /* the network, laid out for the machine */
    row rows[H];                                   /* W1 by hidden unit */
    _Alignas(32) double columns[R][H];             /* W1 by sense */
    _Alignas(32) double muscles[K][H];             /* W2, the muscles' rows */
    _Alignas(32) double hidden_bias[H], muscle_bias[K];
    double wave[2][CLOCKS], decay;
} network;

/* weights: W1 (H, S), b1 (H), W2 (M, H), b2 (M), one after another */
#define W2_AT (H * S + H)
#define B2_AT (W2_AT + M * H)

static void arrange(network *net, const double *weights) {
    for (int j = 0; j < CLOCKS; j++) {
        net->wave[0][j] = cos(2.0 * M_PI / CLOCKS * j);
        net->wave[1][j] = sin(2.0 * M_PI / CLOCKS * j);
    }
    memset(net->rows, 0, sizeof net->rows);
    for (int i = 0; i < H; i++) {
        const double *w = weights + i * S;
        for (int j = 0; j < CLOCKS; j++)
            for (int k = 0; k < 2; k++) net->rows[i][k] += w[j] * net->wave[k][j];
        for (int j = 0; j < 6 * N; j++) net->rows[i][2 + j] = w[CLOCKS + j];
        for (int j = 0; j < R; j++) net->columns[j][i] = net->rows[i][j];
        net->hidden_bias[i] = weights[H * S + i] + GOAL[0] * w[S - 2] + GOAL[1] * w[S - 1];
    }
    for (int k = 0; k < K; k++) {
        memcpy(net->muscles[k], weights + W2_AT + MUSCLE[k] * H, sizeof net->muscles[k]);
        net->muscle_bias[k] = weights[B2_AT + MUSCLE[k]];
    }
    net->decay = exp(-10.0 * DT);
}

static inline void think(const network *net, long t, record *r) {
    const motion *at = &r->at;
    double phase = 30.0 * DT * (double)t;
    r->senses[0] = sin(phase);
    r->senses[1] = cos(phase);
    UNROLLED for (int i = 0; i < N; i++) {
        double *seen = r->senses + 2 + 6 * i;
        seen[0] = SENSE * (at->x[i] - at->x[HEAD]);
        seen[1] = SENSE * (at->y[i] - at->y[HEAD]);
        seen[2] = SENSE * at->vx[i];
        seen[3] = SENSE * at->vy[i];
        seen[4] = SENSE * at->angle[i];
        seen[5] = SENSE * at->spin[i];
    }
    double sum[H];
    memcpy(sum, net->hidden_bias, sizeof sum);
    for (int j = 0; j < R; j++)
        for (int i = 0; i < H; i++) sum[i] += net->columns[j][i] * r->senses[j];
    for (int i = 0; i < H; i++) r->hidden[i] = tanh(sum[i]);
    double out[PAD(K)] = {0};
    for (int k = 0; k < K; k++) {
        v4 total = all4(0.0);
        UNROLLED for (int i = 0; i < H; i += 4) total += *(v4 *)&net->muscles[k][i] * *(v4 *)&r->hidden[i];
        out[k] = sum4(total) + net->muscle_bias[k];
    }
    for (int k = 0; k < PAD(K); k++) r->signal[k] = tanh(out[k]);
}

/* ---- contact of the four corners of box i, one in each lane ---- */

typedef struct { v4 rx, ry, ux, uy, height; m4 hits; } corners;

static inline corners look(const record *r, int i) {
    const v4 ox = {CORNER[4 * i][0], CORNER[4 * i + 1][0], CORNER[4 * i + 2][0], CORNER[4 * i + 3][0]};
    const v4 oy = {CORNER[4 * i][1], CORNER[4 * i + 1][1], CORNER[4 * i + 2][1], CORNER[4 * i + 3][1]};
    corners k;
    k.rx = r->cos[i] * ox - r->sin[i] * oy;
    k.ry = r->sin[i] * ox + r->cos[i] * oy;
    k.ux = r->at.vx[i] - r->at.spin[i] * k.ry;
    k.uy = r->at.vy[i] - DT * GRAVITY + r->at.spin[i] * k.rx;
    k.height = r->at.y[i] - GROUND + k.ry;
    k.hits = (k.uy < 0.0) & (k.height + DT * k.uy < 0.0);
    return k;
}

typedef struct { v4 stiff_x, stiff_y, along, up, jx, ax, ay, sinking, quotient, tau; } blow;

static inline blow strike(const corners *k, int i) {
    const double by_mass = 1.0 / MASS[i], by_inertia = 1.0 / INERTIA[i];
    blow b;
    b.stiff_y = 1.0 / (by_mass + by_inertia * k->rx * k->rx);
    b.stiff_x = 1.0 / (by_mass + by_inertia * k->ry * k->ry);
    b.up = pick(k->hits, -k->uy * b.stiff_y, all4(0.0));
    b.along = -k->ux * b.stiff_x;
    v4 grip = FRICTION * b.up;
    b.jx = most(least(b.along, grip), -grip);
    b.ax = k->rx + DT * k->ux;
    b.ay = k->ry + DT * k->uy;
    b.sinking = 1.0 / least(k->uy, all4(-SLOWEST));
    b.quotient = -k->height * b.sinking;
    b.tau = most(least(b.quotient, all4(DT)), all4(0.0));
    return b;
}

/* ---- links ---- */

typedef struct { double ax, ay, bx, by, dx, dy; } between;

static inline between join(const record *r, int m) {
    const int a = A[m], b = B[m];
    const double (*o)[2] = OFFSET[m];
    between l;
    l.ax = r->cos[a] * o[0][0] - r->sin[a] * o[0][1];
    l.ay = r->sin[a] * o[0][0] + r->cos[a] * o[0][1];
    l.bx = r->cos[b] * o[1][0] - r->sin[b] * o[1][1];
    l.by = r->sin[b] * o[1][0] + r->cos[b] * o[1][1];
    l.dx = r->at.x[a] + l.ax - r->at.x[b] - l.bx;
    l.dy = r->at.y[a] + l.ay - r->at.y[b] - l.by;
    return l;
}

typedef struct { double zx, zy, fast, by_speed, ex, ey, ca, cb, by_give; } slide;

static inline slide brake(const record *r, int m, const between *l) {
    const int a = A[m], b = B[m];
    const motion *at = &r->at;
    slide z;
    z.zx = (at->vx[a] - at->spin[a] * l->ay) - (at->vx[b] - at->spin[b] * l->by);
    z.zy = (at->vy[a] + at->spin[a] * l->ax) - (at->vy[b] + at->spin[b] * l->bx);
    z.fast = sqrt(z.zx * z.zx + z.zy * z.zy);
    z.by_speed = 1.0 / (z.fast + JOINT_SOFTENING);
    z.ex = z.zx * z.by_speed;
    z.ey = z.zy * z.by_speed;
    z.ca = l->ax * z.ey - l->ay * z.ex;
    z.cb = l->bx * z.ey - l->by * z.ex;
    z.by_give = 1.0 / (1.0 / MASS[a] + 1.0 / MASS[b] + z.ca * z.ca * (1.0 / INERTIA[a])
                       + z.cb * z.cb * (1.0 / INERTIA[b]));
    return z;
}

static inline void pull(double *vx, double *vy, double *spin, int m, const between *l, double jx, double jy) {
    const int a = A[m], b = B[m];
    vx[a] -= 1.0 / MASS[a] * jx;
    vy[a] -= 1.0 / MASS[a] * jy;
    spin[a] -= 1.0 / INERTIA[a] * (l->ax * jy - l->ay * jx);
    vx[b] += 1.0 / MASS[b] * jx;
    vy[b] += 1.0 / MASS[b] * jy;
    spin[b] += 1.0 / INERTIA[b] * (l->bx * jy - l->by * jx);
}

/* The next state, from the record of this one, whose other parts are filled in. */
static inline void step(const network *net, long t, record *r, motion *next) {
    for (int i = 0; i < PAD(N); i++) r->sin[i] = sin(r->at.angle[i]);
    for (int i = 0; i < PAD(N); i++) r->cos[i] = cos(r->at.angle[i]);
    think(net, t, r);
    motion n;
    for (int i = 0; i < PAD(N); i++) {
        n.x[i] = r->at.x[i];
        n.y[i] = r->at.y[i];
        n.angle[i] = r->at.angle[i];
        n.vx[i] = net->decay * r->at.vx[i];
        n.vy[i] = net->decay * r->at.vy[i] - DT * GRAVITY;
        n.spin[i] = net->decay * r->at.spin[i];
    }
    UNROLLED for (int i = 0; i < N; i++) {
        corners k = look(r, i);
        if (!any(k.hits)) continue;
        blow b = strike(&k, i);
        v4 dvx = 1.0 / MASS[i] * b.jx, dvy = 1.0 / MASS[i] * b.up;
        v4 dw = 1.0 / INERTIA[i] * (b.ax * b.up - b.ay * b.jx);
        n.vx[i] += sum4(dvx);
        n.vy[i] += sum4(dvy);
        n.spin[i] += sum4(dw);
        n.x[i] -= sum4(b.tau * dvx);
        n.y[i] -= sum4(b.tau * dvy);
        n.angle[i] -= sum4(b.tau * dw);
    }
    UNROLLED for (int k = 0; k < K; k++) {
        const int m = MUSCLE[k];
        between l = join(r, m);
        double length = sqrt(l.dx * l.dx + l.dy * l.dy) + SOFTENING;
        double f = DT * STIFFNESS[m] * (1.0 - REST[m] * (1.0 + REACH[m] * r->signal[k]) / length);
        pull(n.vx, n.vy, n.spin, m, &l, f * l.dx, f * l.dy);
    }
    UNROLLED for (int k = 0; k < M - K; k++) {
        const int m = JOINT[k];
        between l = join(r, m);
        slide z = brake(r, m, &l);
        double jx = DT * STIFFNESS[m] * l.dx + z.zx * z.by_give, jy = DT * STIFFNESS[m] * l.dy + z.zy * z.by_give;
        pull(n.vx, n.vy, n.spin, m, &l, jx, jy);
    }
    for (int i = 0; i < PAD(N); i++) {
        n.x[i] += DT * n.vx[i];
        n.y[i] += DT * n.vy[i];
        n.angle[i] += DT * n.spin[i];
    }
    *next = n;
}

/* ---- the reverse ---- */

/* What the gradients of W1 and b1 still lack: the last few steps' senses and adjoints of the hidden sums. */
typedef struct { const double *senses[BATCH]; _Alignas(32) double hidden[BATCH][H]; int count; } batch;

typedef struct {
    row rows[H];
    _Alignas(32) double muscles[K][H], hidden_bias[H], muscle_bias[K];
    batch batch;
} slopes;

static void settle(batch *b, row *rows) {
    for (int i = 0; i < H; i++) {
        if (b->count == BATCH) {
            for (int j = 0; j < PAD(R); j++) {
                double total = rows[i][j];
                UNROLLED for (int k = 0; k < BATCH; k++) total += b->hidden[k][i] * b->senses[k][j];
                rows[i][j] = total;
            }
        } else
            for (int k = 0; k < b->count; k++)
                for (int j = 0; j < PAD(R); j++) rows[i][j] += b->hidden[k][i] * b->senses[k][j];
    }
    b->count = 0;
}

static inline void unthink(const network *net, const record *r, const double *signal, slopes *g, motion *bar) {
    _Alignas(32) double hidden[H] = {0};
    UNROLLED for (int k = 0; k < K; k++) {
        double out = signal[k] * (1.0 - r->signal[k] * r->signal[k]);
        g->muscle_bias[k] += out;
        for (int i = 0; i < H; i++) {
            g->muscles[k][i] += out * r->hidden[i];
            hidden[i] += out * net->muscles[k][i];
        }
    }
    double *sum = g->batch.hidden[g->batch.count];
    for (int i = 0; i < H; i++) {
        sum[i] = hidden[i] * (1.0 - r->hidden[i] * r->hidden[i]);
        g->hidden_bias[i] += sum[i];
    }
    _Alignas(32) double senses[PAD(R)] = {0};
    for (int i = 0; i < H; i++)
        for (int j = 0; j < PAD(R); j++) senses[j] += sum[i] * net->rows[i][j];
    g->batch.senses[g->batch.count++] = r->senses;
    if (g->batch.count == BATCH) settle(&g->batch, g->rows);
    double headx = 0.0, heady = 0.0;
    UNROLLED for (int i = 0; i < N; i++) {
        const double *seen = senses + 2 + 6 * i;
        bar->x[i] += SENSE * seen[0];
        bar->y[i] += SENSE * seen[1];
        headx += seen[0];
        heady += seen[1];
        bar->vx[i] += SENSE * seen[2];
        bar->vy[i] += SENSE * seen[3];
        bar->angle[i] += SENSE * seen[4];
        bar->spin[i] += SENSE * seen[5];
    }
    bar->x[HEAD] -= SENSE * headx;
    bar->y[HEAD] -= SENSE * heady;
}

/* The adjoint of the corners' impulses on box i, whose sums have the adjoint in `sum`. */
static inline void unstrike(const record *r, int i, const motion *sum, motion *bar) {
    const double by_mass = 1.0 / MASS[i], by_inertia = 1.0 / INERTIA[i];
    corners k = look(r, i);
    if (!any(k.hits)) return;
    const v4 zero = all4(0.0);
    blow b = strike(&k, i);
    v4 dvx = by_mass * b.jx, dvy = by_mass * b.up, dw = by_inertia * (b.ax * b.up - b.ay * b.jx);
    v4 vx = sum->vx[i] - b.tau * sum->x[i], vy = sum->vy[i] - b.tau * sum->y[i];
    v4 w = by_inertia * (sum->spin[i] - b.tau * sum->angle[i]);
    v4 tau = -(dvx * sum->x[i] + dvy * sum->y[i] + dw * sum->angle[i]);
    v4 jx = by_mass * vx - b.ay * w, up = by_mass * vy + b.ax * w;
    v4 rx = b.up * w, ry = -b.jx * w, ux = DT * rx, uy = DT * ry;
    m4 moves = k.hits & (b.quotient > 0.0) & (b.quotient < DT);
    v4 height = pick(moves, -tau * b.sinking, zero);
    uy += pick(k.uy < -SLOWEST, height * b.quotient, zero);
    v4 grip = FRICTION * b.up;
    up += FRICTION * pick(b.along > grip, jx, pick(b.along < -grip, -jx, zero));
    v4 along = pick((b.along <= grip) & (b.along >= -grip), jx, zero) * b.stiff_x;
    up = up * b.stiff_y;
    ux -= along;
    uy -= up;
    ry += height - 2.0 * by_inertia * along * b.along * k.ry;
    rx -= 2.0 * by_inertia * up * b.up * k.rx;
    ux = pick(k.hits, ux, zero);
    uy = pick(k.hits, uy, zero);
    rx = pick(k.hits, rx + uy * r->at.spin[i], zero);
    ry = pick(k.hits, ry - ux * r->at.spin[i], zero);
    bar->y[i] += sum4(height);
    bar->vx[i] += sum4(ux);
    bar->vy[i] += sum4(uy);
    bar->spin[i] += sum4(k.rx * uy - k.ry * ux);
    bar->angle[i] += sum4(k.rx * ry - k.ry * rx);
}

/* The adjoint of the impulse of a link, and what it does to the adjoints of its arms. */
typedef struct { double jx, jy, ax, ay, bx, by; } tug;

static inline tug untug(const motion *sum, int m, const between *l, double jx, double jy) {
    const int a = A[m], b = B[m];
    double wa = 1.0 / INERTIA[a] * sum->spin[a], wb = 1.0 / INERTIA[b] * sum->spin[b];
    tug g;
    g.jx = 1.0 / MASS[b] * sum->vx[b] - 1.0 / MASS[a] * sum->vx[a] + wa * l->ay - wb * l->by;
    g.jy = 1.0 / MASS[b] * sum->vy[b] - 1.0 / MASS[a] * sum->vy[a] - wa * l->ax + wb * l->bx;
    g.ax = -wa * jy;
    g.ay = wa * jx;
    g.bx = wb * jy;
    g.by = -wb * jx;
    return g;
}

static inline void unjoin(motion *bar, int m, const between *l, tug g, double dx, double dy) {
    const int a = A[m], b = B[m];
    bar->x[a] += dx;
    bar->y[a] += dy;
    bar->x[b] -= dx;
    bar->y[b] -= dy;
    bar->angle[a] += l->ax * (g.ay + dy) - l->ay * (g.ax + dx);
    bar->angle[b] += l->bx * (g.by - dy) - l->by * (g.bx - dx);
}

static inline void unstep(const network *net, const record *r, slopes *g, motion *bar) {
    motion sum;
    for (int i = 0; i < PAD(N); i++) {
        sum.x[i] = bar->x[i];
        sum.y[i] = bar->y[i];
        sum.angle[i] = bar->angle[i];
        sum.vx[i] = bar->vx[i] + DT * bar->x[i];
        sum.vy[i] = bar->vy[i] + DT * bar->y[i];
        sum.spin[i] = bar->spin[i] + DT * bar->angle[i];
        bar->vx[i] = net->decay * sum.vx[i];
        bar->vy[i] = net->decay * sum.vy[i];
        bar->spin[i] = net->decay * sum.spin[i];
    }
    UNROLLED for (int i = 0; i < N; i++) unstrike(r, i, &sum, bar);
    double signal[K];
    UNROLLED for (int k = 0; k < K; k++) {
        const int m = MUSCLE[k];
        between l = join(r, m);
        double distance = sqrt(l.dx * l.dx + l.dy * l.dy), inverse = 1.0 / (distance + SOFTENING);
        double ratio = REST[m] * (1.0 + REACH[m] * r->signal[k]) * inverse, f = DT * STIFFNESS[m] * (1.0 - ratio);
        tug t = untug(&sum, m, &l, f * l.dx, f * l.dy);
        double along = DT * STIFFNESS[m] * (t.jx * l.dx + t.jy * l.dy) * inverse;
        double turn = distance > 0.0 ? along * ratio / distance : 0.0;
        signal[k] = -along * REST[m] * REACH[m];
        unjoin(bar, m, &l, t, f * t.jx + turn * l.dx, f * t.jy + turn * l.dy);
    }
    UNROLLED for (int k = 0; k < M - K; k++) {
        const int m = JOINT[k], a = A[m], b = B[m];
        between l = join(r, m);
        slide z = brake(r, m, &l);
        const double stiff = DT * STIFFNESS[m], wa = r->at.spin[a], wb = r->at.spin[b];
        tug t = untug(&sum, m, &l, stiff * l.dx + z.zx * z.by_give, stiff * l.dy + z.zy * z.by_give);
        double give = -(t.jx * z.zx + t.jy * z.zy) * z.by_give * z.by_give;
        double ca = 2.0 / INERTIA[a] * z.ca * give, cb = 2.0 / INERTIA[b] * z.cb * give;
        double ex = -l.ay * ca - l.by * cb, ey = l.ax * ca + l.bx * cb;
        double slow = z.fast > 0.0 ? -(ex * z.ex + ey * z.ey) * z.by_speed / z.fast : 0.0;
        double zx = t.jx * z.by_give + ex * z.by_speed + slow * z.zx;
        double zy = t.jy * z.by_give + ey * z.by_speed + slow * z.zy;
        bar->vx[a] += zx;
        bar->vy[a] += zy;
        bar->spin[a] += l.ax * zy - l.ay * zx;
        bar->vx[b] -= zx;
        bar->vy[b] -= zy;
        bar->spin[b] -= l.bx * zy - l.by * zx;
        t.ax += z.ey * ca + wa * zy;
        t.ay -= z.ex * ca + wa * zx;
        t.bx += z.ey * cb - wb * zy;
        t.by -= z.ex * cb - wb * zx;
        unjoin(bar, m, &l, t, stiff * t.jx, stiff * t.jy);
    }
    unthink(net, r, signal, g, bar);
}

/* ---- the whole ---- */

long tape_bytes(long steps) { return steps * (long)sizeof(record); }

static void start(motion *at) {
    memset(at, 0, sizeof *at);
    for (int i = 0; i < N; i++) {
        at->x[i] = CENTRE[i][0];
        at->y[i] = CENTRE[i][1];
        at->angle[i] = ANGLE[i];
    }
}

double loss(long steps, const double *weights) {
    static network net;
    record r;
    memset(&r, 0, sizeof r);
    arrange(&net, weights);
    start(&r.at);
    for (long t = 0; t < steps; t++) step(&net, t, &r, &r.at);
    return hypot(r.at.x[HEAD] - GOAL[0], r.at.y[HEAD] - GOAL[1]);
}

/* The tape is aligned to 64 bytes and was zero before its first use. */
double gradient(long steps, const double *weights, double *slope, record *tape) {
    static network net;
    static slopes g;
    motion last, bar;
    memset(&g, 0, sizeof g);
    arrange(&net, weights);
    start(&tape[0].at);
    for (long t = 0; t < steps; t++) step(&net, t, &tape[t], t + 1 < steps ? &tape[t + 1].at : &last);
    double mx = last.x[HEAD] - GOAL[0], my = last.y[HEAD] - GOAL[1], value = hypot(mx, my);
    memset(&bar, 0, sizeof bar);
    bar.x[HEAD] = mx / value;
    bar.y[HEAD] = my / value;
    for (long t = steps; t-- > 0;) unstep(&net, &tape[t], &g, &bar);
    settle(&g.batch, g.rows);
    memset(slope, 0, (B2_AT + M) * sizeof *slope);
    for (int i = 0; i < H; i++) {
        double *w = slope + i * S;
        for (int j = 0; j < CLOCKS; j++) w[j] = g.rows[i][0] * net.wave[0][j] + g.rows[i][1] * net.wave[1][j];
        memcpy(w + CLOCKS, g.rows[i] + 2, 6 * N * sizeof *w);
        for (int k = 0; k < 2; k++) w[S - 2 + k] = GOAL[k] * g.hidden_bias[i];
    }
    memcpy(slope + H * S, g.hidden_bias, sizeof g.hidden_bias);
    for (int k = 0; k < K; k++) {
        memcpy(slope + W2_AT + MUSCLE[k] * H, g.muscles[k], sizeof g.muscles[k]);
        slope[B2_AT + MUSCLE[k]] = g.muscle_bias[k];
    }
    return value;
}
