// The robot of rigid boxes in Rose, from npm, compiled to WebAssembly; the job is at the top of rigid.c.
//
// `node rose.mjs unrolled` is written for speed: the network stays a loop, boxes, corners and links are unrolled to
// scalars by JavaScript, steps are composed by calls, first a chunk of them and then the chunks, and the muscles'
// outputs alone are computed. `node rose.mjs demo` is written as Rose's authors write their robot of springs (see
// ../robot/rose_demo.mjs). Rose has no branch, so contacts are selected rather than taken.

import { elementary, makeLayer, makeOutputs, race, repeat, vectors } from "../rose_walk.mjs";
import { range } from "../rose_worker.mjs";

const [DT, GRAVITY, GROUND, FRICTION] = [0.001, 9.8, 0.1, 1];
const DECAY = Math.exp(-10 * DT);
const [SOFTENING, JOINT_SOFTENING, SLOWEST] = [1e-4, 0.1, 1e-3];
const GOAL = [0.9, 0.15];
const CHUNK = 32;
const [HIDDEN, CLOCKS] = [32, 10];

/** 2-vectors unrolled to scalars. */
const unrolledVectors = ({ add, mul, sub }) => ({
  plus: (a, b) => [add(a[0], b[0]), add(a[1], b[1])],
  minus: (a, b) => [sub(a[0], b[0]), sub(a[1], b[1])],
  times: (k, a) => [mul(k, a[0]), mul(k, a[1])],
  dot: (a, b) => add(mul(a[0], b[0]), mul(a[1], b[1])),
});

const makeNorm = ({ Real, gt, select, sqrt }, { dot }) => (a) => {
  const square = dot(a, a);
  const long = gt(square, 0); // or the derivative of a root at zero would get out
  return select(long, Real, sqrt(select(long, Real, square, 1)), 0);
};

/** A step of places xs, velocities vs, angles and spins, given the outputs of the springs; as Rose's values. */
const makePhysics = (rose, given, { sin, cos }, vectors) => {
  const { Real, add, and, div, gt, lt, mul, neg, select, sub } = rose;
  const { boxes, corners, springs, joints } = given;
  const { plus, minus, times } = vectors;
  const n = boxes.length;
  const cross = (a, b) => sub(mul(a[0], b[1]), mul(a[1], b[0]));
  const min = (a, b) => select(lt(a, b), Real, a, b);
  const max = (a, b) => select(gt(a, b), Real, a, b);
  const clamp = (x, low, high) => max(min(x, high), low);
  const norm = makeNorm(rose, vectors);

  return ({ xs, vs, angles, spins }, signals) => {
    const turns = range(n).map((i) => [cos(angles[i]), sin(angles[i])]);
    const arm = (i, [x, y]) => {
      const [c, s] = turns[i];
      return [sub(mul(c, x), mul(s, y)), add(mul(s, x), mul(c, y))];
    };
    const speed = (i, r) => plus(vs[i], times(spins[i], [neg(r[1]), r[0]]));

    const [kick, shift] = [range(n).map(() => [0, 0]), range(n).map(() => [0, 0])];
    const [turn, twist] = [range(n).map(() => 0), range(n).map(() => 0)];
    const push = (i, impulse, r) => {
      const change = times(1 / boxes[i].mass, impulse);
      const spin = mul(1 / boxes[i].inertia, cross(r, impulse));
      kick[i] = plus(kick[i], change);
      turn[i] = add(turn[i], spin);
      return [change, spin];
    };

    corners.forEach(({ box: i, at: corner }) => {
      const { mass, inertia } = boxes[i];
      const r = arm(i, corner);
      const u = minus(speed(i, r), [0, DT * GRAVITY]);
      const height = sub(add(xs[i][1], r[1]), GROUND);
      const hit = and(lt(u[1], 0), lt(add(height, mul(DT, u[1])), 0));
      const ease = (k) => add(1 / mass, mul(1 / inertia, mul(r[k], r[k])));
      const up = div(neg(u[1]), ease(0));
      const along = clamp(div(neg(u[0]), ease(1)), mul(-FRICTION, up), mul(FRICTION, up));
      const impact = clamp(div(height, neg(min(u[1], -SLOWEST))), 0, DT);
      const impulse = [along, up].map((j) => select(hit, Real, j, 0));
      const [change, spin] = push(i, impulse, plus(r, times(DT, u)));
      shift[i] = minus(shift[i], times(impact, change));
      twist[i] = sub(twist[i], mul(impact, spin));
    });

    const link = ({ a, b, from, to, stiffness }, impulseOf) => {
      const [ra, rb] = [arm(a, from), arm(b, to)];
      const gap = minus(plus(xs[a], ra), plus(xs[b], rb));
      const impulse = impulseOf(times(DT * stiffness, gap), gap, ra, rb);
      push(a, [neg(impulse[0]), neg(impulse[1])], ra);
      push(b, impulse, rb);
    };
    springs.forEach((spring, k) =>
      link(spring, (stiff, gap) => {
        const relaxed = mul(spring.rest, add(1, mul(spring.reach, signals[k])));
        return times(sub(1, div(relaxed, add(norm(gap), SOFTENING))), stiff);
      }),
    );
    joints.forEach((joint) =>
      link(joint, (stiff, _, ra, rb) => {
        const { a, b } = joint;
        const slip = minus(speed(a, ra), speed(b, rb));
        const e = times(div(1, add(norm(slip), JOINT_SOFTENING)), slip);
        const ease = [[a, ra], [b, rb]].map(([i, r]) => {
          const lever = cross(r, e);
          return add(1 / boxes[i].mass, mul(1 / boxes[i].inertia, mul(lever, lever)));
        });
        return plus(stiff, times(div(1, add(...ease)), slip));
      }),
    );

    const next = { xs: [], vs: [], angles: [], spins: [] };
    range(n).forEach((i) => {
      const v = plus(times(DECAY, vs[i]), minus(kick[i], [0, DT * GRAVITY]));
      const spin = add(mul(DECAY, spins[i]), turn[i]);
      next.xs.push(plus(plus(xs[i], times(DT, v)), shift[i]));
      next.vs.push(v);
      next.angles.push(add(add(angles[i], mul(DT, spin)), twist[i]));
      next.spins.push(spin);
    });
    return next;
  };
};

const unrolled = (rose, given, Weights) => {
  const { Real, Vec, add, fn, mul, sub } = rose;
  const { boxes, springs, head, steps } = given;
  const functions = elementary(rose);
  const { sin, tanh } = functions;
  const vectors = unrolledVectors(rose);
  const physics = makePhysics(rose, given, functions, vectors);
  const n = boxes.length;
  const State = Vec(6 * n + 1, Real); // x, y, vx, vy, angle, spin of each box, and the time
  const think = makeLayer(rose, tanh, HIDDEN, CLOCKS + 6 * n + 2);
  const tell = makeLayer(rose, tanh, springs.length, HIDDEN);

  const step = fn([State, Weights], State, (state, { w1, b1, w2, b2 }) => {
    const time = state[6 * n];
    const numbers = (k) => range(n).map((i) => state[6 * i + k]);
    const pairs = (k) => range(n).map((i) => [state[6 * i + k], state[6 * i + k + 1]]);
    const [xs, vs, angles, spins] = [pairs(0), pairs(2), numbers(4), numbers(5)];
    const seen = [
      ...range(CLOCKS).map((j) => sin(add(mul(30, time), (2 * Math.PI * j) / CLOCKS))),
      ...range(n).flatMap((i) =>
        [...vectors.minus(xs[i], xs[head]), ...vs[i], angles[i], spins[i]].map((value) => mul(0.05, value)),
      ),
      ...GOAL,
    ];
    const signals = tell(
      springs.map(({ link }) => w2[link]),
      springs.map(({ link }) => b2[link]),
      think(w1, b1, seen),
    );
    const next = physics({ xs, vs, angles, spins }, signals);
    const after = range(n).flatMap((i) => [...next.xs[i], ...next.vs[i], next.angles[i], next.spins[i]]);
    return [...after, add(time, DT)];
  });

  const again = (f, times) => repeat(rose, State, Weights, f, times);
  const chunks = again(again(step, CHUNK), Math.floor(steps / CHUNK));
  const rest = again(step, steps % CHUNK);
  const start = [...boxes.flatMap(({ x, y, angle }) => [x, y, 0, 0, angle, 0]), 0];
  return fn([Weights], Real, (weights) => {
    const final = rest(chunks(start, weights), weights);
    return makeNorm(rose, vectors)([sub(final[6 * head], GOAL[0]), sub(final[6 * head + 1], GOAL[1])]);
  });
};

const demo = (rose, given, Weights) => {
  const { Real, Vec, add, fn, mul, vec } = rose;
  const { boxes, springs, joints, head, steps } = given;
  const functions = elementary(rose);
  const { sin, tanh } = functions;
  const { Vec2, ...ops } = vectors(rose);
  const n = boxes.length;
  const [Places, Numbers] = [Vec(n, Vec2), Vec(n, Real)];
  const Motion = { xs: Places, vs: Places, angles: Numbers, spins: Numbers };
  const links = springs.length + joints.length;
  const [Hidden, Signals] = [Vec(HIDDEN, Real), Vec(links, Real)];

  const think = fn([Real, Motion, Weights.w1, Weights.b1], Hidden, (t, { xs, vs, angles, spins }, w1, b1) =>
    vec(HIDDEN, Real, (i) => {
      let total = 0;
      const count = (input, j) => (total = add(total, mul(w1[i][j], input)));
      range(CLOCKS).forEach((j) => count(sin(add(mul(t, 30 * DT), (2 * Math.PI * j) / CLOCKS)), j));
      range(n).forEach((j) => {
        const offset = ops.minus(xs[j], xs[head]);
        const values = [offset[0], offset[1], vs[j][0], vs[j][1], angles[j], spins[j]];
        values.forEach((value, k) => count(mul(value, 0.05), CLOCKS + 6 * j + k));
      });
      GOAL.forEach((goal, k) => count(goal, CLOCKS + 6 * n + k));
      return tanh(add(total, b1[i]));
    }),
  );
  const tell = makeOutputs(rose, tanh, links, HIDDEN);
  const physics = makePhysics(rose, given, functions, ops);
  const advance = fn([Motion, Signals], Motion, (motion, signals) =>
    physics(
      motion,
      springs.map(({ link }) => signals[link]),
    ),
  );

  const After = { motion: Motion, signals: Signals };
  const step = fn([Real, Motion, Weights], After, (t, motion, { w1, b1, w2, b2 }) => {
    const signals = tell(w2, b2, think(t, motion, w1, b1));
    return { motion: advance(motion, signals), signals };
  });

  const All = { motions: Vec(steps, Motion), signals: Vec(steps, Signals), loss: Real };
  const walk = fn([Motion, Weights], All, (motion, weights) => {
    const [motions, signals] = [[], []];
    for (let t = 0; t < steps; ++t) {
      const next = step(t, motion, weights);
      motion = next.motion;
      motions.push(motion);
      signals.push(next.signals);
    }
    const loss = makeNorm(rose, ops)(ops.minus(motion.xs[head], GOAL));
    return { motions, signals, loss };
  });

  const start = {
    xs: boxes.map(({ x, y }) => [x, y]),
    vs: boxes.map(() => [0, 0]),
    angles: boxes.map(({ angle }) => angle),
    spins: boxes.map(() => 0),
  };
  return fn([Weights], Real, (weights) => walk(start, weights).loss);
};

race({ unrolled, demo }[process.argv[2]]);
