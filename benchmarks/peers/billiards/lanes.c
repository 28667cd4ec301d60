/* The gradients of many strokes of billiards, four at a time, one in each lane of a 256-bit register.
 *
 * The equations are those of billiards.c. Each pair is tested once for four strokes together; where any of the
 * four collides, the collision is worked out for all four and masked, and goes on a tape of collisions. The
 * reverse pass walks that tape; between its collisions the adjoint moves in a straight line.
 *
 * BALLS is a compile-time constant.
 */
#include <immintrin.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef double lanes __attribute__((vector_size(32)));
typedef long mask __attribute__((vector_size(32)));
typedef struct { lanes x, y; } vec;
typedef struct { vec x[BALLS], v[BALLS]; } state;

static const double DT = 0.003, DIAMETER = 0.06, EPSILON = 1e-6, SLOWEST = -1e-3;
static const double HALF_BOUNCE = 0.9; /* (1 + restitution) / 2 */

static inline lanes all(double k) { return (lanes){k, k, k, k}; }
static inline vec add(vec a, vec b) { return (vec){a.x + b.x, a.y + b.y}; }
static inline vec sub(vec a, vec b) { return (vec){a.x - b.x, a.y - b.y}; }
static inline vec mul(lanes k, vec a) { return (vec){k * a.x, k * a.y}; }
static inline lanes dot(vec a, vec b) { return a.x * b.x + a.y * b.y; }
static inline lanes keep(mask m, lanes a) { return (lanes)(m & (mask)a); }
static inline vec keep2(mask m, vec a) { return (vec){keep(m, a.x), keep(m, a.y)}; }
static inline int any(mask m) { return _mm256_movemask_pd((__m256d)m); }
static inline lanes least(lanes a, lanes b) { return (lanes)_mm256_min_pd((__m256d)a, (__m256d)b); }
static inline lanes root(lanes a) { return (lanes)_mm256_sqrt_pd((__m256d)a); }

typedef struct {
    long step;
    int i, j;
    mask on;
    vec gap, relative, normal, impulse;
    lanes distance, approach, denominator, past;
    vec to_gap, to_relative; /* adjoints */
} hit;
typedef struct { hit *hits; long count, capacity; } tape;

static hit *push(tape *t) {
    if (t->count == t->capacity) {
        t->capacity = t->capacity ? 2 * t->capacity : 16;
        hit *more = aligned_alloc(32, t->capacity * sizeof(hit));
        if (!more) abort();
        if (t->count) memcpy(more, t->hits, t->count * sizeof(hit));
        free(t->hits);
        t->hits = more;
    }
    return &t->hits[t->count++];
}

static void collide(tape *t, long step, int i, int j, mask on, vec gap, vec relative, lanes squared) {
    hit *k = push(t);
    k->step = step, k->i = i, k->j = j, k->on = on, k->gap = gap, k->relative = relative;
    k->distance = root(squared);
    k->normal = mul(1.0 / (k->distance + EPSILON), gap);
    k->approach = dot(k->normal, relative);
    k->denominator = least(all(SLOWEST), k->approach);
    k->past = keep(on, least((k->distance - DIAMETER) / k->denominator - DT, all(0.0)));
    k->impulse = keep2(on, mul(-HALF_BOUNCE * k->approach, k->normal));
}

static void run(long steps, state *now, tape *t) {
    t->count = 0;
    for (long step = 0; step < steps; step++) {
        vec ahead[BALLS];
        for (int i = 0; i < BALLS; i++) ahead[i] = add(now->x[i], mul(all(DT), now->v[i]));
        long first = t->count;
        for (int i = 0; i < BALLS; i++)
            for (int j = i + 1; j < BALLS; j++) {
                vec gap = sub(ahead[i], ahead[j]);
                lanes squared = dot(gap, gap);
                mask on = squared < DIAMETER * DIAMETER;
                if (__builtin_expect(!any(on), 1)) continue;
                vec relative = sub(now->v[i], now->v[j]);
                on &= dot(gap, relative) < 0.0;
                if (any(on)) collide(t, step, i, j, on, gap, relative, squared);
            }
        memcpy(now->x, ahead, sizeof ahead);
        for (const hit *k = t->hits + first; k < t->hits + t->count; k++) {
            vec jump = mul(k->past + DT, k->impulse);
            now->v[k->i] = add(now->v[k->i], k->impulse);
            now->v[k->j] = sub(now->v[k->j], k->impulse);
            now->x[k->i] = add(now->x[k->i], jump);
            now->x[k->j] = sub(now->x[k->j], jump);
        }
    }
}

static void uncollide(hit *k, const state *adjoint) {
    vec x = sub(adjoint->x[k->i], adjoint->x[k->j]), v = sub(adjoint->v[k->i], adjoint->v[k->j]);
    vec impulse = add(v, mul(k->past, x));
    lanes approach = -HALF_BOUNCE * dot(impulse, k->normal);
    vec normal = mul(-HALF_BOUNCE * k->approach, impulse);
    lanes distance = keep(k->past < 0.0, dot(k->impulse, x) / k->denominator);
    approach -= keep(k->approach < SLOWEST, (k->past + DT) * distance);
    normal = add(normal, mul(approach, k->relative));
    lanes inverse = 1.0 / (k->distance + EPSILON);
    distance -= dot(normal, k->normal) * inverse;
    k->to_gap = keep2(k->on, add(mul(inverse, normal), mul(distance / k->distance, k->gap)));
    k->to_relative = keep2(k->on, add(mul(approach, k->normal), mul(all(DT), k->to_gap)));
}

static void coast(state *adjoint, long steps) {
    for (int i = 0; i < BALLS; i++)
        adjoint->v[i] = add(adjoint->v[i], mul(all(steps * DT), adjoint->x[i]));
}

static void back(long steps, state *adjoint, tape *t) {
    long now = steps;
    for (long end = t->count; end > 0;) {
        long first = end - 1, step = t->hits[first].step;
        while (first > 0 && t->hits[first - 1].step == step) first--;
        coast(adjoint, now - step);
        for (long h = first; h < end; h++) uncollide(&t->hits[h], adjoint);
        for (hit *k = &t->hits[first]; k < &t->hits[end]; k++) {
            adjoint->x[k->i] = add(adjoint->x[k->i], k->to_gap);
            adjoint->x[k->j] = sub(adjoint->x[k->j], k->to_gap);
            adjoint->v[k->i] = add(adjoint->v[k->i], k->to_relative);
            adjoint->v[k->j] = sub(adjoint->v[k->j], k->to_relative);
        }
        now = step;
        end = first;
    }
    coast(adjoint, now);
}

/* cues: count x (position, velocity) of ball 0; rest: the table, with 4 lanes of each number; count is a multiple
   of 4. Leaves the losses, and the gradients by the cues. */
void lanes_gradient(
    long steps, const double *goal, const double *rest, long count, const double (*cues)[4],
    double *losses, double (*gradients)[4], tape *t
) {
    for (long first = 0; first < count; first += 4) {
        _Alignas(64) state now, adjoint;
        memset(&adjoint, 0, sizeof adjoint);
        for (int i = 0; i < BALLS; i++) {
            now.x[i] = (vec){all(rest[2 * i]), all(rest[2 * i + 1])};
            now.v[i] = (vec){all(0.0), all(0.0)};
        }
        lanes *cue[4] = {&now.x[0].x, &now.x[0].y, &now.v[0].x, &now.v[0].y};
        lanes *to[4] = {&adjoint.x[0].x, &adjoint.x[0].y, &adjoint.v[0].x, &adjoint.v[0].y};
        for (int c = 0; c < 4; c++)
            for (int k = 0; k < 4; k++) (*cue[c])[k] = cues[first + k][c];
        run(steps, &now, t);
        vec miss = sub(now.x[BALLS - 1], (vec){all(goal[0]), all(goal[1])});
        lanes loss = dot(miss, miss);
        adjoint.x[BALLS - 1] = mul(all(2.0), miss);
        back(steps, &adjoint, t);
        for (int k = 0; k < 4; k++) {
            losses[first + k] = loss[k];
            for (int c = 0; c < 4; c++) gradients[first + k][c] = (*to[c])[k];
        }
    }
}
