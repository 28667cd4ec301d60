// What the Rose peers of walking robots share: elementary functions, a layer of a network, and the call for a loss
// and its gradient in the network's weights.

import { range, run } from "./rose_worker.mjs";

/** Functions that Rose leaves to JavaScript. */
export const elementary = ({ Dual, Real, fn, mul, neg, opaque, sub }) => {
  const [sin, cos, tanh, exp] = ["sin", "cos", "tanh", "exp"].map((name) => opaque([Real], Real, Math[name]));
  const rule = (f, slope) => {
    f.jvp = fn([Dual], Dual, ({ re, du }) => {
      const y = f(re);
      return { re: y, du: mul(du, slope(re, y)) };
    });
  };
  rule(sin, (x) => cos(x));
  rule(cos, (x) => neg(sin(x)));
  rule(tanh, (_, y) => sub(1, mul(y, y)));
  rule(exp, (_, y) => y);
  return { sin, cos, tanh, exp };
};

/** tanh(W x + b) as a function with loops, since rows of a hundred numbers are too much to unroll. */
export const makeLayer = ({ Real, Vec, add, fn, mul, sum, vec }, tanh, rows, columns) =>
  fn(
    [Vec(rows, Vec(columns, Real)), Vec(rows, Real), Vec(columns, Real)],
    Vec(rows, Real),
    (w, b, input) => vec(rows, Real, (i) => tanh(add(b[i], sum(columns, (j) => mul(w[i][j], input[j]))))),
  );

/** 2-vectors as Rose's demonstrations have them: functions, with a loop over the two numbers. */
export const vectors = ({ Real, Vec, add, fn, mul, sub, vec }) => {
  const Vec2 = Vec(2, Real);
  const plus = fn([Vec2, Vec2], Vec2, (a, b) => vec(2, Real, (i) => add(a[i], b[i])));
  const minus = fn([Vec2, Vec2], Vec2, (a, b) => vec(2, Real, (i) => sub(a[i], b[i])));
  const times = fn([Real, Vec2], Vec2, (k, a) => vec(2, Real, (i) => mul(k, a[i])));
  const dot = fn([Vec2, Vec2], Real, (a, b) => add(mul(a[0], b[0]), mul(a[1], b[1])));
  return { Vec2, plus, minus, times, dot };
};

/** The outputs of the network as the demonstration has them: unrolled. */
export const makeOutputs = ({ Real, Vec, add, fn, mul }, tanh, rows, columns) =>
  fn(
    [Vec(rows, Vec(columns, Real)), Vec(rows, Real), Vec(columns, Real)],
    Vec(rows, Real),
    (w, b, input) =>
      range(rows).map((i) =>
        tanh(
          add(
            range(columns).reduce((total, j) => add(total, mul(w[i][j], input[j])), 0),
            b[i],
          ),
        ),
      ),
  );

/** `step(state, weights)` that often. */
export const repeat = ({ fn }, State, Weights, step, times) =>
  fn([State, Weights], State, (state, weights) => {
    for (let t = 0; t < times; ++t) state = step(state, weights);
    return state;
  });

const typesOf = ({ Real, Vec }, { w1, b1, w2, b2 }) => {
  const matrix = (rows) => Vec(rows.length, Vec(rows[0].length, Real));
  return { w1: matrix(w1), b1: Vec(b1.length, Real), w2: matrix(w2), b2: Vec(b2.length, Real) };
};

const build = async (rose, makeLoss, given) => {
  const { Real, compile, fn, vjp } = rose;
  const at = given.weights;
  const Weights = typesOf(rose, at);
  const lossFn = makeLoss(rose, given, Weights);
  const both = fn([Weights], { loss: Real, slope: Weights }, (weights) => {
    const { ret, grad } = vjp(lossFn)(weights);
    return { loss: ret, slope: grad(1) };
  });
  const memory = new WebAssembly.Memory({ initial: 0 });
  const compiled = await compile(both, { memory });
  const numbers = (array) => Array.from(array, (x) => (typeof x === "number" ? x : numbers(x))).flat();
  const gradient = () => {
    const { loss, slope } = compiled(at);
    const { w1, b1, w2, b2 } = slope;
    return { loss, gradient: [w1, b1, w2, b2].flatMap(numbers) };
  };
  return { at, gradient, memory, lossFn };
};

/** Answers for the loss that `makeLoss(rose, given, Weights)` makes as a Rose function of the weights; `given` is
 * what the job tells of itself (job.py). */
export const race = (makeLoss) => run((rose, given) => build(rose, makeLoss, given));
