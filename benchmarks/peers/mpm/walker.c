/* A soft walker by MLS-MPM, its loss and its gradient by an adjoint written by hand.

   n particles of mass and volume 1 with x, v (velocity), C (affine velocity) and F (deformation gradient); a grid
   of NODES^2 nodes, DX = 1 / NODES apart. In a step, with the weights w of quadratic B-splines on 3 x 3 nodes o
   from the first, at the distance f DX:

       s_i = STRENGTH tanh(sum_j w_ij sin(PACE t DT + 2 pi j / WAVES) + b_i)         for each muscle
       F' = (I + DT C) F,  J = det F',  R its rotation,  c = F' e_y
       tau = 2 E (F' - R) F'^T + E (J - 1) J I + s c c^T,    A = C - 4 DT / DX^2 tau
       momentum += w (v + A (o - f) DX),    mass += w                                particles to grid
       u = momentum / (mass + EMPTY) - (0, DT GRAVITY), and 0 if it points outwards in the margin of a wall
       v' = sum w u,  C' = 4 / DX sum w u (o - f)^T,  x' = x + DT v'                 grid to particles

   The loss is minus the mean x after the last step. The tape has the particles of every step; the reverse pass
   makes each step's grid again. */

#include <math.h>
#include <string.h>
#include "walker.h" /* N, PARTICLES[N][2], MUSCLE[N] and the constants above */

#define DX (1.0 / NODES)
#define PULL (-4 * DT / (DX * DX))
#define TAU 6.283185307179586

typedef struct { double x[2], v[2], C[2][2], F[2][2]; } Particle;
typedef struct { int at[2]; double f[2], w[2][3]; } Stencil;

static double grid[NODES][NODES][3], bar[NODES][NODES][3], velocity[NODES][NODES][2];
static double affine[N][2][2];
static Particle here[2][N], adjoint[N];

long tape_bytes(long steps) { return steps * (long)sizeof here[0]; }

static inline Stencil stencil(const double *x) {
    Stencil s;
    for (int k = 0; k < 2; k++) {
        double at = x[k] / DX;
        s.at[k] = (int)(at - 0.5);
        double f = s.f[k] = at - s.at[k];
        s.w[k][0] = 0.5 * (1.5 - f) * (1.5 - f);
        s.w[k][1] = 0.75 - (f - 1) * (f - 1);
        s.w[k][2] = 0.5 * (f - 0.5) * (f - 0.5);
    }
    return s;
}

static void signals(const double *p, long t, double out[MUSCLES]) {
    for (int i = 0; i < MUSCLES; i++) {
        double sum = p[MUSCLES * WAVES + i];
        for (int j = 0; j < WAVES; j++) sum += p[WAVES * i + j] * sin(PACE * t * DT + TAU / WAVES * j);
        out[i] = tanh(sum);
    }
}

/* F' and A of every particle; F' goes to `to`, which may be null. */
static void strain(const Particle *from, Particle *to, const double *signal) {
    for (int p = 0; p < N; p++) {
        const double (*C)[2] = from[p].C, (*G)[2] = from[p].F;
        double a = G[0][0] + DT * (C[0][0] * G[0][0] + C[0][1] * G[1][0]);
        double b = G[0][1] + DT * (C[0][0] * G[0][1] + C[0][1] * G[1][1]);
        double c = G[1][0] + DT * (C[1][0] * G[0][0] + C[1][1] * G[1][0]);
        double d = G[1][1] + DT * (C[1][0] * G[0][1] + C[1][1] * G[1][1]);
        double J = a * d - b * c, h = 1 / sqrt((a + d) * (a + d) + (c - b) * (c - b));
        double cs = (a + d) * h, sn = (c - b) * h;
        double s = MUSCLE[p] < 0 ? 0 : STRENGTH * signal[MUSCLE[p]];
        double P = 2 * STIFFNESS * (a - cs), Q = 2 * STIFFNESS * (b + sn);
        double S = 2 * STIFFNESS * (c - sn), T = 2 * STIFFNESS * (d - cs), press = STIFFNESS * (J - 1) * J;
        affine[p][0][0] = C[0][0] + PULL * (P * a + Q * b + press + s * b * b);
        affine[p][0][1] = C[0][1] + PULL * (P * c + Q * d + s * b * d);
        affine[p][1][0] = C[1][0] + PULL * (S * a + T * b + s * b * d);
        affine[p][1][1] = C[1][1] + PULL * (S * c + T * d + press + s * d * d);
        if (to) to[p].F[0][0] = a, to[p].F[0][1] = b, to[p].F[1][0] = c, to[p].F[1][1] = d;
    }
}

static void to_grid(const Particle *from) {
    memset(grid, 0, sizeof grid);
    for (int p = 0; p < N; p++) {
        Stencil s = stencil(from[p].x);
        double (*A)[2] = affine[p];
        double mx = from[p].v[0] - DX * (A[0][0] * s.f[0] + A[0][1] * s.f[1]);
        double my = from[p].v[1] - DX * (A[1][0] * s.f[0] + A[1][1] * s.f[1]);
        for (int i = 0; i < 3; i++)
            for (int j = 0; j < 3; j++) {
                double *node = grid[s.at[0] + i][s.at[1] + j], w = s.w[0][i] * s.w[1][j];
                node[0] += w * (mx + DX * (A[0][0] * i + A[0][1] * j));
                node[1] += w * (my + DX * (A[1][0] * i + A[1][1] * j));
                node[2] += w;
            }
    }
}

static inline int stopped(int i, int j, double u, double v) {
    return (i < MARGIN && u < 0) || (i > NODES - MARGIN && u > 0) || (j < MARGIN && v < 0) ||
           (j > NODES - MARGIN && v > 0);
}

static void on_grid(void) {
    for (int i = 0; i < NODES; i++)
        for (int j = 0; j < NODES; j++) {
            double h = 1 / (grid[i][j][2] + EMPTY);
            double u = grid[i][j][0] * h, v = grid[i][j][1] * h - DT * GRAVITY;
            int stop = stopped(i, j, u, v);
            velocity[i][j][0] = stop ? 0 : u;
            velocity[i][j][1] = stop ? 0 : v;
        }
}

static void to_particles(const Particle *from, Particle *to) {
    for (int p = 0; p < N; p++) {
        Stencil s = stencil(from[p].x);
        double u = 0, v = 0, a = 0, b = 0, c = 0, d = 0;
        for (int i = 0; i < 3; i++)
            for (int j = 0; j < 3; j++) {
                const double *node = velocity[s.at[0] + i][s.at[1] + j];
                double w = s.w[0][i] * s.w[1][j], wu = w * node[0], wv = w * node[1];
                u += wu, v += wv;
                a += wu * (i - s.f[0]), b += wu * (j - s.f[1]);
                c += wv * (i - s.f[0]), d += wv * (j - s.f[1]);
            }
        to[p].v[0] = u, to[p].v[1] = v;
        to[p].x[0] = from[p].x[0] + DT * u, to[p].x[1] = from[p].x[1] + DT * v;
        to[p].C[0][0] = 4 / DX * a, to[p].C[0][1] = 4 / DX * b;
        to[p].C[1][0] = 4 / DX * c, to[p].C[1][1] = 4 / DX * d;
    }
}

static void begin(Particle *to) {
    memset(to, 0, N * sizeof *to);
    for (int p = 0; p < N; p++) {
        memcpy(to[p].x, PARTICLES[p], sizeof to[p].x);
        to[p].F[0][0] = to[p].F[1][1] = 1;
    }
}

static void step(const double *numbers, long t, const Particle *from, Particle *to) {
    double signal[MUSCLES];
    signals(numbers, t, signal);
    strain(from, to, signal);
    to_grid(from);
    on_grid();
    to_particles(from, to);
}

static double measure(const Particle *at) {
    double sum = 0;
    for (int p = 0; p < N; p++) sum += at[p].x[0];
    return -sum / N;
}

double loss(long steps, const double *numbers) {
    begin(here[0]);
    for (long t = 0; t < steps; t++) step(numbers, t, here[t % 2], here[(t + 1) % 2]);
    return measure(here[steps % 2]);
}

/* ---- the adjoint ---- */

static void back_to_particles(const Particle *from) {
    memset(bar, 0, sizeof bar);
    for (int p = 0; p < N; p++) {
        Stencil s = stencil(from[p].x);
        Particle *z = &adjoint[p];
        double vx = z->v[0] + DT * z->x[0], vy = z->v[1] + DT * z->x[1];
        double a = 4 / DX * z->C[0][0], b = 4 / DX * z->C[0][1];
        double c = 4 / DX * z->C[1][0], d = 4 / DX * z->C[1][1];
        double w0[3] = {0}, w1[3] = {0}, f0 = 0, f1 = 0;
        for (int i = 0; i < 3; i++)
            for (int j = 0; j < 3; j++) {
                const double *node = velocity[s.at[0] + i][s.at[1] + j];
                double *out = bar[s.at[0] + i][s.at[1] + j], w = s.w[0][i] * s.w[1][j];
                double gx = vx + a * (i - s.f[0]) + b * (j - s.f[1]);
                double gy = vy + c * (i - s.f[0]) + d * (j - s.f[1]);
                double wb = node[0] * gx + node[1] * gy;
                out[0] += w * gx, out[1] += w * gy;
                w0[i] += wb * s.w[1][j], w1[j] += wb * s.w[0][i];
                f0 -= w * (a * node[0] + c * node[1]), f1 -= w * (b * node[0] + d * node[1]);
            }
        f0 += -w0[0] * (1.5 - s.f[0]) - 2 * w0[1] * (s.f[0] - 1) + w0[2] * (s.f[0] - 0.5);
        f1 += -w1[0] * (1.5 - s.f[1]) - 2 * w1[1] * (s.f[1] - 1) + w1[2] * (s.f[1] - 0.5);
        z->x[0] += f0 / DX, z->x[1] += f1 / DX;
    }
}

static void back_on_grid(void) {
    for (int i = 0; i < NODES; i++)
        for (int j = 0; j < NODES; j++) {
            double h = 1 / (grid[i][j][2] + EMPTY);
            double u = grid[i][j][0] * h, v = grid[i][j][1] * h;
            int stop = stopped(i, j, u, v - DT * GRAVITY);
            double ub = stop ? 0 : bar[i][j][0], vb = stop ? 0 : bar[i][j][1];
            bar[i][j][0] = ub * h, bar[i][j][1] = vb * h;
            bar[i][j][2] = -(ub * u + vb * v) * h;
        }
}

static void back_to_grid(const Particle *from, const Particle *to, const double *signal, double *back) {
    for (int p = 0; p < N; p++) {
        Stencil s = stencil(from[p].x);
        Particle *z = &adjoint[p];
        double (*A)[2] = affine[p], vx = 0, vy = 0, w0[3] = {0}, w1[3] = {0}, f0 = 0, f1 = 0;
        double B[2][2] = {{0}};
        for (int i = 0; i < 3; i++)
            for (int j = 0; j < 3; j++) {
                const double *node = bar[s.at[0] + i][s.at[1] + j];
                double w = s.w[0][i] * s.w[1][j], di = (i - s.f[0]) * DX, dj = (j - s.f[1]) * DX;
                double wb = node[2] + node[0] * (from[p].v[0] + A[0][0] * di + A[0][1] * dj) +
                            node[1] * (from[p].v[1] + A[1][0] * di + A[1][1] * dj);
                double qx = w * node[0], qy = w * node[1];
                vx += qx, vy += qy;
                B[0][0] += qx * di, B[0][1] += qx * dj, B[1][0] += qy * di, B[1][1] += qy * dj;
                w0[i] += wb * s.w[1][j], w1[j] += wb * s.w[0][i];
            }
        f0 = -DX * (A[0][0] * vx + A[1][0] * vy), f1 = -DX * (A[0][1] * vx + A[1][1] * vy);
        f0 += -w0[0] * (1.5 - s.f[0]) - 2 * w0[1] * (s.f[0] - 1) + w0[2] * (s.f[0] - 0.5);
        f1 += -w1[0] * (1.5 - s.f[1]) - 2 * w1[1] * (s.f[1] - 1) + w1[2] * (s.f[1] - 0.5);
        z->x[0] += f0 / DX, z->x[1] += f1 / DX;
        z->v[0] = vx, z->v[1] = vy;

        double a = to[p].F[0][0], b = to[p].F[0][1], c = to[p].F[1][0], d = to[p].F[1][1];
        double h = 1 / sqrt((a + d) * (a + d) + (c - b) * (c - b)), cs = (a + d) * h, sn = (c - b) * h;
        double J = a * d - b * c, t00 = PULL * B[0][0], t01 = PULL * B[0][1];
        double t10 = PULL * B[1][0], t11 = PULL * B[1][1], m = 2 * STIFFNESS;
        double L00 = m * (t00 * a + t10 * c), L01 = m * (t00 * b + t10 * d); /* T^T F', of (F' - R) F'^T */
        double L10 = m * (t01 * a + t11 * c), L11 = m * (t01 * b + t11 * d);
        double K00 = m * (t00 * a + t01 * c), K01 = m * (t00 * b + t01 * d); /* T F' */
        double K10 = m * (t10 * a + t11 * c), K11 = m * (t10 * b + t11 * d);
        double g00 = K00 + L00 - m * (t00 * cs + t10 * sn), g01 = K01 + L01 - m * (-t00 * sn + t10 * cs);
        double g10 = K10 + L10 - m * (t01 * cs + t11 * sn), g11 = K11 + L11 - m * (-t01 * sn + t11 * cs);
        double cb = -(K00 + K11), sb = -(K10 - K01), turn = h * (cs * sb - sn * cb);
        double ab = -sn * turn, bb = cs * turn;
        g00 += ab, g11 += ab, g10 += bb, g01 -= bb;
        double Jb = STIFFNESS * (2 * J - 1) * (t00 + t11);
        g00 += Jb * d, g11 += Jb * a, g01 -= Jb * c, g10 -= Jb * b;
        if (MUSCLE[p] >= 0) {
            double pull = STRENGTH * signal[MUSCLE[p]];
            g01 += pull * (2 * t00 * b + (t01 + t10) * d), g11 += pull * (2 * t11 * d + (t01 + t10) * b);
            back[MUSCLE[p]] += STRENGTH * (t00 * b * b + (t01 + t10) * b * d + t11 * d * d);
        }
        g00 += z->F[0][0], g01 += z->F[0][1], g10 += z->F[1][0], g11 += z->F[1][1];
        const double (*C)[2] = from[p].C, (*G)[2] = from[p].F;
        z->C[0][0] = B[0][0] + DT * (g00 * G[0][0] + g01 * G[0][1]);
        z->C[0][1] = B[0][1] + DT * (g00 * G[1][0] + g01 * G[1][1]);
        z->C[1][0] = B[1][0] + DT * (g10 * G[0][0] + g11 * G[0][1]);
        z->C[1][1] = B[1][1] + DT * (g10 * G[1][0] + g11 * G[1][1]);
        z->F[0][0] = g00 + DT * (C[0][0] * g00 + C[1][0] * g10);
        z->F[0][1] = g01 + DT * (C[0][0] * g01 + C[1][0] * g11);
        z->F[1][0] = g10 + DT * (C[0][1] * g00 + C[1][1] * g10);
        z->F[1][1] = g11 + DT * (C[0][1] * g01 + C[1][1] * g11);
    }
}

double gradient(long steps, const double *numbers, double *slope, Particle *tape) {
    double value = 0;
    begin(tape);
    for (long t = 0; t < steps; t++) step(numbers, t, tape + t * N, t + 1 < steps ? tape + (t + 1) * N : here[0]);
    value = measure(steps ? here[0] : tape);
    memset(slope, 0, (MUSCLES * WAVES + MUSCLES) * sizeof *slope);
    memset(adjoint, 0, sizeof adjoint);
    for (int p = 0; p < N; p++) adjoint[p].x[0] = -1.0 / N;
    for (long t = steps - 1; t >= 0; t--) {
        const Particle *from = tape + t * N, *to = t + 1 < steps ? tape + (t + 1) * N : here[0];
        double signal[MUSCLES], back[MUSCLES] = {0};
        signals(numbers, t, signal);
        strain(from, 0, signal);
        to_grid(from);
        on_grid();
        back_to_particles(from);
        back_on_grid();
        back_to_grid(from, to, signal, back);
        for (int i = 0; i < MUSCLES; i++) {
            double sum = back[i] * (1 - signal[i] * signal[i]);
            slope[MUSCLES * WAVES + i] += sum;
            for (int j = 0; j < WAVES; j++) slope[WAVES * i + j] += sum * sin(PACE * t * DT + TAU / WAVES * j);
        }
    }
    return value;
}
