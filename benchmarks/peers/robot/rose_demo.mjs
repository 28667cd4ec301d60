// Rose as its authors write this robot in the demonstration they have published: rose-lang/experiments, mass-spring.
//
// Its structure, in our words: places and velocities are vectors of 2-vectors and a 2-vector's sum is a
// function; rows of the first layer look up their own sines; every spring gets an output; decay is computed for each
// mass; one function calls the step as often as there are steps and returns all places and signals beside the loss.

import { elementary, makeOutputs, race, vectors } from "../rose_walk.mjs";
import { range } from "../rose_worker.mjs";

const DT = 0.004;
const [HIDDEN, CLOCKS] = [32, 10];
const GROUND = 0.1;
const GOAL = [0.9, 0.2];

const makeLoss = (rose, { masses, springs, steps }, Weights) => {
  const { Real, Vec, add, and, div, fn, lt, mul, neg, select, sqrt, sub, vec } = rose;
  const { sin, tanh, exp } = elementary(rose);
  const { Vec2, plus, minus, times, dot } = vectors(rose);
  const norm = fn([Vec2], Real, (a) => sqrt(dot(a, a)));
  const n = masses.length;
  const Places = Vec(n, Vec2);
  const Hidden = Vec(HIDDEN, Real);
  const Signals = Vec(springs.length, Real);

  const middle = fn([Places], Vec2, (x) =>
    times(
      div(1, n),
      range(n).reduce((sum, i) => plus(sum, x[i]), [0, 0]),
    ),
  );

  const think = fn([Real, Places, Places, Vec2, Weights.w1, Weights.b1], Hidden, (t, x, v, center, w1, b1) =>
    vec(HIDDEN, Real, (i) => {
      let total = 0;
      const count = (input, j) => (total = add(total, mul(w1[i][j], input)));
      range(CLOCKS).forEach((j) => count(sin(add(mul(t, 10 * DT), (2 * Math.PI * j) / CLOCKS)), j));
      range(n).forEach((j) => {
        const offset = minus(x[j], center);
        [offset[0], offset[1], v[j][0], v[j][1]].forEach((value, k) =>
          count(mul(value, 0.05), CLOCKS + 4 * j + k),
        );
      });
      GOAL.forEach((goal, k) => count(sub(goal, center[k]), CLOCKS + 4 * n + k));
      return tanh(add(total, b1[i]));
    }),
  );

  const tell = makeOutputs(rose, tanh, springs.length, HIDDEN);

  const pull = fn([Places, Signals], Places, (x, signals) => {
    const change = range(n).map(() => [0, 0]);
    springs.forEach(({ a, b, muscle }, s) => {
      const gap = minus(x[a], x[b]);
      const length = add(norm(gap), 1e-4);
      const rest = Math.hypot(masses[a][0] - masses[b][0], masses[a][1] - masses[b][1]);
      const wanted = mul(rest, add(1, mul(signals[s], muscle ? 0.15 : 0)));
      const impulse = times(div(mul(DT * 3e4, sub(length, wanted)), length), gap);
      change[a] = minus(change[a], impulse);
      change[b] = plus(change[b], impulse);
    });
    return change;
  });

  const advance = fn([Places, Places, Places], { x: Places, v: Places }, (x, v, change) => {
    const [places, velocities] = [[], []];
    range(n).forEach((i) => {
      const speed = plus(plus(times(exp(-15 * DT), v[i]), [0, -4.8 * DT]), change[i]);
      const ahead = plus(x[i], times(DT, speed));
      const lands = and(lt(ahead[1], GROUND), lt(speed[1], -1e-4));
      const impact = select(lands, Real, div(neg(sub(x[i][1], GROUND)), speed[1]), 0);
      const after = select(lands, Vec2, [0, 0], speed);
      places.push(plus(plus(x[i], times(impact, speed)), times(sub(DT, impact), after)));
      velocities.push(after);
    });
    return { x: places, v: velocities };
  });

  const step = fn([Real, Places, Places, Weights], { x: Places, v: Places, signals: Signals }, (t, x, v, w) => {
    const hidden = think(t, x, v, middle(x), w.w1, w.b1);
    const signals = tell(w.w2, w.b2, hidden);
    const next = advance(x, v, pull(x, signals));
    return { x: next.x, v: next.v, signals };
  });

  const All = { places: Vec(steps, Places), signals: Vec(steps, Signals), loss: Real };
  const walk = fn([Places, Places, Weights], All, (x, v, weights) => {
    const [places, signals] = [[], []];
    for (let t = 0; t < steps; ++t) {
      const next = step(t, x, v, weights);
      [x, v] = [next.x, next.v];
      places.push(x);
      signals.push(next.signals);
    }
    return { places, signals, loss: neg(x[0][0]) };
  });

  const rest = masses.map(() => [0, 0]);
  return fn([Weights], Real, (weights) => walk(masses, rest, weights).loss);
};

await race(makeLoss);
