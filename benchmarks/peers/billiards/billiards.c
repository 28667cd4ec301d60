/* The billiards gradient with the adjoint written by hand, twice.
 *
 * One step, for every ordered pair (i, j), all read from the old state:
 *
 *     D = (x_i + dt v_i) - (x_j + dt v_j)      d = |D|      m = D / (d + eps)
 *     p = m . (v_i - v_j)
 *     if d < 2r and p < 0:
 *         J   = -(1 + e)/2 p m                              impulse on i
 *         s   = min((d - 2r) / min(-1e-3, p) - dt, 0)       part of the step behind us
 *         v_i += J,   x_i += s J
 *     then x_i += dt (new v_i)
 *
 *     loss = |x_last(T) - goal|^2
 *
 * dense   textbook: ordered pairs, every state on the tape, each pair tested again in reverse.
 * branch  each pair once, a test of d^2, and a tape of the collisions alone.
 *
 * BALLS is a compile-time constant, as it is for every peer that traces or generates code.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct { double x, y; } vec;

static const double DT = 0.003, DIAMETER = 0.06, EPSILON = 1e-6, SLOWEST = -1e-3;
static const double HALF_BOUNCE = 0.9; /* (1 + restitution) / 2 */

static inline vec add(vec a, vec b) { return (vec){a.x + b.x, a.y + b.y}; }
static inline vec sub(vec a, vec b) { return (vec){a.x - b.x, a.y - b.y}; }
static inline vec mul(double k, vec a) { return (vec){k * a.x, k * a.y}; }
static inline double dot(vec a, vec b) { return a.x * b.x + a.y * b.y; }

static double loss_of(vec last, vec goal, vec *adjoint) {
    vec miss = sub(last, goal);
    if (adjoint) *adjoint = mul(2.0, miss);
    return dot(miss, miss);
}

/* ---- one pair ------------------------------------------------------------------------- */

typedef struct {
    vec gap, relative, normal;      /* D, v_i - v_j, m */
    double distance, approach;      /* d, p */
    double denominator, past;       /* min(-1e-3, p), s */
    vec impulse;                    /* J */
} contact;

static inline void meet(contact *c) {
    c->normal = mul(1.0 / (c->distance + EPSILON), c->gap);
    c->approach = dot(c->normal, c->relative);
}

static inline void bounce(contact *c) {
    c->denominator = fmin(SLOWEST, c->approach);
    c->past = fmin((c->distance - DIAMETER) / c->denominator - DT, 0.0);
    c->impulse = mul(-HALF_BOUNCE * c->approach, c->normal);
}

/* Adjoints of the impulse and of s, back to the gap D and the relative velocity. */
static inline void unbounce(
    const contact *c, vec impulse, double past, vec *gap, vec *relative
) {
    double approach = -HALF_BOUNCE * dot(impulse, c->normal), distance = 0.0;
    vec normal = mul(-HALF_BOUNCE * c->approach, impulse);
    if (c->past < 0.0) {
        distance = past / c->denominator;
        if (c->approach < SLOWEST) approach -= (c->past + DT) * distance;
    }
    normal = add(normal, mul(approach, c->relative));
    double inverse = 1.0 / (c->distance + EPSILON);
    distance -= dot(normal, c->normal) * inverse;
    *gap = add(mul(inverse, normal), mul(distance / c->distance, c->gap));
    *relative = mul(approach, c->normal);
}

/* ---- dense ---------------------------------------------------------------------------- */

typedef struct { vec x[BALLS], v[BALLS]; } state;

long dense_bytes(long steps) { return (steps + 1) * (long)sizeof(state); }

static inline int touches(const state *s, int i, int j, contact *c) {
    c->relative = sub(s->v[i], s->v[j]);
    c->gap = add(sub(s->x[i], s->x[j]), mul(DT, c->relative));
    c->distance = sqrt(dot(c->gap, c->gap));
    meet(c);
    return c->distance < DIAMETER && c->approach < 0.0;
}

static void dense_step(const state *old, state *new) {
    for (int i = 0; i < BALLS; i++) {
        vec x = old->x[i], v = old->v[i];
        for (int j = 0; j < BALLS; j++) {
            contact c;
            if (i == j || !touches(old, i, j, &c)) continue;
            bounce(&c);
            v = add(v, c.impulse);
            x = add(x, mul(c.past, c.impulse));
        }
        new->v[i] = v;
        new->x[i] = add(x, mul(DT, v));
    }
}

static void dense_unstep(const state *old, state *adjoint) {
    state out = *adjoint;
    for (int i = 0; i < BALLS; i++) adjoint->v[i] = out.v[i] = add(out.v[i], mul(DT, out.x[i]));
    for (int i = 0; i < BALLS; i++)
        for (int j = 0; j < BALLS; j++) {
            contact c;
            if (i == j || !touches(old, i, j, &c)) continue;
            bounce(&c);
            vec impulse = add(out.v[i], mul(c.past, out.x[i])), gap, relative;
            unbounce(&c, impulse, dot(c.impulse, out.x[i]), &gap, &relative);
            relative = add(relative, mul(DT, gap));
            adjoint->x[i] = add(adjoint->x[i], gap);
            adjoint->x[j] = sub(adjoint->x[j], gap);
            adjoint->v[i] = add(adjoint->v[i], relative);
            adjoint->v[j] = sub(adjoint->v[j], relative);
        }
}

double dense_loss(long steps, const vec *goal, const state *start) {
    state now = *start, next;
    for (long t = 0; t < steps; t++) {
        dense_step(&now, &next);
        now = next;
    }
    return loss_of(now.x[BALLS - 1], *goal, NULL);
}

double dense_gradient(
    long steps, const vec *goal, const state *start, state *adjoint, state *tape
) {
    tape[0] = *start;
    for (long t = 0; t < steps; t++) dense_step(&tape[t], &tape[t + 1]);
    memset(adjoint, 0, sizeof *adjoint);
    double loss = loss_of(tape[steps].x[BALLS - 1], *goal, &adjoint->x[BALLS - 1]);
    for (long t = steps; t-- > 0;) dense_unstep(&tape[t], adjoint);
    return loss;
}

/* ---- branch --------------------------------------------------------------------------- */

typedef struct { long step; int i, j; contact contact; vec gap, relative; } hit;
typedef struct { hit *hits; long count, capacity; } hit_tape;

static hit *push(hit_tape *tape) {
    if (tape->count == tape->capacity) {
        tape->capacity = tape->capacity ? 2 * tape->capacity : 8;
        tape->hits = realloc(tape->hits, tape->capacity * sizeof(hit));
        if (!tape->hits) abort();
    }
    return &tape->hits[tape->count++];
}

long branch_bytes(const hit_tape *tape) { return tape->count * (long)sizeof(hit); }

/* Contributions are added only after the step's last pair: all pairs read the old state.
   The alignment is worth a fifth, depending on where the stack would else happen to be. */
static double branch_run(
    long steps, const vec *goal, const state *start, vec *miss, hit_tape *tape
) {
    _Alignas(64) state now = *start;
    tape->count = 0;
    for (long t = 0; t < steps; t++) {
        _Alignas(64) vec ahead[BALLS];
        for (int i = 0; i < BALLS; i++) ahead[i] = add(now.x[i], mul(DT, now.v[i]));
        long first = tape->count;
        for (int i = 0; i < BALLS; i++)
            for (int j = i + 1; j < BALLS; j++) {
                contact c;
                c.gap = sub(ahead[i], ahead[j]);
                double squared = dot(c.gap, c.gap);
                if (__builtin_expect(squared >= DIAMETER * DIAMETER, 1)) continue;
                c.relative = sub(now.v[i], now.v[j]);
                if (dot(c.gap, c.relative) >= 0.0) continue;
                c.distance = sqrt(squared);
                meet(&c);
                bounce(&c);
                *push(tape) = (hit){.step = t, .i = i, .j = j, .contact = c};
            }
        memcpy(now.x, ahead, sizeof ahead);
        for (long h = first; h < tape->count; h++) {
            const hit *k = &tape->hits[h];
            vec jump = mul(k->contact.past + DT, k->contact.impulse);
            now.v[k->i] = add(now.v[k->i], k->contact.impulse);
            now.v[k->j] = sub(now.v[k->j], k->contact.impulse);
            now.x[k->i] = add(now.x[k->i], jump);
            now.x[k->j] = sub(now.x[k->j], jump);
        }
    }
    return loss_of(now.x[BALLS - 1], *goal, miss);
}

/* Between collisions the adjoint moves as the state does, in a straight line. */
static void coast(state *adjoint, long steps) {
    for (int i = 0; i < BALLS; i++)
        adjoint->v[i] = add(adjoint->v[i], mul((double)steps * DT, adjoint->x[i]));
}

static void branch_unstep(hit *first, hit *end, state *adjoint) {
    for (hit *k = first; k < end; k++) {
        vec x = sub(adjoint->x[k->i], adjoint->x[k->j]);
        vec v = sub(adjoint->v[k->i], adjoint->v[k->j]);
        vec impulse = add(v, mul(k->contact.past, x));
        unbounce(&k->contact, impulse, dot(k->contact.impulse, x), &k->gap, &k->relative);
        k->relative = add(k->relative, mul(DT, k->gap));
    }
    for (hit *k = first; k < end; k++) {
        adjoint->x[k->i] = add(adjoint->x[k->i], k->gap);
        adjoint->x[k->j] = sub(adjoint->x[k->j], k->gap);
        adjoint->v[k->i] = add(adjoint->v[k->i], k->relative);
        adjoint->v[k->j] = sub(adjoint->v[k->j], k->relative);
    }
}

double branch_loss(long steps, const vec *goal, const state *start, hit_tape *tape) {
    return branch_run(steps, goal, start, NULL, tape);
}

double branch_gradient(
    long steps, const vec *goal, const state *start, state *adjoint, hit_tape *tape
) {
    memset(adjoint, 0, sizeof *adjoint);
    double loss = branch_run(steps, goal, start, &adjoint->x[BALLS - 1], tape);
    long now = steps, end = tape->count;
    while (end > 0) {
        long step = tape->hits[end - 1].step, first = end - 1;
        while (first > 0 && tape->hits[first - 1].step == step) first--;
        coast(adjoint, now - step);
        branch_unstep(&tape->hits[first], &tape->hits[end], adjoint);
        now = step;
        end = first;
    }
    coast(adjoint, now);
    return loss;
}
