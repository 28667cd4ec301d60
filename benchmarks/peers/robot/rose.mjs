// Rose, from npm, compiled to WebAssembly; the job is at the top of robot.c.
//
// The network stays a loop, since 32 rows of 100 numbers are too much to unroll; masses and springs are unrolled
// to scalars by JavaScript. Steps are composed by calls, first a chunk of them and then the chunks. The muscles'
// outputs alone are computed. tanh and sin are JavaScript's.

import { elementary, makeLayer, race, repeat } from "../rose_walk.mjs";
import { range } from "../rose_worker.mjs";

const DT = 0.004;
const DECAY = Math.exp(-15 * DT);
const CHUNK = 31;
const [HIDDEN, CLOCKS] = [32, 10];

const makeLoss = (rose, { masses, springs, steps }, Weights) => {
  const { Real, Vec, add, and, div, fn, lt, mul, neg, select, sqrt, sub } = rose;
  const n = masses.length;
  const State = Vec(4 * n + 1, Real); // x, y, vx, vy of each mass, and the time
  const { sin, tanh } = elementary(rose);
  const total = (terms) => terms.reduce((a, b) => add(a, b));

  const think = makeLayer(rose, tanh, HIDDEN, CLOCKS + 4 * n + 2);
  const muscles = range(springs.length).filter((s) => springs[s].muscle);
  const tell = makeLayer(rose, tanh, muscles.length, HIDDEN);

  const step = fn([State, Weights], State, (state, { w1, b1, w2, b2 }) => {
    const [x, y, vx, vy] = range(4).map((k) => range(n).map((i) => state[4 * i + k]));
    const [cx, cy] = [mul(1 / n, total(x)), mul(1 / n, total(y))];
    const time = state[4 * n];
    const seen = [
      ...range(CLOCKS).map((j) => sin(add(mul(10, time), (2 * Math.PI * j) / CLOCKS))),
      ...range(n).flatMap((i) =>
        [sub(x[i], cx), sub(y[i], cy), vx[i], vy[i]].map((value) => mul(0.05, value)),
      ),
      sub(0.9, cx),
      sub(0.2, cy),
    ];
    const hidden = think(w1, b1, seen);
    const signals = tell(
      muscles.map((s) => w2[s]),
      muscles.map((s) => b2[s]),
      hidden,
    );
    const wx = range(n).map((i) => mul(DECAY, vx[i]));
    const wy = range(n).map((i) => sub(mul(DECAY, vy[i]), 4.8 * DT));
    springs.forEach(({ a, b, muscle }, s) => {
      const [dx, dy] = [sub(x[a], x[b]), sub(y[a], y[b])];
      const length = add(sqrt(add(mul(dx, dx), mul(dy, dy))), 1e-4);
      const rest = Math.hypot(masses[a][0] - masses[b][0], masses[a][1] - masses[b][1]);
      const driven = muscle ? mul(rest, add(1, mul(0.15, signals[muscles.indexOf(s)]))) : rest;
      const pull = mul(DT * 3e4, sub(1, div(driven, length)));
      const [ix, iy] = [mul(pull, dx), mul(pull, dy)];
      [wx[a], wy[a]] = [sub(wx[a], ix), sub(wy[a], iy)];
      [wx[b], wy[b]] = [add(wx[b], ix), add(wy[b], iy)];
    });
    const after = range(n).flatMap((i) => {
      const lands = and(lt(add(y[i], mul(DT, wy[i])), 0.1), lt(wy[i], -1e-4));
      const impact = div(sub(0.1, y[i]), select(lands, Real, wy[i], -1));
      const moving = select(lands, Real, impact, DT);
      return [
        add(x[i], mul(moving, wx[i])),
        add(y[i], mul(moving, wy[i])),
        select(lands, Real, 0, wx[i]),
        select(lands, Real, 0, wy[i]),
      ];
    });
    return [...after, add(time, DT)];
  });

  const again = (f, times) => repeat(rose, State, Weights, f, times);
  const chunks = again(again(step, CHUNK), Math.floor(steps / CHUNK));
  const rest = again(step, steps % CHUNK);
  const start = [...masses.flatMap(([x, y]) => [x, y, 0, 0]), 0];
  return fn([Weights], Real, (w) => neg(rest(chunks(start, w), w)[0]));
};

await race(makeLoss);
