// L-BFGS, as rosephys/solve/quasi_newton.py has it, for scenes of which a hand holds a part of the answer.
import { Follower } from "./solver.js";

const KEPT = 10, SHORTENED = 30, LOOK_BACK = 25, ARRIVED = 1e-7; // the last two as rosephys/solve/follow.py

/** The rest settles while a hand holds a row of a control: the best so far, after each step. */
const plainly = Follower.prototype.follow;
Follower.prototype.follow = function* (values, iterations, looks) {
  if (!this.spec.fields.some((f) => f.rows)) return yield* plainly.call(this, values, iterations, looks);
  const { controls } = this.made, flat = (of) => Float64Array.from(controls.flatMap((n) => Array.from(of[n])));
  const dot = (a, b) => { let s = 0; for (let k = 0; k < a.length; k++) s += a[k] * b[k]; return s; };
  const plus = (a, t, b) => a.map((x, k) => x + t * b[k]);
  const starts = {}, stays = [];
  let n = 0;
  for (const name of controls) { starts[name] = n; n += values[name].length; }
  const first = starts[looks?.field] + 2 * looks?.row; // of the row that a hand holds, if it does
  if (first >= 0) stays.push(first, first + 1);
  const at = (x) => {
    const all = { ...values };
    for (const name of controls)
      all[name] = x.slice(starts[name], starts[name] + values[name].length).map((v) => this.within(name, v));
    const made = this.evaluate(all), slope = flat(made.slope);
    for (const k of stays) slope[k] = 0;
    return { x, made, loss: made.loss, slope };
  };
  let now = at(flat(values)), pairs = [], marks = [];
  yield now.made;
  for (let k = 0; k < iterations; k++) {
    const q = now.slope.slice(), shares = [];
    for (const p of [...pairs].reverse()) {
      const share = dot(p.step, q) / p.product;
      shares.unshift(share);
      for (let j = 0; j < n; j++) q[j] -= share * p.change[j];
    }
    const last = pairs.at(-1), steep = Math.sqrt(dot(q, q));
    if (!steep) return;
    let way = q.map((x) => -x * (last ? last.product / dot(last.change, last.change) : this.spec.rate / steep));
    pairs.forEach((p, j) => { way = plus(way, -shares[j] - dot(p.change, way) / p.product, p.step); });
    const promised = dot(now.slope, way);
    let next = null;
    for (let length = 1, j = 0; j < SHORTENED && promised < 0; j++) {
      const trial = at(plus(now.x, length, way)), excess = trial.loss - now.loss - length * promised;
      if (trial.loss <= now.loss + 1e-4 * length * promised && trial.loss < now.loss) { next = trial; break; }
      const parabola = Number.isFinite(excess) ? (-length * promised) / (2 * excess) : 0.1;
      length *= Math.min(Math.max(parabola, 0.1), 0.5);
    }
    if (!next && !pairs.length) return;
    if (!next) { pairs = []; continue; }
    const step = plus(next.x, -1, now.x), change = plus(next.slope, -1, now.slope), product = dot(step, change);
    if (product > 1e-10 * Math.sqrt(dot(step, step) * dot(change, change))) pairs.push({ step, change, product });
    if (pairs.length > KEPT) pairs.shift();
    now = next;
    yield now.made;
    marks = [...marks.slice(-LOOK_BACK), now.loss];
    if (marks.length > LOOK_BACK && marks[0] - now.loss <= ARRIVED * Math.abs(now.loss)) return;
  }
};
