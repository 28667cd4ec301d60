/* The gradient of a shot of pool, from event to event, with the adjoint written by hand.
 *
 * Balls of radius r and equal mass on a table of WIDTH by HEIGHT move straight on until the next event:
 * two balls meet, or one meets a cushion. With D = x_i - x_j and U = v_i - v_j
 *
 *     b = D.U,  s = b^2 - U.U (D.D - 4 r^2);      if b < 0 and s > 0:   t = (D.D - 4 r^2) / (sqrt(s) - b)
 *
 * and at a cushion, of each coordinate with v != 0,      t = ((r or side - r) - x) / v,
 *
 * the least t of all is the event; of equal ones the first counts, by ball, its pairs before its cushions.
 * All x += t v. Then, with the same D and U of now, |D| = 2r,
 *
 *     J = (1 + e)/2 (D.U) / (4 r^2) D,     v_i -= J,  v_j += J          two balls
 *     v = -c v  of the one coordinate                                    a cushion
 *
 *     loss = |x_TARGET - goal|^2  after EVENTS events.
 *
 * plain   every pair and cushion is looked at before every event, with branches.
 * kept    the times of what did not change are kept; a ball's row of times is computed as vectors.
 *
 * Both keep a tape of the events alone, and run the same adjoint. With D of the event, dt = -D.(dD + t dU) / D.U.
 *
 * BALLS is a compile-time constant, as it is for every peer that traces or generates code.
 */
#include <math.h>
#include <string.h>

enum { LANES = (BALLS + 3) / 4 * 4 }; /* a row of times, whole vectors */

static const double SQUARE = 4 * RADIUS * RADIUS, HALF_BOUNCE = (1 + RESTITUTION) / 2 / (4 * RADIUS * RADIUS);
static const double SIDE[2] = {WIDTH - RADIUS, HEIGHT - RADIUS};

/* Coordinate by coordinate: a[0] those along the width, a[1] along the height. */
typedef struct { _Alignas(32) double a[2][LANES]; } vectors;

/* partner: the other ball, or -1 - axis at a cushion; v: those of the ball and its partner before. */
typedef struct { int ball, partner; double t, gap[2], relative[2], v[2][2]; } event;

typedef struct { int ball, partner; double t; } meeting;

static void start(vectors *x, vectors *v, const double *cue) {
    memset(x, 0, sizeof *x);
    memset(v, 0, sizeof *v);
    for (int k = 0; k < 2; k++) {
        for (int i = 1; i < BALLS; i++) x->a[k][i] = RACK[i][k];
        x->a[k][0] = cue[k];
        v->a[k][0] = cue[2 + k];
    }
}

static inline void advance(vectors *x, const vectors *v, double t) {
    for (int k = 0; k < 2; k++)
        for (int i = 0; i < LANES; i++) x->a[k][i] += t * v->a[k][i];
}

/* The change of velocities at `e`, which is filled in from where the balls are now. */
static inline void collide(event *e, meeting m, const vectors *x, vectors *v) {
    int i = m.ball, j = m.partner;
    e->ball = i, e->partner = j, e->t = m.t;
    e->v[0][0] = v->a[0][i], e->v[0][1] = v->a[1][i];
    if (j < 0) {
        v->a[-1 - j][i] *= -CUSHION;
        return;
    }
    e->v[1][0] = v->a[0][j], e->v[1][1] = v->a[1][j];
    for (int k = 0; k < 2; k++) {
        e->gap[k] = x->a[k][i] - x->a[k][j];
        e->relative[k] = e->v[0][k] - e->v[1][k];
    }
    double along = HALF_BOUNCE * (e->gap[0] * e->relative[0] + e->gap[1] * e->relative[1]);
    for (int k = 0; k < 2; k++) {
        v->a[k][i] -= along * e->gap[k];
        v->a[k][j] += along * e->gap[k];
    }
}

/* ---- plain ---------------------------------------------------------------------------- */

static meeting first_of_all(const vectors *x, const vectors *v) {
    meeting first = {0, 0, INFINITY};
    for (int i = 0; i < BALLS; i++) {
        double px = x->a[0][i], py = x->a[1][i], vx = v->a[0][i], vy = v->a[1][i];
        for (int j = i + 1; j < BALLS; j++) {
            double dx = px - x->a[0][j], dy = py - x->a[1][j];
            double ux = vx - v->a[0][j], uy = vy - v->a[1][j];
            double b = dx * ux + dy * uy;
            if (b >= 0) continue;
            double c = dx * dx + dy * dy - SQUARE;
            double s = b * b - (ux * ux + uy * uy) * c;
            if (s <= 0) continue;
            double t = c / (sqrt(s) - b);
            if (t < first.t) first = (meeting){i, j, t};
        }
        for (int k = 0; k < 2; k++) {
            double w = v->a[k][i];
            if (w == 0) continue;
            double t = ((w > 0 ? SIDE[k] : RADIUS) - x->a[k][i]) / w;
            if (t < first.t) first = (meeting){i, -1 - k, t};
        }
    }
    return first;
}

static void plain_run(vectors *x, vectors *v, event *tape) {
    for (long n = 0; n < EVENTS; n++) {
        meeting first = first_of_all(x, v);
        advance(x, v, first.t);
        collide(&tape[n], first, x, v);
    }
}

/* ---- kept ----------------------------------------------------------------------------- */

/* Rows 0 to BALLS - 1: when ball i meets ball j; rows BALLS and BALLS + 1: when ball j meets a cushion. */
typedef struct { _Alignas(32) double at[BALLS + 2][LANES]; } times;

static inline void predict(times *all, int i, double now, const vectors *x, const vectors *v) {
    double px = x->a[0][i], py = x->a[1][i], vx = v->a[0][i], vy = v->a[1][i];
#pragma GCC unroll 1
    for (int j = 0; j < LANES; j++) { /* no branch: vectors, unless unrolled before that */
        double dx = px - x->a[0][j], dy = py - x->a[1][j];
        double ux = vx - v->a[0][j], uy = vy - v->a[1][j];
        double b = dx * ux + dy * uy;
        double c = dx * dx + dy * dy - SQUARE;
        double s = b * b - (ux * ux + uy * uy) * c;
        double t = now + c / (sqrt(s) - b);
        all->at[i][j] = (b < 0) & (s > 0) ? t : INFINITY; /* of the ball itself, and of padding: b or s is 0 */
    }
    for (int j = BALLS; j < LANES; j++) all->at[i][j] = INFINITY;
    for (int j = 0; j < BALLS; j++) all->at[j][i] = all->at[i][j];
    for (int k = 0; k < 2; k++) {
        double w = v->a[k][i];
        all->at[BALLS + k][i] = w == 0 ? INFINITY : now + ((w > 0 ? SIDE[k] : RADIUS) - x->a[k][i]) / w;
    }
}

static inline meeting first_of(const times *all) {
    double least[LANES], t = INFINITY;
    for (int j = 0; j < LANES; j++) least[j] = all->at[0][j];
    for (int i = 1; i < BALLS + 2; i++)
#pragma GCC unroll 1
        for (int j = 0; j < LANES; j++) least[j] = all->at[i][j] < least[j] ? all->at[i][j] : least[j];
    for (int j = 0; j < LANES; j++) t = least[j] < t ? least[j] : t;
    int j = 0, i = 0;
    while (least[j] != t) j++;
    while (all->at[i][j] != t) i++;
    return i < BALLS ? (meeting){i < j ? i : j, i < j ? j : i, t} : (meeting){j, BALLS - 1 - i, t};
}

static void kept_run(vectors *x, vectors *v, event *tape) {
    times all;
    double now = 0;
    for (int i = 0; i < BALLS + 2; i++)
        for (int j = 0; j < LANES; j++) all.at[i][j] = INFINITY;
    for (int i = 0; i < BALLS; i++) predict(&all, i, now, x, v);
    for (long n = 0; n < EVENTS; n++) {
        meeting first = first_of(&all);
        double t = first.t - now;
        now = first.t;
        first.t = t;
        advance(x, v, t);
        collide(&tape[n], first, x, v);
        predict(&all, first.ball, now, x, v);
        if (first.partner >= 0) predict(&all, first.partner, now, x, v);
    }
}

/* ---- both ----------------------------------------------------------------------------- */

static void uncollide(const event *e, vectors *v, vectors *ax, vectors *av) {
    int i = e->ball, j = e->partner;
    v->a[0][i] = e->v[0][0], v->a[1][i] = e->v[0][1];
    if (j < 0) {
        av->a[-1 - j][i] *= -CUSHION;
        return;
    }
    v->a[0][j] = e->v[1][0], v->a[1][j] = e->v[1][1];
    double on[2], along = 0, of = 0;
    for (int k = 0; k < 2; k++) {
        on[k] = HALF_BOUNCE * (av->a[k][j] - av->a[k][i]);
        along += on[k] * e->gap[k];
        of += e->gap[k] * e->relative[k];
    }
    for (int k = 0; k < 2; k++) {
        double u = along * e->gap[k], d = along * e->relative[k] + of * on[k];
        av->a[k][i] += u, av->a[k][j] -= u;
        ax->a[k][i] += d, ax->a[k][j] -= d;
    }
}

static inline void unadvance(const event *e, const vectors *v, vectors *ax, vectors *av) {
    double lanes[LANES], at = 0;
    for (int i = 0; i < LANES; i++) lanes[i] = ax->a[0][i] * v->a[0][i] + ax->a[1][i] * v->a[1][i];
    for (int i = 0; i < LANES; i++) at += lanes[i];
    int i = e->ball, j = e->partner;
    if (j < 0) {
        ax->a[-1 - j][i] -= at / v->a[-1 - j][i];
    } else {
        at /= e->gap[0] * e->relative[0] + e->gap[1] * e->relative[1];
        for (int k = 0; k < 2; k++) ax->a[k][i] -= at * e->gap[k], ax->a[k][j] += at * e->gap[k];
    }
    advance(av, ax, e->t);
}

typedef void run(vectors *, vectors *, event *);

static inline double loss_after(run *go, const double *cue, vectors *v, event *tape, double *miss) {
    vectors x;
    start(&x, v, cue);
    go(&x, v, tape);
    for (int k = 0; k < 2; k++) miss[k] = x.a[k][TARGET] - GOAL[k];
    return miss[0] * miss[0] + miss[1] * miss[1];
}

static inline double gradient_after(run *go, const double *cue, double *slope, event *tape) {
    vectors v, ax, av;
    double miss[2], loss = loss_after(go, cue, &v, tape, miss);
    memset(&ax, 0, sizeof ax);
    memset(&av, 0, sizeof av);
    for (int k = 0; k < 2; k++) ax.a[k][TARGET] = 2 * miss[k];
    for (long n = EVENTS; n-- > 0;) {
        uncollide(&tape[n], &v, &ax, &av);
        unadvance(&tape[n], &v, &ax, &av);
    }
    for (int k = 0; k < 2; k++) slope[k] = ax.a[k][0], slope[2 + k] = av.a[k][0];
    return loss;
}

long tape_bytes(void) { return EVENTS * (long)sizeof(event); }

#define PROGRAM(way) \
    double way##_loss(const double *cue, event *tape) { \
        vectors v; \
        double miss[2]; \
        return loss_after(way##_run, cue, &v, tape, miss); \
    } \
    double way##_gradient(const double *cue, double *slope, event *tape) { \
        return gradient_after(way##_run, cue, slope, tape); \
    }
PROGRAM(plain)
PROGRAM(kept)
