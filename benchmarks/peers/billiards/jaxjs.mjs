// jax-js, from npm, on its WebAssembly backend: `node jaxjs.mjs LAYERS STEPS`, and then the requests described in
// worker.py.
//
// It has no loop that can be differentiated, and 1,024 steps are more than its `jit` compiles in a minute; so 16 of
// them are compiled, and their `vjp`, and a loop in JavaScript keeps the states and runs the second backwards. One
// step at a time takes three times as long. All ordered pairs are computed at once, f64.

import { range, runWith } from "../rose_worker.mjs";

const DT = 0.003, RADIUS = 0.03, DIAMETER = 0.06, EPSILON = 1e-6, SLOWEST = -1e-3;
const BOUNCE = -0.9; // -(1 + restitution) / 2
const CHUNK = 16; // steps that are compiled as one
const GOAL = [0.9, 0.75], CUE = [0.1, 0.5, 0.3, 0];

globalThis.Float16Array ??= class Float16Array {}; // which it asks about, and Node before 24 has not

const resting = (layers) => {
  const balls = [];
  for (let i = 0; i < layers; ++i)
    for (let j = 0; j <= i; ++j) balls.push([0.5 + DIAMETER * i, 0.5 + DIAMETER * j - 0.7 * RADIUS * i]);
  return balls;
};

const build = async ({ init, defaultDevice, jit, vjp, numpy: np }, layers, steps) => {
  await init("wasm");
  defaultDevice("wasm");
  const rack = resting(layers), n = rack.length + 1, dtype = np.float64;
  const array = (numbers) => np.array(numbers, { dtype });
  const apart = (a) => np.subtract(a.ref.reshape([n, 1]), a.reshape([1, n]));
  const sum = (a) => np.sum(a, 1);

  const step = (x, y, u, v) => {
    const ax = np.add(x, u.ref.mul(DT)), ay = np.add(y, v.ref.mul(DT));
    const dx = apart(ax.ref), dy = apart(ay.ref), du = apart(u.ref), dv = apart(v.ref);
    const squared = np.add(np.square(dx.ref), np.square(dy.ref));
    const meets = np.add(dx.ref.mul(du.ref), dy.ref.mul(dv.ref));
    const near = np.less(squared.ref, DIAMETER * DIAMETER), hit = np.where(near, np.less(meets, 0), false);
    const distance = np.sqrt(np.where(hit.ref, squared, 1));
    const inverse = np.reciprocal(distance.ref.add(EPSILON));
    const nx = dx.mul(inverse.ref), ny = dy.mul(inverse);
    const approach = np.add(nx.ref.mul(du), ny.ref.mul(dv));
    const impact = distance.sub(DIAMETER).div(np.minimum(approach.ref, SLOWEST));
    const size = np.where(hit, approach.mul(BOUNCE), 0);
    const jx = size.ref.mul(nx), jy = size.mul(ny), past = np.minimum(impact.sub(DT), 0).add(DT);
    return [ax.add(sum(past.ref.mul(jx.ref))), ay.add(sum(past.mul(jy.ref))), u.add(sum(jx)), v.add(sum(jy))];
  };
  const chunk = steps % CHUNK ? 1 : CHUNK, chunks = steps / chunk;
  const several = (...state) => range(chunk).reduce((now) => step(...now), state);
  const forward = jit(several);
  const backward = jit((x, y, u, v, ...adjoints) => {
    const [out, pull] = vjp(several, [x, y, u, v]);
    out.forEach((leaf) => leaf.dispose());
    return pull(adjoints);
  });

  const start = () => [0, 1].map((k) => array([CUE[k], ...rack.map((ball) => ball[k])]))
    .concat([2, 3].map((k) => array([CUE[k], ...rack.map(() => 0)])));
  const run = (keep) => {
    const states = [];
    let state = start();
    for (let t = 0; t < chunks; t++) {
      if (keep) states.push(state.map((leaf) => leaf.ref));
      state = forward(...state);
    }
    const [x, y] = state.slice(0, 2).map((leaf) => leaf.ref.dataSync());
    state.forEach((leaf) => leaf.dispose());
    return { miss: [x[n - 1] - GOAL[0], y[n - 1] - GOAL[1]], states };
  };
  const square = ([a, b]) => a * a + b * b;
  return {
    at: CUE,
    tape: chunks * 4 * n * 8,
    loss: () => square(run(false).miss),
    gradient: () => {
      const { miss, states } = run(true);
      const last = (z) => array(range(n).map((k) => (k === n - 1 ? z : 0)));
      let adjoint = [last(2 * miss[0]), last(2 * miss[1]), last(0), last(0)];
      for (let t = chunks; t-- > 0;) adjoint = backward(...states[t], ...adjoint);
      return { loss: square(miss), gradient: adjoint.map((leaf) => leaf.dataSync()[0]) };
    },
  };
};

const [layers, steps] = process.argv.slice(2).map(Number);
await runWith("@jax-js/jax", (jax) => build(jax, layers, steps));
