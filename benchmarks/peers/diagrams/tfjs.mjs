// The energies of a diagram of circles by TensorFlow.js, vectorised: reads places and relations from a file, goes
// through the same rounds by the same L-BFGS as rosephys/diagrams/minimise.py, and prints a line of JSON.
import { readFileSync } from "node:fs";
import { performance } from "node:perf_hooks";
import { needed } from "./packages.mjs";

const tf = needed("@tensorflow/tfjs");
await tf.setBackend("cpu");
const job = JSON.parse(readFileSync(process.argv[2], "utf8"));
const KEPT = 8, SHORTENED = 20, FIRST = 5, FADING = 0.8, SETTLED = 1e-5, EXACT = 1e-9;

const n = job.points.length, began = performance.now();
const shape = job.circles; // rows of [point, size]
const point = tf.tensor1d(shape.map((s) => s[0]), "int32"), size = tf.tensor1d(shape.map((s) => s[1]), "int32");
const groups = Object.entries(job.relations).map(([kind, rows]) => ({
  kind,
  i: tf.tensor1d(rows.map((r) => r.ends[0]), "int32"),
  j: tf.tensor1d(rows.map((r) => r.ends[1]), "int32"),
  low: tf.tensor1d(rows.map((r) => Math.max(r.low, -1e30))),
  high: tf.tensor1d(rows.map((r) => Math.min(r.high, 1e30))),
  must: tf.tensor1d(rows.map((r) => Math.max(-r.weight, 0))),
  want: tf.tensor1d(rows.map((r) => Math.max(r.weight, 0))),
  number: tf.tensor1d(rows.map((r) => r.number)),
}));
const half = job.canvas;

const energy = (hard, soft) => (x) => {
  const points = x.slice(0, 2 * n).reshape([n, 2]), sizes = x.slice(2 * n);
  const centres = tf.gather(points, point), radii = tf.gather(sizes, size);
  let total = tf.scalar(0);
  for (const g of groups) {
    let value;
    if (g.kind === "SIZE") value = tf.gather(sizes, g.i);
    else if (g.kind === "CANVAS") {
      const c = tf.gather(centres, g.j);
      value = tf.min(tf.sub(tf.tensor1d(half), tf.abs(c)), 1).sub(tf.gather(radii, g.j));
    } else {
      const way = tf.gather(centres, g.j).sub(tf.gather(centres, g.i));
      const far = tf.sqrt(tf.sum(tf.square(way), 1).add(1e-12));
      const a = tf.gather(radii, g.i), b = tf.gather(radii, g.j);
      if (g.kind === "GAP") value = far.sub(a).sub(b);
      if (g.kind === "DEPTH") value = a.sub(b).sub(far);
      if (g.kind === "DISTANCE") value = far;
      if (g.kind === "NEARNESS") value = g.number.div(far.add(1));
    }
    const off = value.sub(tf.minimum(tf.maximum(value, g.low), g.high));
    total = total.add(tf.sum(tf.square(off).mul(g.must.mul(hard).add(g.want.mul(soft)))));
  }
  return total;
};

let calls = 0;
const evaluated = (f) => (x) => tf.tidy(() => {
  calls++;
  const { value, grad } = tf.valueAndGrad(f)(tf.tensor1d(Float32Array.from(x)));
  return { x, value: value.dataSync()[0], slope: Float64Array.from(grad.dataSync()) };
});
const dot = (a, b) => a.reduce((s, v, k) => s + v * b[k], 0);
const plus = (a, t, b) => a.map((v, k) => v + t * b[k]);

function descend(x, hard, soft, updates) {
  const at = evaluated(energy(hard, soft));
  let now = at(x), pairs = [], gain = now.value;
  for (let k = 0; k < updates && now.value >= EXACT * hard; k++) {
    let q = now.slope.slice();
    const shares = [];
    for (const p of [...pairs].reverse()) {
      shares.unshift(dot(p.step, q) / p.product);
      q = plus(q, -shares[0], p.change);
    }
    const last = pairs.at(-1), scale = last ? last.product / dot(last.change, last.change) : FIRST / Math.sqrt(dot(q, q));
    let way = q.map((v) => -scale * v);
    pairs.forEach((p, j) => { way = plus(way, -shares[j] - dot(p.change, way) / p.product, p.step); });
    const promised = dot(now.slope, way);
    let length = 1, trial = at(plus(now.x, 1, way));
    const low = () => trial.value <= now.value + 1e-4 * length * promised;
    for (let j = 0; j < SHORTENED && !low(); j++) {
      const excess = trial.value - now.value - length * promised;
      length *= Math.min(Math.max((-length * promised) / (2 * excess), 0.1), 0.5) || 0.1;
      trial = at(plus(now.x, length, way));
    }
    if (!low() || promised >= 0) { if (!pairs.length) break; pairs = []; continue; }
    const step = plus(trial.x, -1, now.x), change = plus(trial.slope, -1, now.slope), product = dot(step, change);
    if (product > 1e-10 * Math.sqrt(dot(step, step) * dot(change, change))) pairs.push({ step, change, product });
    if (pairs.length > KEPT) pairs.shift();
    gain = k ? FADING * gain + (1 - FADING) * (now.value - trial.value) : now.value;
    now = trial;
    if (gain < SETTLED * now.value) break;
  }
  return now;
}

let x = Float64Array.from([...job.points.flat(), ...job.sizes]);
const first = evaluated(energy(1, 1))(x).value; // to compare with ours
calls = 0;
let now = { value: NaN };
for (const [hard, soft] of job.descends ? job.rounds : []) { now = descend(x, hard, soft, job.updates); x = now.x; }
const ms = performance.now() - began, each = performance.now();
const few = job.descends ? 10 : 3;
for (let k = 0; k < few; k++) evaluated(energy(1, 1))(x);
console.log(JSON.stringify({ ms, calls, first, gradient: (performance.now() - each) / few, off: Math.sqrt(now.value) }));
