// Rose, from npm, compiled to WebAssembly: `node rose.mjs LAYERS STEPS`, and then the requests
// described in worker.py.
//
// Written for speed within what Rose has: each pair once, scalars unrolled by JavaScript so that
// a step is straight-line code without allocation, states as one flat vector, and steps composed
// by calls, first a chunk of them and then the chunks. Rose has no branch, so contacts are
// selected rather than taken.

import { range, run } from "../rose_worker.mjs";

const DT = 0.003;
const RADIUS = 0.03;
const DIAMETER = 2 * RADIUS;
const EPSILON = 1e-6;
const SLOWEST = -1e-3;
const BOUNCE = -0.9; // -(1 + restitution) / 2
const GOAL = [0.9, 0.75];
const CUE = [0.1, 0.5, 0.3, 0];
const CHUNK = 32;

const restingBalls = (layers) => {
  const balls = [];
  for (let i = 0; i < layers; ++i)
    for (let j = 0; j <= i; ++j)
      balls.push([0.5 + DIAMETER * i, 0.5 + DIAMETER * j - 0.7 * RADIUS * i, 0, 0]);
  return balls;
};

/** The loss of `layers` and `steps` as a Rose function of the cue's four numbers. */
const makeLoss = (rose, layers, steps) => {
  const { Real, Vec, add, and, div, fn, lt, mul, select, sqrt, sub } = rose;
  const resting = restingBalls(layers);
  const balls = 1 + resting.length;
  const State = Vec(4 * balls, Real); // x, y, vx, vy of each ball

  const dot = (a, b) => add(mul(a[0], b[0]), mul(a[1], b[1]));
  const minus = (a, b) => [sub(a[0], b[0]), sub(a[1], b[1])];
  const plus = (a, b) => [add(a[0], b[0]), add(a[1], b[1])];
  const times = (k, a) => [mul(k, a[0]), mul(k, a[1])];
  const min = (a, b) => select(lt(a, b), Real, a, b);

  const impulseAndJump = (gap, speed) => {
    const squared = dot(gap, gap);
    const hit = and(lt(squared, DIAMETER * DIAMETER), lt(dot(gap, speed), 0));
    const distance = sqrt(squared);
    const normal = times(div(1, add(distance, EPSILON)), gap);
    const approach = dot(normal, speed);
    const impact = div(sub(distance, DIAMETER), min(SLOWEST, approach));
    const impulse = times(select(hit, Real, mul(BOUNCE, approach), 0), normal);
    return [impulse, times(add(min(sub(impact, DT), 0), DT), impulse)];
  };

  const step = fn([State], State, (state) => {
    const velocity = range(balls).map((i) => [state[4 * i + 2], state[4 * i + 3]]);
    const ahead = velocity.map((v, i) => plus([state[4 * i], state[4 * i + 1]], times(DT, v)));
    const after = [...velocity];
    const moved = [...ahead];
    for (let i = 0; i < balls; ++i)
      for (let j = i + 1; j < balls; ++j) {
        const gap = minus(ahead[i], ahead[j]);
        const [impulse, jump] = impulseAndJump(gap, minus(velocity[i], velocity[j]));
        after[i] = plus(after[i], impulse);
        after[j] = minus(after[j], impulse);
        moved[i] = plus(moved[i], jump);
        moved[j] = minus(moved[j], jump);
      }
    return moved.flatMap((x, i) => [...x, ...after[i]]);
  });

  const repeat = (f, times) =>
    fn([State], State, (state) => {
      for (let t = 0; t < times; ++t) state = f(state);
      return state;
    });
  const chunks = repeat(repeat(step, CHUNK), Math.floor(steps / CHUNK));
  const rest = repeat(step, steps % CHUNK);

  return fn([Vec(4, Real)], Real, (cue) => {
    const start = [cue[0], cue[1], cue[2], cue[3], ...resting.flat()];
    const final = rest(chunks(start));
    const miss = minus([final[4 * balls - 4], final[4 * balls - 3]], GOAL);
    return dot(miss, miss);
  });
};

const build = async (rose, layers, steps) => {
  const { Real, Vec, compile, fn, vjp } = rose;
  const cueType = Vec(4, Real);
  const lossFn = makeLoss(rose, layers, steps);
  const both = fn([cueType], { loss: Real, gradient: cueType }, (cue) => {
    const { ret, grad } = vjp(lossFn)(cue);
    return { loss: ret, gradient: grad(1) };
  });
  const memory = new WebAssembly.Memory({ initial: 0 });
  const gradient = await compile(both, { memory });
  return { at: CUE, gradient: () => gradient(CUE), memory, lossFn };
};

const [layers, steps] = process.argv.slice(2).map(Number);
await run((rose) => build(rose, layers, steps));
