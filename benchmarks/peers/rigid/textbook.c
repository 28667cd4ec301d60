/* The job of rigid.c as the equations have it: every link has its output, the tape keeps the states, and the
 * reverse step computes everything else again. Slow, plain, and the reference for digits. */
#include <math.h>
#include <string.h>

#include "rigid.h"

#define H 32
#define CLOCKS 10
#define S (CLOCKS + 6 * N + 2)

static const double DT = 0.001, GRAVITY = 9.8, GROUND = 0.1, FRICTION = 1.0, GOAL[2] = {0.9, 0.15};

typedef struct { double x[N][2], angle[N], v[N][2], spin[N]; } state;
typedef struct { double w1[H][S], b1[H], w2[M][H], b2[M]; } network;
typedef struct { double senses[S], hidden[H], signal[M]; } thought;
typedef struct { double v[N][2], spin[N], x[N][2], angle[N]; } change;   /* what impulses sum up to */

static double cross(const double *a, const double *b) { return a[0] * b[1] - a[1] * b[0]; }

static void turn(double angle, const double *offset, double *r) {
    r[0] = cos(angle) * offset[0] - sin(angle) * offset[1];
    r[1] = sin(angle) * offset[0] + cos(angle) * offset[1];
}

static void speed(const state *s, int i, const double *r, double *u) {
    u[0] = s->v[i][0] - s->spin[i] * r[1];
    u[1] = s->v[i][1] + s->spin[i] * r[0];
}

/* What the adjoints of an arm r and of the velocity u there do to those of the motion of body i. */
static void unturn(state *bar, int i, const double *r, const double *rbar) {
    bar->angle[i] += r[0] * rbar[1] - r[1] * rbar[0];
}

static void unspeed(const state *s, state *bar, int i, const double *r, const double *ubar, double *rbar) {
    bar->v[i][0] += ubar[0];
    bar->v[i][1] += ubar[1];
    bar->spin[i] += cross(r, ubar);
    rbar[0] += s->spin[i] * ubar[1];
    rbar[1] -= s->spin[i] * ubar[0];
}

static void push(change *sum, int i, const double *impulse, const double *r, double tau) {
    double dw = cross(r, impulse) / INERTIA[i];
    for (int k = 0; k < 2; k++) {
        sum->v[i][k] += impulse[k] / MASS[i];
        sum->x[i][k] -= tau * impulse[k] / MASS[i];
    }
    sum->spin[i] += dw;
    sum->angle[i] -= tau * dw;
}

/* Adds to the adjoints of the impulse and of r; gives that of tau. */
static double unpush(const change *bar, int i, const double *impulse, const double *r, double tau,
                     double *impulse_bar, double *rbar) {
    double dw = cross(r, impulse) / INERTIA[i], dwbar = (bar->spin[i] - tau * bar->angle[i]) / INERTIA[i];
    double taubar = -dw * bar->angle[i];
    for (int k = 0; k < 2; k++) {
        impulse_bar[k] += (bar->v[i][k] - tau * bar->x[i][k]) / MASS[i];
        taubar -= impulse[k] / MASS[i] * bar->x[i][k];
    }
    impulse_bar[0] -= r[1] * dwbar;
    impulse_bar[1] += r[0] * dwbar;
    rbar[0] += impulse[1] * dwbar;
    rbar[1] -= impulse[0] * dwbar;
    return taubar;
}

/* ---- contact of point k with the ground ---- */

typedef struct { double r[2], u[2], height, up, along, cn, ct, impulse[2], arm[2], quotient, tau; } touch;

static int touches(const state *s, int k, touch *c) {
    int i = OWNER[k];
    turn(s->angle[i], CORNER[k], c->r);
    speed(s, i, c->r, c->u);
    c->u[1] -= DT * GRAVITY;
    c->height = s->x[i][1] + c->r[1] - GROUND;
    if (!(c->u[1] < 0 && c->height + DT * c->u[1] < 0)) return 0;
    c->cn = 1 / MASS[i] + c->r[0] * c->r[0] / INERTIA[i];
    c->ct = 1 / MASS[i] + c->r[1] * c->r[1] / INERTIA[i];
    c->up = -c->u[1] / c->cn;
    c->along = -c->u[0] / c->ct;
    double grip = FRICTION * c->up;
    c->impulse[0] = c->along > grip ? grip : c->along < -grip ? -grip : c->along;
    c->impulse[1] = c->up;
    for (int d = 0; d < 2; d++) c->arm[d] = c->r[d] + DT * c->u[d];
    c->quotient = c->height / -fmin(c->u[1], -1e-3);
    c->tau = fmax(0, fmin(c->quotient, DT));
    return 1;
}

static void untouch(const state *s, int k, const change *sum_bar, state *bar) {
    touch c;
    if (!touches(s, k, &c)) return;
    int i = OWNER[k];
    double jbar[2] = {0}, abar[2] = {0}, rbar[2] = {0}, ubar[2] = {0};
    double taubar = unpush(sum_bar, i, c.impulse, c.arm, c.tau, jbar, abar);
    for (int d = 0; d < 2; d++) {
        rbar[d] += abar[d];
        ubar[d] += DT * abar[d];
    }
    if (c.quotient > 0 && c.quotient < DT) {
        double sinking = fmin(c.u[1], -1e-3);
        bar->x[i][1] -= taubar / sinking;
        rbar[1] -= taubar / sinking;
        if (c.u[1] < -1e-3) ubar[1] -= taubar * c.quotient / sinking;
    }
    double grip = FRICTION * c.up, alongbar = 0, upbar = jbar[1];
    if (c.along > grip) upbar += FRICTION * jbar[0];
    else if (c.along < -grip) upbar -= FRICTION * jbar[0];
    else alongbar = jbar[0];
    ubar[0] -= alongbar / c.ct;
    ubar[1] -= upbar / c.cn;
    rbar[1] -= alongbar * c.along / c.ct * 2 * c.r[1] / INERTIA[i];
    rbar[0] -= upbar * c.up / c.cn * 2 * c.r[0] / INERTIA[i];
    unspeed(s, bar, i, c.r, ubar, rbar);
    unturn(bar, i, c.r, rbar);
}

/* ---- link m, a spring where REST is not negative, else a joint ---- */

typedef struct { double ra[2], rb[2], d[2], distance, rest, q[2], fast, s, e[2], give, impulse[2]; } link;

static void stretch(const state *s, int m, double signal, link *l) {
    int a = A[m], b = B[m];
    double ua[2], ub[2];
    turn(s->angle[a], OFFSET[m][0], l->ra);
    turn(s->angle[b], OFFSET[m][1], l->rb);
    for (int k = 0; k < 2; k++) l->d[k] = s->x[a][k] + l->ra[k] - s->x[b][k] - l->rb[k];
    if (REST[m] >= 0) {
        l->distance = sqrt(l->d[0] * l->d[0] + l->d[1] * l->d[1]);
        l->rest = REST[m] * (1 + REACH[m] * signal);
        double length = l->distance + 1e-4;
        for (int k = 0; k < 2; k++) l->impulse[k] = DT * STIFFNESS[m] * (length - l->rest) / length * l->d[k];
        return;
    }
    speed(s, a, l->ra, ua);
    speed(s, b, l->rb, ub);
    for (int k = 0; k < 2; k++) l->q[k] = ua[k] - ub[k];
    l->fast = sqrt(l->q[0] * l->q[0] + l->q[1] * l->q[1]);
    l->s = l->fast + 0.1;
    for (int k = 0; k < 2; k++) l->e[k] = l->q[k] / l->s;
    double ca = cross(l->ra, l->e), cb = cross(l->rb, l->e);
    l->give = 1 / MASS[a] + ca * ca / INERTIA[a] + 1 / MASS[b] + cb * cb / INERTIA[b];
    for (int k = 0; k < 2; k++) l->impulse[k] = DT * STIFFNESS[m] * l->d[k] + l->q[k] / l->give;
}

static void pull(const link *l, int m, change *sum) {
    double back[2] = {-l->impulse[0], -l->impulse[1]};
    push(sum, A[m], back, l->ra, 0);
    push(sum, B[m], l->impulse, l->rb, 0);
}

/* Gives the adjoint of the signal. */
static double unpull(const state *s, int m, double signal, const change *sum_bar, state *bar) {
    link l;
    stretch(s, m, signal, &l);
    int a = A[m], b = B[m];
    double back[2] = {-l.impulse[0], -l.impulse[1]}, backbar[2] = {0}, jbar[2] = {0};
    double ra[2] = {0}, rb[2] = {0}, d[2], told = 0;
    unpush(sum_bar, a, back, l.ra, 0, backbar, ra);
    unpush(sum_bar, b, l.impulse, l.rb, 0, jbar, rb);
    for (int k = 0; k < 2; k++) jbar[k] -= backbar[k];
    if (REST[m] >= 0) {
        double length = l.distance + 1e-4, along = DT * STIFFNESS[m] * (jbar[0] * l.d[0] + jbar[1] * l.d[1]);
        for (int k = 0; k < 2; k++) {
            d[k] = DT * STIFFNESS[m] * (length - l.rest) / length * jbar[k];
            if (l.distance > 0) d[k] += along * l.rest / (length * length) * l.d[k] / l.distance;
        }
        told = -along / length * REST[m] * REACH[m];
    } else {
        double q[2], back_q[2], e[2], ca = cross(l.ra, l.e), cb = cross(l.rb, l.e);
        double give = -(jbar[0] * l.q[0] + jbar[1] * l.q[1]) / (l.give * l.give);
        double cabar = 2 * ca / INERTIA[a] * give, cbbar = 2 * cb / INERTIA[b] * give;
        e[0] = -l.ra[1] * cabar - l.rb[1] * cbbar;
        e[1] = l.ra[0] * cabar + l.rb[0] * cbbar;
        ra[0] += l.e[1] * cabar;
        ra[1] -= l.e[0] * cabar;
        rb[0] += l.e[1] * cbbar;
        rb[1] -= l.e[0] * cbbar;
        double sbar = -(e[0] * l.e[0] + e[1] * l.e[1]) / l.s;
        for (int k = 0; k < 2; k++) {
            q[k] = jbar[k] / l.give + e[k] / l.s;
            if (l.fast > 0) q[k] += sbar * l.q[k] / l.fast;
            back_q[k] = -q[k];
            d[k] = DT * STIFFNESS[m] * jbar[k];
        }
        unspeed(s, bar, a, l.ra, q, ra);
        unspeed(s, bar, b, l.rb, back_q, rb);
    }
    for (int k = 0; k < 2; k++) {
        bar->x[a][k] += d[k];
        bar->x[b][k] -= d[k];
        ra[k] += d[k];
        rb[k] -= d[k];
    }
    unturn(bar, a, l.ra, ra);
    unturn(bar, b, l.rb, rb);
    return told;
}

/* ---- a step ---- */

static void think(const network *net, long t, const state *s, thought *in) {
    for (int j = 0; j < CLOCKS; j++)
        in->senses[j] = sin(30.0 * DT * (double)t + 2.0 * M_PI / CLOCKS * j);
    for (int i = 0; i < N; i++) {
        double *seen = in->senses + CLOCKS + 6 * i;
        for (int k = 0; k < 2; k++) {
            seen[k] = 0.05 * (s->x[i][k] - s->x[HEAD][k]);
            seen[2 + k] = 0.05 * s->v[i][k];
        }
        seen[4] = 0.05 * s->angle[i];
        seen[5] = 0.05 * s->spin[i];
    }
    for (int k = 0; k < 2; k++) in->senses[S - 2 + k] = GOAL[k];
    for (int i = 0; i < H; i++) {
        double sum = net->b1[i];
        for (int j = 0; j < S; j++) sum += net->w1[i][j] * in->senses[j];
        in->hidden[i] = tanh(sum);
    }
    for (int m = 0; m < M; m++) {
        double sum = net->b2[m];
        for (int i = 0; i < H; i++) sum += net->w2[m][i] * in->hidden[i];
        in->signal[m] = tanh(sum);
    }
}

static void unthink(const network *net, const thought *in, const double *signal, network *g, state *bar) {
    double hidden[H] = {0}, senses[S] = {0};
    for (int m = 0; m < M; m++) {
        double sum = signal[m] * (1 - in->signal[m] * in->signal[m]);
        g->b2[m] += sum;
        for (int i = 0; i < H; i++) {
            g->w2[m][i] += sum * in->hidden[i];
            hidden[i] += sum * net->w2[m][i];
        }
    }
    for (int i = 0; i < H; i++) {
        double sum = hidden[i] * (1 - in->hidden[i] * in->hidden[i]);
        g->b1[i] += sum;
        for (int j = 0; j < S; j++) {
            g->w1[i][j] += sum * in->senses[j];
            senses[j] += sum * net->w1[i][j];
        }
    }
    for (int i = 0; i < N; i++) {
        const double *seen = senses + CLOCKS + 6 * i;
        for (int k = 0; k < 2; k++) {
            bar->x[i][k] += 0.05 * seen[k];
            bar->x[HEAD][k] -= 0.05 * seen[k];
            bar->v[i][k] += 0.05 * seen[2 + k];
        }
        bar->angle[i] += 0.05 * seen[4];
        bar->spin[i] += 0.05 * seen[5];
    }
}

static void step(const network *net, long t, const state *s, state *next) {
    thought in;
    change sum;
    memset(&sum, 0, sizeof sum);
    think(net, t, s, &in);
    for (int k = 0; k < POINTS; k++) {
        touch c;
        if (touches(s, k, &c)) push(&sum, OWNER[k], c.impulse, c.arm, c.tau);
    }
    for (int m = 0; m < M; m++) {
        link l;
        stretch(s, m, in.signal[m], &l);
        pull(&l, m, &sum);
    }
    double drag = exp(-10.0 * DT);
    for (int i = 0; i < N; i++) {
        for (int k = 0; k < 2; k++) {
            next->v[i][k] = drag * s->v[i][k] + sum.v[i][k] - (k ? DT * GRAVITY : 0);
            next->x[i][k] = s->x[i][k] + DT * next->v[i][k] + sum.x[i][k];
        }
        next->spin[i] = drag * s->spin[i] + sum.spin[i];
        next->angle[i] = s->angle[i] + DT * next->spin[i] + sum.angle[i];
    }
}

/* The adjoint of the state after the step becomes that of the state before it. */
static void unstep(const network *net, long t, const state *s, network *g, state *bar) {
    thought in;
    change sum;
    double drag = exp(-10.0 * DT), signal[M];
    for (int i = 0; i < N; i++) {
        for (int k = 0; k < 2; k++) {
            sum.x[i][k] = bar->x[i][k];
            sum.v[i][k] = bar->v[i][k] + DT * bar->x[i][k];
            bar->v[i][k] = drag * sum.v[i][k];
        }
        sum.angle[i] = bar->angle[i];
        sum.spin[i] = bar->spin[i] + DT * bar->angle[i];
        bar->spin[i] = drag * sum.spin[i];
    }
    think(net, t, s, &in);
    for (int k = 0; k < POINTS; k++) untouch(s, k, &sum, bar);
    for (int m = 0; m < M; m++) signal[m] = unpull(s, m, in.signal[m], &sum, bar);
    unthink(net, &in, signal, g, bar);
}

long tape_bytes(long steps) { return (steps + 1) * (long)sizeof(state); }

static void start(state *s) {
    memset(s, 0, sizeof *s);
    memcpy(s->x, CENTRE, sizeof s->x);
    memcpy(s->angle, ANGLE, sizeof s->angle);
}

static double miss(const state *s) { return hypot(s->x[HEAD][0] - GOAL[0], s->x[HEAD][1] - GOAL[1]); }

double loss(long steps, const network *net) {
    state s, next;
    start(&s);
    for (long t = 0; t < steps; t++) {
        step(net, t, &s, &next);
        s = next;
    }
    return miss(&s);
}

double gradient(long steps, const network *net, network *slope, state *tape) {
    start(&tape[0]);
    for (long t = 0; t < steps; t++) step(net, t, &tape[t], &tape[t + 1]);
    double value = miss(&tape[steps]);
    memset(slope, 0, sizeof *slope);
    state bar;
    memset(&bar, 0, sizeof bar);
    for (int k = 0; k < 2; k++) bar.x[HEAD][k] = (tape[steps].x[HEAD][k] - GOAL[k]) / value;
    for (long t = steps; t-- > 0;) unstep(net, t, &tape[t], slope, &bar);
    return value;
}
