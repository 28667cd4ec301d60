// A scene's module, and what is asked of it: it runs in a worker, or where there is none beside the page.
import { leaves, programs, view } from "./runtime.js";
import { explored } from "./landscape.js";
import { Reacher } from "./reach.js";
import { judged } from "./trust.js";

const STRAY = 9, PATIENCE = 25; // as rosephys/solve/follow.py
const THROWS = 48, HOPS = 8, IDLE = 12, QUICK = 4; // the last in milliseconds
const SLICE = 10; // milliseconds of work between two looks at what was asked

/** A module as an object: `gradient` and `motion` of values, which are arrays by name. */
export function program(instance, spec) {
  const functions = programs(instance, spec.module), { memory } = instance.exports;
  const controls = spec.fields.filter((f) => f.control).map((f) => f.name);
  const split = (values) => {
    const given = { ...values }, own = {};
    for (const name of controls) { own[name] = given[name]; delete given[name]; }
    return [own, given];
  };
  const [[, { fields: told }], { fields: slopes }] = functions.gradient.described.result;
  const ALONE = [spec.steps, 0, [1, 0, 0]]; // the loss, and no circle's place
  const gradient = (values, circle, step, weights) => {
    functions.gradient.give(...split(values), ...(weights ? [step, circle, weights] : ALONE));
    functions.gradient.start();
    const slope = {};
    for (const name of controls) slope[name] = view(memory, slopes[name]).slice();
    return { values, loss: view(memory, told.loss)[0], slope, place: told.place && view(memory, told.place).slice() };
  };
  const mover = functions.motion ?? functions.gradient;
  const frames = leaves(told.states ?? mover.described.result);
  const motion = (values) => {
    mover.give(...split(values), ...ALONE);
    mover.start();
    const out = { frames: frames.map((leaf) => view(memory, leaf).slice()), tracks: null };
    if (functions.tracks) {
      const now = [...frames, ...leaves(mover.described.arguments.slice(0, 2))].map((leaf) => leaf.at);
      const tracks = leaves(functions.tracks.described.result);
      functions.tracks.start([...now, ...functions.tracks.places.slice(now.length)]);
      out.tracks = tracks.map((leaf) => view(memory, leaf).slice());
    }
    return out;
  };
  return { gradient, motion, controls, functions, memory, circled: !!told.place };
}

/** A descent that goes on from where it is, in steps: the best so far after each. */
export class Follower {
  constructor(made, spec, random = Math.random) {
    Object.assign(this, { made, spec, random, stride: spec.rate, quick: Infinity });
    this.fields = Object.fromEntries(spec.fields.map((f) => [f.name, f]));
  }

  evaluate(values) {
    const began = performance.now(), at = this.made.gradient(values);
    this.quick = Math.min(this.quick, performance.now() - began);
    if (!Number.isFinite(at.loss)) at.loss = Infinity;
    return at;
  }

  within(name, x) {
    const [low, high] = this.fields[name].bounds ?? [-Infinity, Infinity];
    return Math.min(Math.max(x, low), high);
  }

  moved(at, stride = this.stride) {
    const values = { ...at.values };
    for (const name of this.made.controls) {
      const step = stride * this.fields[name].rate, slope = at.slope[name];
      const length = Math.hypot(...slope.slice(0, 1e4)), clip = this.spec.clip ?? Infinity;
      const shorter = length > clip ? clip / length : 1;
      values[name] = Float64Array.from(values[name], (x, k) => this.within(name, x - step * shorter * slope[k]));
    }
    return values;
  }

  *descent(start, iterations) {
    let at = start, best = start, since = 0, mark = start.loss;
    for (let k = 0; k < iterations && since < PATIENCE; k++) {
      const trial = this.evaluate(this.moved(at)), helps = trial.loss < at.loss;
      this.stride = Math.max(this.stride * (helps ? 1.2 : 0.7), this.spec.rate / 10);
      at = trial.loss - best.loss < STRAY * Math.abs(best.loss) ? trial : best;
      if (trial.loss < best.loss) best = trial;
      if (best.loss < 0.99 * mark) { since = 0; mark = best.loss; } else since++;
      yield best;
    }
  }

  thrown(values) {
    const reach = 10 ** (-2.5 * this.random()), out = { ...values };
    for (const name of this.made.controls) {
      const size = Math.hypot(...values[name].slice(0, 1e4)) || 1;
      out[name] = Float64Array.from(values[name], (x) => this.within(name, x + reach * size * this.normal()));
    }
    return out;
  }

  normal() {
    return Math.sqrt(-2 * Math.log(1 - this.random())) * Math.cos(2 * Math.PI * this.random());
  }

  /** Hops from a throw, each as long as would take the loss to nothing, were it a square (after Polyak, 1969): of
   * throws that land near another answer, one in a few is there after two or three. */
  *hops(values) {
    let at = this.evaluate(this.thrown(values));
    for (let k = 0; k < HOPS; k++) {
      yield at;
      let size = 0;
      for (const name of this.made.controls) for (const s of at.slope[name]) size += this.fields[name].rate * s * s;
      if (!(size > 0 && at.loss < Infinity)) return; // flat, or nowhere
      at = this.evaluate(this.moved(at, 2 * at.loss / size));
    }
  }

  /** Descend; then, where that costs little, hop from throws around and descend from what is better, as long as it
   * helps. */
  *follow(values, iterations, looks) {
    let best = this.evaluate(values);
    yield best;
    for (let idle = 0; idle < IDLE; idle++) {
      const before = best.loss;
      for (const found of this.descent(best, iterations)) yield (best = found);
      if (!looks || this.quick > QUICK) return;
      for (let k = 0; k < THROWS; k++) {
        for (const at of this.hops(best.values)) if (at.loss < best.loss) best = at;
        yield best;
      }
      if (best.loss < 0.9 * before) idle = 0;
      this.stride = this.spec.rate;
    }
  }
}

/** What answers messages: {values, follow, looks, chosen} begins a solve, with an `aim` one for a circle;
 * {landscape} asks for the losses on axes, {ready} for the next motion; {paused} says whether to rest. It posts {loss,
 * values, slope, motion, losses, done}, then a {verdict} on what was solved, {landscape} and {error}. */
export function answering(instance, spec, post, later = setTimeout) {
  const made = program(instance, spec), follower = new Follower(made, spec), reacher = new Reacher(made, spec);
  let steps = null, best = null, shown = null, losses = [], ready = true, paused = false, due = false, done = true;
  let told = null, asides = {}; // what is worked out when nothing is solved, by its name
  const tell = () => {
    if (!best || !ready || (best === shown && done === told)) return;
    const motion = best === shown ? null : made.motion(best.values);
    shown = best;
    told = done;
    ready = false;
    const moved = motion ? [...motion.frames, ...(motion.tracks ?? [])].map((a) => a.buffer) : [];
    post({ loss: best.loss, values: best.values, slope: best.slope, motion, losses, done }, moved);
    losses = [];
  };
  const aside = () => {
    const [name] = Object.keys(asides), next = asides[name].next();
    if (next.value) post({ [name]: next.value });
    if (next.done) delete asides[name];
  };
  const safely = (work) => {
    try { work(); } catch (error) {
      steps = null;
      asides = {};
      done = true;
      post({ error: String(error.message ?? error) });
    }
  };
  const more = () => steps || (shown === best && Object.keys(asides).length);
  const work = () => {
    due = false;
    if (paused) return;
    safely(() => {
      for (const end = performance.now() + SLICE; more() && performance.now() < end;) {
        if (!steps) { aside(); continue; }
        const next = steps.next();
        if (next.done) { steps = null; done = true; } else { best = next.value; losses.push(best.loss); }
      }
      tell();
    });
    plan();
  };
  const plan = () => {
    if (!due && more() && !paused) { due = true; later(work, 0); }
  };
  const begin = ({ values: given, follow, looks, chosen, aim }) => {
    const values = { ...given };
    if (best && follow)
      for (const name of made.controls) if (!chosen?.includes(name)) values[name] = best.values[name];
    done = false;
    told = null;
    asides = {};
    const all = aim ? reacher.reach(values, aim, spec.iterations)
      : follower.follow(values, follow ? spec.iterations : 0, looks);
    steps = follow ? all : (function* () { yield all.next().value; })();
    if (follow && !aim) asides.verdict = (function* () { return yield* judged(made.gradient, best); })();
  };
  return (asked) => {
    if (asked.ready) { ready = true; if (!steps) safely(tell); }
    if ("paused" in asked) paused = asked.paused;
    if (asked.values) begin(asked);
    if (asked.landscape) asides.landscape = explored(made.gradient, best.values, asked.landscape);
    plan();
  };
}
