/* The job of robot.c as the equations have it: every spring has its output, the tape keeps the states, and the
 * reverse step computes everything else again. Slow, short, and the reference for digits. */
#include <math.h>
#include <string.h>

#include "robot.h"

#define H 32
#define CLOCKS 10
#define S (CLOCKS + 4 * N + 2)

static const double DT = 0.004, STIFFNESS = 3e4, GRAVITY = 4.8, GROUND = 0.1, GOAL[2] = {0.9, 0.2};

typedef struct { double x[N][2], v[N][2]; } state;
typedef struct { double w1[H][S], b1[H], w2[M][H], b2[M]; } network;
typedef struct { double senses[S], hidden[H], signal[M], w[N][2]; } inner;

static double strength(int spring) {
    for (int k = 0; k < K; k++)
        if (MUSCLE[k] == spring) return 0.15;
    return 0.0;
}

static int lands(double y, double wy) { return y + DT * wy < GROUND && wy < -1e-4; }

/* What happens inside a step, up to the velocities w before the ground is met. */
static void look(const network *net, long t, const state *s, inner *in) {
    double c[2] = {0.0, 0.0};
    for (int i = 0; i < N; i++)
        for (int k = 0; k < 2; k++) c[k] += s->x[i][k] / N;
    for (int j = 0; j < CLOCKS; j++)
        in->senses[j] = sin(10.0 * DT * (double)t + 2.0 * M_PI / CLOCKS * j);
    for (int i = 0; i < N; i++)
        for (int k = 0; k < 2; k++) {
            in->senses[CLOCKS + 4 * i + k] = 0.05 * (s->x[i][k] - c[k]);
            in->senses[CLOCKS + 4 * i + 2 + k] = 0.05 * s->v[i][k];
        }
    for (int k = 0; k < 2; k++) in->senses[CLOCKS + 4 * N + k] = GOAL[k] - c[k];
    for (int i = 0; i < H; i++) {
        double sum = net->b1[i];
        for (int j = 0; j < S; j++) sum += net->w1[i][j] * in->senses[j];
        in->hidden[i] = tanh(sum);
    }
    for (int i = 0; i < N; i++)
        for (int k = 0; k < 2; k++) in->w[i][k] = exp(-15.0 * DT) * s->v[i][k] - (k ? DT * GRAVITY : 0.0);
    for (int m = 0; m < M; m++) {
        double sum = net->b2[m];
        for (int i = 0; i < H; i++) sum += net->w2[m][i] * in->hidden[i];
        in->signal[m] = tanh(sum);
        double d[2] = {s->x[A[m]][0] - s->x[B[m]][0], s->x[A[m]][1] - s->x[B[m]][1]};
        double length = sqrt(d[0] * d[0] + d[1] * d[1]) + 1e-4;
        double rest = REST[m] * (1.0 + strength(m) * in->signal[m]);
        for (int k = 0; k < 2; k++) {
            double impulse = DT * STIFFNESS * (length - rest) / length * d[k];
            in->w[A[m]][k] -= impulse;
            in->w[B[m]][k] += impulse;
        }
    }
}

static void step(const network *net, long t, state *s) {
    inner in;
    look(net, t, s, &in);
    for (int i = 0; i < N; i++) {
        double y = s->x[i][1], wy = in.w[i][1];
        int hit = lands(y, wy);
        for (int k = 0; k < 2; k++) {
            s->x[i][k] += (hit ? -(y - GROUND) / wy : DT) * in.w[i][k];
            s->v[i][k] = hit ? 0.0 : in.w[i][k];
        }
    }
}

/* The adjoint of the state after the step becomes that of the state before it. */
static void unstep(const network *net, long t, const state *s, network *g, state *bar) {
    inner in;
    look(net, t, s, &in);
    double w[N][2];
    for (int i = 0; i < N; i++) {
        double y = s->x[i][1], wy = in.w[i][1];
        int hit = lands(y, wy);
        double impact = -(y - GROUND) / wy, by_impact = 0.0;
        for (int k = 0; k < 2; k++) {
            w[i][k] = (hit ? impact : DT) * bar->x[i][k] + (hit ? 0.0 : bar->v[i][k]);
            by_impact += bar->x[i][k] * in.w[i][k];
        }
        if (hit) {
            bar->x[i][1] -= by_impact / wy;
            w[i][1] -= by_impact * impact / wy;
        }
        for (int k = 0; k < 2; k++) bar->v[i][k] = exp(-15.0 * DT) * w[i][k];
    }
    double hidden[H] = {0}, senses[S] = {0};
    for (int m = 0; m < M; m++) {
        double d[2] = {s->x[A[m]][0] - s->x[B[m]][0], s->x[A[m]][1] - s->x[B[m]][1]};
        double distance = sqrt(d[0] * d[0] + d[1] * d[1]), length = distance + 1e-4;
        double rest = REST[m] * (1.0 + strength(m) * in.signal[m]), along = 0.0;
        double impulse[2];
        for (int k = 0; k < 2; k++) {
            impulse[k] = w[B[m]][k] - w[A[m]][k];
            along += DT * STIFFNESS * impulse[k] * d[k];
        }
        for (int k = 0; k < 2; k++) {
            double by_d = DT * STIFFNESS * (length - rest) / length * impulse[k];
            by_d += along * rest / (length * length) * d[k] / distance;
            bar->x[A[m]][k] += by_d;
            bar->x[B[m]][k] -= by_d;
        }
        double signal = -along / length * REST[m] * strength(m);
        double sum = signal * (1.0 - in.signal[m] * in.signal[m]);
        g->b2[m] += sum;
        for (int i = 0; i < H; i++) {
            g->w2[m][i] += sum * in.hidden[i];
            hidden[i] += sum * net->w2[m][i];
        }
    }
    for (int i = 0; i < H; i++) {
        double sum = hidden[i] * (1.0 - in.hidden[i] * in.hidden[i]);
        g->b1[i] += sum;
        for (int j = 0; j < S; j++) {
            g->w1[i][j] += sum * in.senses[j];
            senses[j] += sum * net->w1[i][j];
        }
    }
    double c[2] = {-senses[S - 2], -senses[S - 1]};
    for (int i = 0; i < N; i++)
        for (int k = 0; k < 2; k++) {
            bar->x[i][k] += 0.05 * senses[CLOCKS + 4 * i + k];
            bar->v[i][k] += 0.05 * senses[CLOCKS + 4 * i + 2 + k];
            c[k] -= 0.05 * senses[CLOCKS + 4 * i + k];
        }
    for (int i = 0; i < N; i++)
        for (int k = 0; k < 2; k++) bar->x[i][k] += c[k] / N;
}

long tape_bytes(long steps) { return (steps + 1) * (long)sizeof(state); }

static void start(state *s) {
    memset(s, 0, sizeof *s);
    memcpy(s->x, START, sizeof s->x);
}

double loss(long steps, const network *net) {
    state s;
    start(&s);
    for (long t = 0; t < steps; t++) step(net, t, &s);
    return -s.x[0][0];
}

double gradient(long steps, const network *net, network *slope, state *tape) {
    start(&tape[0]);
    for (long t = 0; t < steps; t++) {
        tape[t + 1] = tape[t];
        step(net, t, &tape[t + 1]);
    }
    memset(slope, 0, sizeof *slope);
    state bar;
    memset(&bar, 0, sizeof bar);
    bar.x[0][0] = -1.0;
    for (long t = steps; t-- > 0;) unstep(net, t, &tape[t], slope, &bar);
    return -tape[steps].x[0][0];
}
