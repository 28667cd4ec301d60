// The loss over two numbers of the controls, with all else as it is: on a coarse grid, then on finer ones, as
// rosephys/solve/landscape.py.
const GRIDS = [9, 17, 33, 65], LONGEST = 4000; // the last in milliseconds: a grid that would take longer is not begun

/** The two steepest numbers of the controls; null where there is one. */
export function steepest(spec, slope) {
  const all = spec.fields.filter((f) => f.control)
    .flatMap((f) => f.value.map((_, index) => ({ name: f.name, index, steep: Math.abs(slope[f.name]?.[index] ?? 0) })));
  const two = [...all].sort((a, b) => b.steep - a.steep).slice(0, 2);
  return all.length < 2 ? null : all.filter((part) => two.includes(part));
}

/** Axes of such numbers about a way through values, within bounds. */
export function framed(spec, parts, way) {
  return parts.map(({ name, index }) => {
    const along = way.map((values) => values[name][index]), last = way.at(-1)[name];
    const from = Math.min(...along), to = Math.max(...along), { bounds } = spec.fields.find((f) => f.name === name);
    const size = last.slice(0, 1e4).reduce((a, x) => Math.max(a, Math.abs(x)), 0) || 1;
    const half = Math.max(0.5 * size, 0.75 * (to - from)), middle = (from + to) / 2;
    const low = Math.max(middle - half, bounds?.[0] ?? -Infinity), high = Math.min(middle + half, bounds?.[1] ?? Infinity);
    return { name, index, ...(low < high ? { low, high } : { low: middle - half, high: middle + half }) };
  });
}

/** The values with two numbers where shares of the axes lie. */
export function placed(values, axes, shares) {
  const out = { ...values };
  axes.forEach(({ name, index, low, high }, k) => {
    out[name] = Float64Array.from(out[name]);
    out[name][index] = low + shares[k] * (high - low);
  });
  return out;
}

/** The losses of each grid, row by row along the second axis; and nothing after each loss between. */
export function* explored(gradient, values, axes) {
  let known = null;
  for (const n of GRIDS) {
    const began = performance.now(), losses = new Float64Array(n * n), half = (n + 1) / 2;
    for (let j = 0; j < n; j++) {
      for (let i = 0; i < n; i++) {
        if (known && i % 2 === 0 && j % 2 === 0) losses[j * n + i] = known[(j / 2) * half + i / 2];
        else {
          losses[j * n + i] = gradient(placed(values, axes, [i / (n - 1), j / (n - 1)])).loss;
          yield null;
        }
      }
    }
    known = losses;
    yield { n, axes, losses: losses.slice() };
    if (4 * (performance.now() - began) > LONGEST) return;
  }
}
