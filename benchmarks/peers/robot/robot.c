/* The gradient of a walking robot with the adjoint written by hand.
 *
 * One step of n masses at x with velocities v, all read from the old state:
 *
 *     c = mean x        in = sin(10 t dt + 2 pi j / 10), .05 (x - c, v) of each mass, goal - c
 *     h = tanh(W1 in + b1)             u = tanh(W2 h + b2), of the muscles only: others have no effect
 *     d = x_a - x_b,  l = |d| + 1e-4,  L = L0 (1 + .15 u),  I = dt k (l - L) / l d
 *     w = exp(-15 dt) v - dt g + the sum of -I on a and +I on b
 *     lands where y + dt w_y < ground and w_y < -1e-4:  x' = x - (y - ground) / w_y w,  v' = 0
 *     else                                              x' = x + dt w,                  v' = w
 *
 *     loss = -x_0(T)
 *
 * What makes it fast: W1 is kept transposed as well, so that both of its products run along memory; tanh is that
 * of the C library's vectors, eight at a time; springs gather first, then compute as one vector, then scatter;
 * the tape keeps w, h and u, so that nothing but springs is computed twice; and the gradient of W1, a sum of
 * outer products, is added up for BATCH steps at once, which divides its traffic by that.
 *
 * N, M, K (masses, springs, muscles), their tables A, B, REST, MUSCLE and START come from the generated robot.h,
 * as they do for every peer that traces or generates code. Muscle k is spring MUSCLE[k].
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "robot.h"

#define H 32
#define CLOCKS 10
#define S (CLOCKS + 4 * N + 2)
#define WIDE ((S + 7) / 8 * 8)   /* rows as long as whole vectors */
#define SPRINGS ((M + 7) / 8 * 8)
#define BATCH 8

static const double DT = 0.004, STIFFNESS = 3e4, STRENGTH = 0.15, GRAVITY = 4.8, GROUND = 0.1;
static const double SENSE = 0.05, SOFTENING = 1e-4, SLOWEST = 1e-4, GOAL[2] = {0.9, 0.2};

__attribute__((simd("notinbranch"))) double tanh(double);

typedef struct { double x, y, vx, vy; } mass;
typedef double __attribute__((aligned(64))) row[WIDE];

typedef struct {
    _Alignas(64) double senses[WIDE], hidden[H], signal[(K + 7) / 8 * 8];
    mass state[N];
    double w[N][2];
} record;

typedef struct {                                   /* the network, laid out for the machine */
    row rows[H];                                   /* W1 by hidden unit */
    _Alignas(64) double columns[S][H];             /* W1 by sense */
    _Alignas(64) double muscles[K][H];             /* W2, the muscles' rows */
    _Alignas(64) double hidden_bias[H], muscle_bias[K];
    double decay;
} network;

/* weights: W1 (H, S), b1 (H), W2 (M, H), b2 (M), one after another */
#define W2_AT (H * S + H)
#define B2_AT (W2_AT + M * H)

static void arrange(network *net, const double *weights) {
    for (int i = 0; i < H; i++) {
        for (int j = 0; j < S; j++) net->rows[i][j] = net->columns[j][i] = weights[i * S + j];
        for (int j = S; j < WIDE; j++) net->rows[i][j] = 0.0;
        net->hidden_bias[i] = weights[H * S + i];
    }
    for (int k = 0; k < K; k++) {
        memcpy(net->muscles[k], weights + W2_AT + MUSCLE[k] * H, sizeof net->muscles[k]);
        net->muscle_bias[k] = weights[B2_AT + MUSCLE[k]];
    }
    net->decay = exp(-15.0 * DT);
}

static inline void think(const network *net, long t, const mass *state, record *r) {
    double cx = 0.0, cy = 0.0;
    for (int i = 0; i < N; i++) { cx += state[i].x; cy += state[i].y; }
    cx /= N; cy /= N;
    for (int j = 0; j < CLOCKS; j++)
        r->senses[j] = sin(10.0 * DT * (double)t + 2.0 * M_PI / CLOCKS * j);
    double *seen = r->senses + CLOCKS;
    for (int i = 0; i < N; i++) {
        seen[4 * i] = SENSE * (state[i].x - cx);
        seen[4 * i + 1] = SENSE * (state[i].y - cy);
        seen[4 * i + 2] = SENSE * state[i].vx;
        seen[4 * i + 3] = SENSE * state[i].vy;
    }
    seen[4 * N] = GOAL[0] - cx;
    seen[4 * N + 1] = GOAL[1] - cy;
    double sum[H];
    memcpy(sum, net->hidden_bias, sizeof sum);
    for (int j = 0; j < S; j++)
        for (int i = 0; i < H; i++) sum[i] += net->columns[j][i] * r->senses[j];
    for (int i = 0; i < H; i++) r->hidden[i] = tanh(sum[i]);
    double out[(K + 7) / 8 * 8] = {0};
    for (int k = 0; k < K; k++) {
        double total = 0.0;
        for (int i = 0; i < H; i++) total += net->muscles[k][i] * r->hidden[i];
        out[k] = total + net->muscle_bias[k];
    }
    for (int k = 0; k < (K + 7) / 8 * 8; k++) r->signal[k] = tanh(out[k]);
}

/* The springs' vectors d, lengths |d| and driven rest lengths, as arrays to compute along. */
typedef struct { _Alignas(64) double dx[SPRINGS], dy[SPRINGS], length[SPRINGS], rest[SPRINGS]; } springs;

static inline void stretch(const mass *state, const double *signal, springs *s) {
    for (int m = 0; m < M; m++) {
        s->dx[m] = state[A[m]].x - state[B[m]].x;
        s->dy[m] = state[A[m]].y - state[B[m]].y;
    }
    for (int m = M; m < SPRINGS; m++) s->dx[m] = s->dy[m] = 1.0;
    for (int m = 0; m < SPRINGS; m++) s->length[m] = sqrt(s->dx[m] * s->dx[m] + s->dy[m] * s->dy[m]);
    memcpy(s->rest, REST, sizeof REST);
    for (int m = M; m < SPRINGS; m++) s->rest[m] = 1.0;
    for (int k = 0; k < K; k++) s->rest[MUSCLE[k]] *= 1.0 + STRENGTH * signal[k];
}

static inline int lands(double y, double wy) { return y + DT * wy < GROUND && wy < -SLOWEST; }

static void step(const network *net, long t, mass *state, record *r) {
    think(net, t, state, r);
    springs s;
    stretch(state, r->signal, &s);
    _Alignas(64) double ix[SPRINGS], iy[SPRINGS];
    for (int m = 0; m < SPRINGS; m++) {
        double pull = DT * STIFFNESS * (1.0 - s.rest[m] / (s.length[m] + SOFTENING));
        ix[m] = pull * s.dx[m];
        iy[m] = pull * s.dy[m];
    }
    double(*w)[2] = r->w;
    for (int i = 0; i < N; i++) {
        w[i][0] = net->decay * state[i].vx;
        w[i][1] = net->decay * state[i].vy - DT * GRAVITY;
    }
    for (int m = 0; m < M; m++) {
        w[A[m]][0] -= ix[m]; w[A[m]][1] -= iy[m];
        w[B[m]][0] += ix[m]; w[B[m]][1] += iy[m];
    }
    for (int i = 0; i < N; i++) {
        int hit = lands(state[i].y, w[i][1]);
        double moving = hit ? -(state[i].y - GROUND) / w[i][1] : DT;
        state[i].x += moving * w[i][0];
        state[i].y += moving * w[i][1];
        state[i].vx = hit ? 0.0 : w[i][0];
        state[i].vy = hit ? 0.0 : w[i][1];
    }
}

/* What the gradients of W1 and b1 still lack: the last few steps' senses and adjoints of the hidden sums. */
typedef struct { const double *senses[BATCH]; _Alignas(64) double hidden[BATCH][H]; int count; } batch;

static void settle(batch *b, row *rows) {
    for (int i = 0; i < H; i++) {
        if (b->count == BATCH) {
            for (int j = 0; j < WIDE; j++) {
                double total = rows[i][j];
                for (int k = 0; k < BATCH; k++) total += b->hidden[k][i] * b->senses[k][j];
                rows[i][j] = total;
            }
        } else
            for (int k = 0; k < b->count; k++)
                for (int j = 0; j < WIDE; j++) rows[i][j] += b->hidden[k][i] * b->senses[k][j];
    }
    b->count = 0;
}

typedef struct {
    row rows[H];
    _Alignas(64) double muscles[K][H], hidden_bias[H], muscle_bias[K];
    batch batch;
} slopes;

static void unthink(const network *net, const record *r, const double *signal, slopes *g, mass *state) {
    _Alignas(64) double hidden[H] = {0};
    for (int k = 0; k < K; k++) {
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
    _Alignas(64) double senses[WIDE] = {0};
    for (int i = 0; i < H; i++)
        for (int j = 0; j < WIDE; j++) senses[j] += sum[i] * net->rows[i][j];
    g->batch.senses[g->batch.count++] = r->senses;
    if (g->batch.count == BATCH) settle(&g->batch, g->rows);
    const double *seen = senses + CLOCKS;
    double cx = -seen[4 * N], cy = -seen[4 * N + 1];
    for (int i = 0; i < N; i++) {
        cx -= SENSE * seen[4 * i];
        cy -= SENSE * seen[4 * i + 1];
    }
    cx /= N; cy /= N;
    for (int i = 0; i < N; i++) {
        state[i].x += SENSE * seen[4 * i] + cx;
        state[i].y += SENSE * seen[4 * i + 1] + cy;
        state[i].vx += SENSE * seen[4 * i + 2];
        state[i].vy += SENSE * seen[4 * i + 3];
    }
}

static void unstep(const network *net, const record *r, slopes *g, mass *state) {
    double w[N][2];
    for (int i = 0; i < N; i++) {
        const double wx = r->w[i][0], wy = r->w[i][1];
        if (lands(r->state[i].y, wy)) {
            double impact = -(r->state[i].y - GROUND) / wy;
            double slope = (state[i].x * wx + state[i].y * wy) / wy;
            w[i][0] = impact * state[i].x;
            w[i][1] = impact * state[i].y - slope * impact;
            state[i].y -= slope;
        } else {
            w[i][0] = DT * state[i].x + state[i].vx;
            w[i][1] = DT * state[i].y + state[i].vy;
        }
        state[i].vx = net->decay * w[i][0];
        state[i].vy = net->decay * w[i][1];
    }
    springs s;
    stretch(r->state, r->signal, &s);
    _Alignas(64) double ix[SPRINGS], iy[SPRINGS], rest[SPRINGS];
    for (int m = 0; m < M; m++) {
        ix[m] = w[B[m]][0] - w[A[m]][0];
        iy[m] = w[B[m]][1] - w[A[m]][1];
    }
    for (int m = M; m < SPRINGS; m++) ix[m] = iy[m] = 0.0;
    for (int m = 0; m < SPRINGS; m++) {
        double inverse = 1.0 / (s.length[m] + SOFTENING), ratio = s.rest[m] * inverse;
        double along = DT * STIFFNESS * (ix[m] * s.dx[m] + iy[m] * s.dy[m]) * inverse;
        double pull = DT * STIFFNESS * (1.0 - ratio), turn = along * ratio / s.length[m];
        ix[m] = pull * ix[m] + turn * s.dx[m];
        iy[m] = pull * iy[m] + turn * s.dy[m];
        rest[m] = -along;
    }
    for (int m = 0; m < M; m++) {
        state[A[m]].x += ix[m]; state[A[m]].y += iy[m];
        state[B[m]].x -= ix[m]; state[B[m]].y -= iy[m];
    }
    double signal[K];
    for (int k = 0; k < K; k++) signal[k] = rest[MUSCLE[k]] * STRENGTH * REST[MUSCLE[k]];
    unthink(net, r, signal, g, state);
}

long tape_bytes(long steps) { return steps * (long)sizeof(record); }

static void start(mass *state) {
    for (int i = 0; i < N; i++) state[i] = (mass){START[i][0], START[i][1], 0.0, 0.0};
}

double loss(long steps, const double *weights) {
    static network net;
    mass state[N];
    record r;
    memset(&r, 0, sizeof r);
    arrange(&net, weights);
    start(state);
    for (long t = 0; t < steps; t++) step(&net, t, state, &r);
    return -state[0].x;
}

/* The tape is aligned to 64 bytes and was zero before its first use. */
double gradient(long steps, const double *weights, double *slope, record *tape) {
    static network net;
    static slopes g;
    memset(&g, 0, sizeof g);
    arrange(&net, weights);
    mass state[N];
    start(state);
    for (long t = 0; t < steps; t++) {
        memcpy(tape[t].state, state, sizeof state);
        step(&net, t, state, &tape[t]);
    }
    double value = -state[0].x;
    memset(state, 0, sizeof state);
    state[0].x = -1.0;
    for (long t = steps; t-- > 0;) unstep(&net, &tape[t], &g, state);
    settle(&g.batch, g.rows);
    memset(slope, 0, (B2_AT + M) * sizeof *slope);
    for (int i = 0; i < H; i++) memcpy(slope + i * S, g.rows[i], S * sizeof *slope);
    memcpy(slope + H * S, g.hidden_bias, sizeof g.hidden_bias);
    for (int k = 0; k < K; k++) {
        memcpy(slope + W2_AT + MUSCLE[k] * H, g.muscles[k], sizeof g.muscles[k]);
        slope[B2_AT + MUSCLE[k]] = g.muscle_bias[k];
    }
    return value;
}
