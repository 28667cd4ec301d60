// Rose, from npm, compiled to WebAssembly: `node rose.mjs EVENTS`; the job is at the top of pool.c.
//
// Rose has no branch, and no number that is found can be an index, so that all is selected: the least time by a
// running comparison which takes along its number, what meets by the number. Scalars are unrolled by JavaScript;
// events are composed by calls, first a chunk of them and then the chunks. The time of the
// chosen event alone is differentiated, but roots and quotients that are not taken have finite derivatives too,
// since Rose has no way to say that what looks for the event is to be left out (a jvp of its own fails in transpose).

import { range, run } from "../rose_worker.mjs";

const [WIDTH, HEIGHT, RADIUS] = [2, 1, 0.12];
const [RESTITUTION, CUSHION] = [0.95, 0.9];
const GOAL = [1.5, 0.5];
const CUE = [0.3, 0.5, 1.4, 0.4];
const RACK = [[1.53, 0.35], [0.58, 0.68], [0.4, 0.18], [0.95, 0.48], [1.08, 0.8]];
const TARGET = 5;
const SIDES = [WIDTH - RADIUS, HEIGHT - RADIUS];
const SQUARE = 4 * RADIUS * RADIUS;
const HALF_BOUNCE = (1 + RESTITUTION) / 2 / SQUARE;
const BALLS = 1 + RACK.length;
const CHUNK = 8;

const makeLoss = (rose, events) => {
  const { Real, Vec, add, and, div, fn, gt, lt, mul, neq, select, sqrt, sub } = rose;
  const State = Vec(4 * BALLS, Real); // x, y, vx, vy of each ball
  const pick = (p, a, b) => select(p, Real, a, b);
  const dot = (a, b) => add(mul(a[0], b[0]), mul(a[1], b[1]));
  const minus = (a, b) => [sub(a[0], b[0]), sub(a[1], b[1])];
  const pairs = range(BALLS).flatMap((i) => range(BALLS).slice(i + 1).map((j) => [i, j]));
  const sides = range(BALLS).flatMap((i) => [[i, -1], [i, -2]]);
  const all = [...pairs, ...sides];

  const quadratic = (gap, speed) => {
    const b = dot(gap, speed);
    const c = sub(dot(gap, gap), SQUARE);
    return [b, c, sub(mul(b, b), mul(dot(speed, speed), c))];
  };

  const find = fn([State], Real, (state) => {
    const x = range(BALLS).map((i) => [state[4 * i], state[4 * i + 1]]);
    const v = range(BALLS).map((i) => [state[4 * i + 2], state[4 * i + 3]]);
    let [first, number] = [1e300, 0];
    all.forEach(([i, j], k) => {
      let happens, time;
      if (j >= 0) {
        const [b, c, square] = quadratic(minus(x[i], x[j]), minus(v[i], v[j]));
        happens = and(lt(b, 0), gt(square, 0));
        time = div(c, sub(sqrt(pick(happens, square, 1)), pick(happens, b, -1)));
      } else {
        const [axis, speed] = [-1 - j, v[i][-1 - j]];
        happens = neq(speed, 0);
        time = div(sub(pick(gt(speed, 0), SIDES[axis], RADIUS), x[i][axis]), pick(happens, speed, 1));
      }
      const sooner = and(happens, lt(time, first));
      number = pick(sooner, k, number);
      first = pick(sooner, time, first);
    });
    return number;
  });
  const event = fn([State], State, (state) => {
    const number = find(range(4 * BALLS).map((k) => state[k]));
    const is = (k) => and(gt(number, k - 0.5), lt(number, k + 0.5));
    const two = lt(number, pairs.length - 0.5);
    // 1 at the ball, -1 at its partner
    const weights = range(BALLS).map(() => 0);
    let acrossY = 0;
    all.forEach(([i, j], k) => {
      const it = is(k);
      weights[i] = pick(it, 1, weights[i]);
      if (j >= 0) weights[j] = pick(it, -1, weights[j]);
      if (j === -2) acrossY = pick(it, 1, acrossY);
    });
    const onY = gt(acrossY, 0.5);
    const [dx, dy, ux, uy] = range(4).map((part) =>
      range(BALLS).map((i) => mul(weights[i], state[4 * i + part])).reduce((a, b) => add(a, b)),
    );
    const [b, c, square] = quadratic([dx, dy], [ux, uy]);
    const meeting = div(c, sub(sqrt(pick(two, square, 1)), pick(two, b, -1)));
    const speed = pick(two, 1, pick(onY, uy, ux));
    const wall = pick(gt(speed, 0), pick(onY, SIDES[1], SIDES[0]), RADIUS);
    const time = pick(two, meeting, div(sub(wall, pick(onY, dy, dx)), speed));
    const gap = [add(dx, mul(time, ux)), add(dy, mul(time, uy))];
    const along = mul(HALF_BOUNCE, dot(gap, [ux, uy]));
    const jx = pick(two, mul(along, gap[0]), pick(onY, 0, mul(1 + CUSHION, ux)));
    const jy = pick(two, mul(along, gap[1]), pick(onY, mul(1 + CUSHION, uy), 0));
    return range(BALLS).flatMap((i) => {
      const [x, y, vx, vy] = range(4).map((part) => state[4 * i + part]);
      return [
        add(x, mul(time, vx)),
        add(y, mul(time, vy)),
        sub(vx, mul(weights[i], jx)),
        sub(vy, mul(weights[i], jy)),
      ];
    });
  });

  const repeat = (f, times) =>
    fn([State], State, (state) => {
      for (let t = 0; t < times; ++t) state = f(state);
      return state;
    });
  const chunks = repeat(repeat(event, CHUNK), Math.floor(events / CHUNK));
  const rest = repeat(event, events % CHUNK);

  return fn([Vec(4, Real)], Real, (cue) => {
    const start = [cue[0], cue[1], cue[2], cue[3], ...RACK.flatMap(([x, y]) => [x, y, 0, 0])];
    const final = rest(chunks(start));
    const miss = minus([final[4 * TARGET], final[4 * TARGET + 1]], GOAL);
    return dot(miss, miss);
  });
};

const build = async (rose, events) => {
  const { Real, Vec, compile, fn, vjp } = rose;
  const cueType = Vec(4, Real);
  const lossFn = makeLoss(rose, events);
  const both = fn([cueType], { loss: Real, gradient: cueType }, (cue) => {
    const { ret, grad } = vjp(lossFn)(cue);
    return { loss: ret, gradient: grad(1) };
  });
  const memory = new WebAssembly.Memory({ initial: 0 });
  const gradient = await compile(both, { memory });
  return { at: CUE, gradient: () => gradient(CUE), memory, lossFn };
};

const [events] = process.argv.slice(2).map(Number);
await run((rose) => build(rose, events));
