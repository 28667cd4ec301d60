// Whether the gradient explains what the loss does nearby: the judge of rosephys/solve/trust.py, which says why.
const NEARBY = 0.01, PLACES = [-1, -0.382, 0, 0.382, 1], HALVINGS = 8, NARROWINGS = 10;
const UNEXPLAINED = 0.1, ROUNDING = 1e-9, STEEP = 30, KINK = 0.5;
const SCALES = [1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9];

const summed = ([a, b]) => ((b.at - a.at) * (a.slope + b.slope)) / 2;
const gap = ([a, b]) => b.loss - a.loss - summed([a, b]);
const turn = ([a, b]) => b.slope - a.slope;
const finite = (p) => Number.isFinite(p.loss) && Number.isFinite(p.slope);
const pairwise = (points) => points.slice(1).map((p, k) => [points[k], p]);
const total = (list, f) => list.reduce((sum, x) => sum + f(x), 0);
const most = (list, f) => list.reduce((a, b) => (Math.abs(f(b)) > Math.abs(f(a)) ? b : a));

function explained(points) {
  const pieces = pairwise(points), size = Math.max(...points.map((p) => Math.abs(p.loss)));
  const whole = total(pieces, (piece) => Math.max(Math.abs(piece[1].loss - piece[0].loss), Math.abs(summed(piece))));
  return total(pieces, (piece) => Math.abs(gap(piece))) <= Math.max(UNEXPLAINED * whole, ROUNDING * size);
}

/** The line of steepest descent through values, each control in units of its size: a point of it, some way along. */
function line(gradient, { values, loss, slope }) {
  const names = Object.keys(slope), size = {}, way = {};
  for (const name of names) {
    size[name] = values[name].reduce((a, x) => Math.max(a, Math.abs(x)), 0) || 1;
    way[name] = slope[name].map((s) => -size[name] * s);
  }
  if (names.every((name) => way[name].every((x) => x === 0)))
    for (const name of names) way[name] = way[name].map((_, k) => Math.sin(1 + 7 * k));
  const largest = Math.max(...names.map((n) => way[n].reduce((a, x) => Math.max(a, Math.abs(x)), 0)));
  const length = largest * Math.sqrt(total(names, (n) => total([...way[n]], (x) => (x / largest) ** 2)));
  for (const name of names) way[name] = way[name].map((x) => (size[name] * x) / length);
  const along = (s) => total(names, (n) => s[n].reduce((sum, x, k) => sum + x * way[n][k], 0));
  const middle = { at: 0, loss, slope: along(slope) };
  return (at) => {
    if (at === 0) return middle;
    const there = { ...values };
    for (const name of names) there[name] = values[name].map((x, k) => x + at * way[name][k]);
    const found = gradient(there);
    return { at, loss: found.loss, slope: along(found.slope) };
  };
}

/** The two sides of a jump of a measure between two points; null if it gets less where it is looked at closer. */
function* narrowed(point, piece, measure) {
  const first = Math.abs(measure(piece));
  for (let k = 0; k < NARROWINGS; k++) {
    const [a, b] = piece, middle = point((a.at + b.at) / 2);
    yield;
    piece = most([[a, middle], [middle, b]], measure);
    if (!(Math.abs(measure(piece)) > 0.5 * first)) return null;
  }
  return piece;
}

function* kinked(point, points) {
  const least = KINK * Math.max(...points.map((p) => Math.abs(p.slope))), piece = most(pairwise(points), turn);
  if (!(Math.abs(turn(piece)) > least)) return false;
  const found = yield* narrowed(point, piece, turn);
  return !!found && Math.abs(turn(found)) > least;
}

function chaotic(points) {
  const losses = points.map((p) => p.loss), varies = Math.max(...losses) - Math.min(...losses);
  const promised = total(pairwise(points), ([a, b]) => ((b.at - a.at) * (Math.abs(a.slope) + Math.abs(b.slope))) / 2);
  if (promised <= STEEP * varies) return false;
  const n = points.length, mean = total(points, (p) => p.slope) / n, size = total(points, (p) => Math.abs(p.slope)) / n;
  return Math.sqrt(total(points, (p) => (p.slope - mean) ** 2) / n) > 0.5 * size;
}

function* unexplained(point, points) {
  const middle = point(0), difference = (p) => (p.loss - middle.loss) / (p.at - middle.at);
  const steepest = Math.max(Math.abs(middle.slope), ...points.filter((p) => p.at).map((p) => Math.abs(difference(p))));
  const seen = SCALES.filter((h) => UNEXPLAINED * h * steepest > ROUNDING * Math.abs(middle.loss));
  let low = 0, high = seen.length, beyond = [points[0], points.at(-1)];
  while (low < high) {
    const at = (low + high) >> 1, pair = [point(-seen[at]), point(seen[at])];
    yield;
    if (pair.every(finite) && explained([pair[0], middle, pair[1]])) high = at;
    else { low = at + 1; beyond = pair; }
  }
  const within = seen[high] ?? 0;
  if (chaotic(points)) return { reason: "chaos", within };
  const jump = yield* narrowed(point, most(pairwise(points), gap), gap);
  const error = (p) => Math.abs(difference(p) - middle.slope) / Math.max(Math.abs(middle.slope), 1e-300);
  const roughly = [points[0], points.at(-1), ...beyond].every((p) => error(p) <= 0.5);
  const alone = jump && Math.abs(gap(jump)) >= 0.9 * total(pairwise(points), (piece) => Math.abs(gap(piece)));
  if (jump && (!within || roughly || alone)) return { reason: "jump", within };
  return { reason: within ? "narrow" : "disagreement", within };
}

/** The verdict on what was found: a reason not to trust its gradient, or null, and how far it holds. Yields after
 * evaluations. */
export function* judged(gradient, found) {
  if (![found.loss, ...Object.values(found.slope).flatMap((s) => [...s])].every(Number.isFinite))
    return { reason: "not finite" };
  const point = line(gradient, found);
  let points = [];
  for (const place of PLACES) { points.push(point(place * NEARBY)); yield; }
  if (!points.every(finite)) return { reason: "not finite", within: 0 };
  if (points.every((p) => p.slope === 0 && p.loss === found.loss)) return { reason: "flat" };
  for (let k = 0; k < HALVINGS && !explained(points); k++) {
    const [a, b] = most(pairwise(points), gap);
    points = [...points, point((a.at + b.at) / 2)].sort((p, q) => p.at - q.at);
    yield;
  }
  if (!explained(points)) return yield* unexplained(point, points);
  return { reason: (yield* kinked(point, points)) ? "kink" : null };
}
