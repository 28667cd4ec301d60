/* The forward programs of gradient_cost.py. */
#include <math.h>
#include <string.h>
enum { S = 100, C = 32, H = 64, N = 256, P = 10000, G = 64 };

double mlp(const double *w1, const double *b1, const double *w2, const double *b2, const double *x) {
  double c[C], h[H], total = 0;
  memcpy(c, x, sizeof c);
  for (int s = 0; s < S; s++) {
    memcpy(h, b1, sizeof h);
    for (int i = 0; i < C; i++) for (int j = 0; j < H; j++) h[j] += c[i] * w1[i * H + j];
    for (int j = 0; j < H; j++) h[j] = tanh(h[j]);
    memcpy(c, b2, sizeof c);
    for (int i = 0; i < H; i++) for (int j = 0; j < C; j++) c[j] += h[i] * w2[i * C + j];
    for (int j = 0; j < C; j++) c[j] = tanh(c[j]);
  }
  for (int j = 0; j < C; j++) total += c[j] * c[j];
  return total;
}

static double buffers[2][N * N];

static double diffuse(const double *u, int steps) {
  for (int s = 0; s < steps; s++) {
    double *w = buffers[s % 2];
    for (int i = 0; i < N; i++) {
      const double *row = u + i * N;
      const double *above = u + (i ? i - 1 : N - 1) * N, *below = u + (i < N - 1 ? i + 1 : 0) * N;
#define ENTRY(l, j, r) do { double c = row[j]; \
        w[i * N + j] = c + 0.1 * (above[j] + below[j] + row[l] + row[r] - 4 * c) + 0.05 * (c - c * c * c); } while (0)
      ENTRY(N - 1, 0, 1);
      for (int j = 1; j < N - 1; j++) ENTRY(j - 1, j, j + 1);
      ENTRY(N - 2, N - 1, 0);
    }
    u = w;
  }
  double total = 0;
  for (int k = 0; k < N * N; k++) total += u[k] * u[k];
  return total;
}

double stencil(const double *u) { return diffuse(u, 1); }
double stencil10(const double *u) { return diffuse(u, 10); }

static double grid[G][G];

static void weights(double x, double y, int *i, int *j, double *s, double *t) {
  x *= G - 1, y *= G - 1;
  *i = (int)floor(x), *j = (int)floor(y);
  *i = *i < 0 ? 0 : *i > G - 2 ? G - 2 : *i, *j = *j < 0 ? 0 : *j > G - 2 ? G - 2 : *j;
  *s = x - *i, *t = y - *j;
}

double particles(const double *x, const double *y) {
  int i, j;
  double s, t, total = 0;
  memset(grid, 0, sizeof grid);
  for (int p = 0; p < P; p++) {
    weights(x[p], y[p], &i, &j, &s, &t);
    grid[i][j] += (1 - s) * (1 - t), grid[i + 1][j] += s * (1 - t);
    grid[i][j + 1] += (1 - s) * t, grid[i + 1][j + 1] += s * t;
  }
  for (int p = 0; p < P; p++) {
    weights(x[p], y[p], &i, &j, &s, &t);
    double v = (1 - t) * ((1 - s) * grid[i][j] + s * grid[i + 1][j])
             + t * ((1 - s) * grid[i][j + 1] + s * grid[i + 1][j + 1]);
    total += v * v;
  }
  return total;
}
