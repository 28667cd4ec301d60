// TensorFlow.js, from npm, on its WebAssembly backend: `node tfjs.mjs LAYERS STEPS`, and then the requests described in
// worker.py.
//
// All ordered pairs are computed at once, and its tape sees all steps. It has no f64: its digits are those of f32.
// Its CPU backend, in JavaScript, takes longer.

import { createRequire } from "node:module";
import { dirname, sep } from "node:path";

import { range, runWith } from "../rose_worker.mjs";

const DT = 0.003, RADIUS = 0.03, DIAMETER = 0.06, EPSILON = 1e-6, SLOWEST = -1e-3;
const BOUNCE = -0.9; // -(1 + restitution) / 2
const GOAL = [0.9, 0.75], CUE = [0.1, 0.5, 0.3, 0];

const resting = (layers) => {
  const balls = [];
  for (let i = 0; i < layers; ++i)
    for (let j = 0; j <= i; ++j) balls.push([0.5 + DIAMETER * i, 0.5 + DIAMETER * j - 0.7 * RADIUS * i]);
  return balls;
};

const build = async (tf, layers, steps) => {
  const wasm = createRequire(import.meta.url)("@tensorflow/tfjs-backend-wasm");
  wasm.setWasmPaths(dirname(createRequire(import.meta.url).resolve("@tensorflow/tfjs-backend-wasm")) + sep);
  await tf.setBackend("wasm");
  const rack = resting(layers), n = rack.length + 1;
  const rest = [0, 1].map((k) => tf.tensor1d(rack.map((ball) => ball[k]))).concat(range(2).map(() => tf.zeros([n - 1])));
  const apart = (a) => tf.sub(a.reshape([n, 1]), a.reshape([1, n]));

  const step = ([x, y, u, v]) => {
    const ax = x.add(u.mul(DT)), ay = y.add(v.mul(DT));
    const dx = apart(ax), dy = apart(ay), du = apart(u), dv = apart(v);
    const squared = dx.square().add(dy.square());
    // by numbers: logical operations cannot be differentiated
    const hit = tf.step(tf.sub(DIAMETER * DIAMETER, squared)).mul(tf.step(dx.mul(du).add(dy.mul(dv)).neg()));
    const distance = squared.mul(hit).add(tf.sub(1, hit)).sqrt();
    const inverse = distance.add(EPSILON).reciprocal();
    const nx = dx.mul(inverse), ny = dy.mul(inverse), approach = nx.mul(du).add(ny.mul(dv));
    const impact = distance.sub(DIAMETER).div(approach.minimum(SLOWEST));
    const size = approach.mul(BOUNCE).mul(hit);
    const jx = size.mul(nx), jy = size.mul(ny), past = impact.sub(DT).minimum(0).add(DT);
    return [ax.add(past.mul(jx).sum(1)), ay.add(past.mul(jy).sum(1)), u.add(jx.sum(1)), v.add(jy.sum(1))];
  };
  const loss = (cue) => {
    let state = rest.map((column, k) => tf.concat([cue.slice(k, 1), column]));
    for (let t = 0; t < steps; t++) state = step(state);
    const miss = [0, 1].map((k) => state[k].slice(n - 1, 1).sub(GOAL[k]).square());
    return miss[0].add(miss[1]).asScalar();
  };
  const both = tf.valueAndGrad(loss), cue = tf.tensor1d(CUE);
  return {
    at: CUE,
    tape: 0,
    loss: () => tf.tidy(() => loss(cue).dataSync()[0]),
    gradient: () => tf.tidy(() => {
      const { value, grad } = both(cue);
      return { loss: value.dataSync()[0], gradient: [...grad.dataSync()] };
    }),
  };
};

const [layers, steps] = process.argv.slice(2).map(Number);
await runWith("@tensorflow/tfjs", (tf) => build(tf, layers, steps));
