// Rose, from npm, compiled to WebAssembly: `node rose.mjs ROBOT STEPS`; the job is at the top of robot.c.
//
// The network stays a loop, since 32 rows of 100 numbers are too much to unroll; masses and springs are unrolled
// to scalars by JavaScript. Steps are composed by calls, first a chunk of them and then the chunks. The muscles'
// outputs alone are computed. tanh and sin are JavaScript's.

import { range, run } from "../rose_worker.mjs";

const DT = 0.004;
const DECAY = Math.exp(-15 * DT);
const CHUNK = 31;
const [HIDDEN, CLOCKS] = [32, 10];
const BODIES = {
  1: "t20 t00 m01 s02 s12 m21 s22",
  2: "m20 m00 m01 s02 s12 m21 s22 s23 s24",
  3: "m20 m00 m01 s02 s12 m21 s22 s23 s24 s31 m40 m41",
};

const makeBody = (robot) => {
  const [nodes, springs] = [new Map(), new Map()];
  const node = (x, y) => {
    if (!nodes.has(`${x},${y}`)) nodes.set(`${x},${y}`, [nodes.size, x, y]);
    return nodes.get(`${x},${y}`)[0];
  };
  for (const [kind, column, row] of BODIES[robot].split(" ")) {
    const [i, j] = [Number(column), Number(row)];
    const square = [[i, j], [i, j + 1], [i + 1, j], [i + 1, j + 1]];
    const places = kind === "t" ? [[i + 0.5, j + 0.5], square[1], square[3]] : square;
    const corners = places.map(([x, y]) => node(x, y));
    const sides = kind === "t" ? [] : [corners.slice(0, 2), corners.slice(2)];
    const pairs = corners.flatMap((a) => corners.filter((b) => b !== a).map((b) => [a, b]));
    [...sides, ...pairs].forEach(([a, b], k) => {
      if (springs.has(`${a},${b}`) || springs.has(`${b},${a}`)) return;
      springs.set(`${a},${b}`, { a, b, muscle: kind === "m" && k < sides.length });
    });
  }
  const masses = [...nodes.values()].map(([_, x, y]) => [0.1 + 0.05 * x, 0.1 + 0.05 * y]);
  return { masses, springs: [...springs.values()] };
};

const firstWeights = (senses, springs) => ({
  w1: range(HIDDEN).map((i) => range(senses).map((j) => 0.33 * Math.sin(1 + 0.37 * i + 0.91 * j))),
  b1: range(HIDDEN).map(() => 0),
  w2: range(springs).map((s) => range(HIDDEN).map((h) => 0.62 * Math.sin(2 + 0.53 * s + 0.29 * h))),
  b2: range(springs).map(() => 0),
});

const makeLoss = (rose, { masses, springs }, steps) => {
  const { Dual, Real, Vec, add, and, div, fn, lt, mul, neg, opaque, select, sqrt, sub, sum, vec } = rose;
  const n = masses.length;
  const senses = CLOCKS + 4 * n + 2;
  const Weights = {
    w1: Vec(HIDDEN, Vec(senses, Real)),
    b1: Vec(HIDDEN, Real),
    w2: Vec(springs.length, Vec(HIDDEN, Real)),
    b2: Vec(springs.length, Real),
  };
  const State = Vec(4 * n + 1, Real); // x, y, vx, vy of each mass, and the time
  const cos = opaque([Real], Real, Math.cos);
  const sin = opaque([Real], Real, Math.sin);
  sin.jvp = fn([Dual], Dual, ({ re, du }) => ({ re: sin(re), du: mul(du, cos(re)) }));
  const tanh = opaque([Real], Real, Math.tanh);
  tanh.jvp = fn([Dual], Dual, ({ re, du }) => {
    const y = tanh(re);
    return { re: y, du: mul(du, sub(1, mul(y, y))) };
  });
  const total = (terms) => terms.reduce((a, b) => add(a, b));

  const layer = (rows, columns) =>
    fn(
      [Vec(rows, Vec(columns, Real)), Vec(rows, Real), Vec(columns, Real)],
      Vec(rows, Real),
      (w, b, input) =>
        vec(rows, Real, (i) => tanh(add(b[i], sum(columns, (j) => mul(w[i][j], input[j]))))),
    );
  const think = layer(HIDDEN, senses);
  const muscles = range(springs.length).filter((s) => springs[s].muscle);
  const tell = layer(muscles.length, HIDDEN);

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

  const repeat = (f, times) =>
    fn([State, Weights], State, (state, weights) => {
      for (let t = 0; t < times; ++t) state = f(state, weights);
      return state;
    });
  const chunks = repeat(repeat(step, CHUNK), Math.floor(steps / CHUNK));
  const rest = repeat(step, steps % CHUNK);
  const start = [...masses.flatMap(([x, y]) => [x, y, 0, 0]), 0];
  const loss = fn([Weights], Real, (w) => neg(rest(chunks(start, w), w)[0]));
  return { loss, Weights, senses };
};

const build = async (rose, robot, steps) => {
  const { Real, compile, fn, vjp } = rose;
  const body = makeBody(robot);
  const { loss, Weights, senses } = makeLoss(rose, body, steps);
  const both = fn([Weights], { loss: Real, slope: Weights }, (weights) => {
    const { ret, grad } = vjp(loss)(weights);
    return { loss: ret, slope: grad(1) };
  });
  const memory = new WebAssembly.Memory({ initial: 0 });
  const compiled = await compile(both, { memory });
  const at = firstWeights(senses, body.springs.length);
  const numbers = (array) => Array.from(array, (x) => (typeof x === "number" ? x : numbers(x))).flat();
  const gradient = () => {
    const { loss: value, slope } = compiled(at);
    const { w1, b1, w2, b2 } = slope;
    return { loss: value, gradient: [w1, b1, w2, b2].flatMap(numbers) };
  };
  return { at, gradient, memory, lossFn: loss };
};

const [robot, steps] = process.argv.slice(2).map(Number);
await run((rose) => build(rose, robot, steps));
