/* The log-likelihood of observations by a Kalman filter, and its gradient by the transition matrix and the process
   noise, by hand: reverse mode over a tape of each step's matrices.

   x = F x, P = F P F' + diag(q);  S = H P H' + R = L L';  u = L^-1 (y - H x), W = L^-1 H P;  x += W' u, P -= W' W;
   the sum of -u.u / 2 - log det L over the steps. Murray 2016 for the adjoint of the Cholesky factor. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#define N 12
typedef double M[N][N];
#define EACH(i) for (int i = 0; i < N; i++)

typedef struct {
    M P, FP, P1, HP, L, W;
    double x[N], x1[N], u[N];
} Step;

/* rows are written as three vectors of four, four of them at once in a product, and small loops unrolled */
typedef double V __attribute__((vector_size(32), aligned(8)));
#define EACHV(v) for (int v = 0; v < 3; v++)
#define UNROLLED _Pragma("GCC unroll 12")
static inline V at(const double *p) { return *(const V *)p; }
static inline void product(const M a, const M b, M c) { /* c = a b */
    for (int i = 0; i < N; i += 4) {
        V s[4][3] = {{{0}}};
        for (int k = 0; k < N; k++) for (int r = 0; r < 4; r++) EACHV(v) s[r][v] += a[i + r][k] * at(b[k] + 4 * v);
        for (int r = 0; r < 4; r++) EACHV(v) *(V *)(c[i + r] + 4 * v) = s[r][v];
    }
}

static void transposed(const M a, M c) { EACH(i) EACH(j) c[j][i] = a[i][j]; }

static inline void add_product(const M a, const M b, double by, M c) { /* c += by a b */
    for (int i = 0; i < N; i += 4) {
        V s[4][3];
        for (int r = 0; r < 4; r++) EACHV(v) s[r][v] = at(c[i + r] + 4 * v);
        for (int k = 0; k < N; k++) for (int r = 0; r < 4; r++) EACHV(v) s[r][v] += (by * a[i + r][k]) * at(b[k] + 4 * v);
        for (int r = 0; r < 4; r++) EACHV(v) *(V *)(c[i + r] + 4 * v) = s[r][v];
    }
}

static inline void lower_solve(const M l, M b) { /* b = l^-1 b */
    UNROLLED EACH(i) {
        V s[3];
        EACHV(v) s[v] = at(b[i] + 4 * v);
        UNROLLED for (int k = 0; k < i; k++) EACHV(v) s[v] -= l[i][k] * at(b[k] + 4 * v);
        double r = 1 / l[i][i];
        EACHV(v) *(V *)(b[i] + 4 * v) = s[v] * r;
    }
}

static inline void upper_solve(const M l, M b) { /* b = l'^-1 b, of a lower l */
    UNROLLED for (int i = N - 1; i >= 0; i--) {
        V s[3];
        EACHV(v) s[v] = at(b[i] + 4 * v);
        UNROLLED for (int k = i + 1; k < N; k++) EACHV(v) s[v] -= l[k][i] * at(b[k] + 4 * v);
        double r = 1 / l[i][i];
        EACHV(v) *(V *)(b[i] + 4 * v) = s[v] * r;
    }
}

static inline double forward(const M F, const M Ft, const M H, const M Ht, const M R, const double *q, const double *y,
                      Step *s, double *x, M P) {
    M S;
    double sum = 0;
    memcpy(s->x, x, sizeof s->x);
    memcpy(s->P, P, sizeof(M));
    EACH(i) {
        double t = 0;
        EACH(k) t += F[i][k] * s->x[k];
        s->x1[i] = t;
    }
    product(F, s->P, s->FP);
    product(s->FP, Ft, s->P1);
    EACH(i) s->P1[i][i] += q[i];
    product(H, s->P1, s->HP);
    product(s->HP, Ht, S);
    EACH(i) EACH(j) S[i][j] += R[i][j];
    memset(s->L, 0, sizeof(M));
    EACH(k) { /* rows of L' from what is below */
        double r = 1 / sqrt(S[k][k]);
        V row[3];
        EACHV(v) row[v] = at(S[k] + 4 * v) * r;
        for (int i = k + 1; i < N; i++) {
            double f = S[k][i] * r;
            EACHV(v) *(V *)(S[i] + 4 * v) = at(S[i] + 4 * v) - f * row[v];
        }
        for (int j = k; j < N; j++) s->L[j][k] = S[k][j] * r;
    }
    memcpy(s->W, s->HP, sizeof(M));
    lower_solve(s->L, s->W);
    EACH(i) {
        double t = y[i];
        EACH(k) t -= H[i][k] * s->x1[k];
        for (int k = 0; k < i; k++) t -= s->L[i][k] * s->u[k];
        s->u[i] = t / s->L[i][i];
        sum -= 0.5 * s->u[i] * s->u[i] + log(s->L[i][i]);
    }
    memcpy(x, s->x1, sizeof s->x1);
    memcpy(P, s->P1, sizeof(M));
    EACH(k) EACH(j) x[j] += s->W[k][j] * s->u[k];
    M T;
    transposed(s->W, T);
    add_product(T, s->W, -1, P);
    return sum;
}

static void backward(const M F, const M Ft, const M H, const M Ht, const Step *s, double *xb, M Pb, M Fb, double *qb) {
    M Lb, A, B, T, sum;
    double ub[N], vb[N];
    EACH(i) EACH(j) sum[i][j] = Pb[i][j] + Pb[j][i];
    EACH(i) {
        double t = -s->u[i];
        EACH(j) t += s->W[i][j] * xb[j];
        ub[i] = t;
    }
    product(s->W, sum, A); /* the cotangent of W */
    EACH(i) EACH(j) A[i][j] = s->u[i] * xb[j] - A[i][j];
    upper_solve(s->L, A); /* that of H P */
    memset(Lb, 0, sizeof Lb);
    transposed(s->W, T);
    add_product(A, T, -1, Lb);
    for (int i = N - 1; i >= 0; i--) {
        double t = ub[i];
        for (int k = i + 1; k < N; k++) t -= s->L[k][i] * vb[k];
        vb[i] = t / s->L[i][i];
    }
    EACH(i) EACH(j) Lb[i][j] -= vb[i] * s->u[j];
    EACH(i) Lb[i][i] -= 1 / s->L[i][i];
    transposed(s->L, T);
    EACH(i) for (int j = i + 1; j < N; j++) Lb[i][j] = 0;
    product(T, Lb, B);
    EACH(i) {
        for (int j = i + 1; j < N; j++) B[i][j] = 0;
        B[i][i] *= 0.5;
    }
    upper_solve(s->L, B); /* L'^-1 phi(L' Lb) L^-1, symmetrised, is that of S */
    transposed(B, T);
    upper_solve(s->L, T);
    EACH(i) EACH(j) B[i][j] = 0.5 * (T[i][j] + T[j][i]);
    add_product(B, H, 1, A);
    product(Ht, A, B);
    EACH(i) EACH(j) B[i][j] += Pb[i][j]; /* that of P before the update */
    EACH(j) {
        double t = xb[j];
        EACH(i) t -= H[i][j] * vb[i];
        ub[j] = t; /* that of x before the update */
    }
    EACH(i) qb[i] += B[i][i];
    transposed(B, T);
    add_product(T, s->FP, 1, Fb); /* of F', in F P F' */
    product(B, F, A);
    transposed(s->P, T);
    add_product(A, T, 1, Fb);
    product(Ft, A, Pb);
    EACH(i) EACH(j) Fb[i][j] += ub[i] * s->x[j];
    EACH(j) {
        double t = 0;
        EACH(i) t += F[i][j] * ub[i];
        xb[j] = t;
    }
}

double value(const M F, const double *q, const M H, const M R, const double *ys, int steps, Step *tape) {
    M P = {{0}}, Ft, Ht;
    double x[N] = {0}, sum = 0;
    EACH(i) P[i][i] = 1;
    transposed(F, Ft);
    transposed(H, Ht);
    for (int t = 0; t < steps; t++) sum += forward(F, Ft, H, Ht, R, q, ys + t * N, tape + t, x, P);
    return sum;
}

double gradient(const M F, const double *q, const M H, const M R, const double *ys, int steps, M Fb, double *qb) {
    Step *tape = malloc(steps * sizeof(Step));
    M Pb = {{0}}, Ft, Ht;
    double xb[N] = {0}, sum = value(F, q, H, R, ys, steps, tape);
    memset(Fb, 0, sizeof(M));
    memset(qb, 0, N * sizeof(double));
    transposed(F, Ft);
    transposed(H, Ht);
    for (int t = steps - 1; t >= 0; t--) backward(F, Ft, H, Ht, tape + t, xb, Pb, Fb, qb);
    free(tape);
    return sum;
}

int tape_size(void) { return 1000 * sizeof(Step) / sizeof(double); } /* for a thousand steps */
