// The body of a liquid that is known by points in it, as rosephys/drawing/fluid.py paints it.
const WIDTH = 2.4, REACH = 3, EDGE = 1 / 3, DROP = 0.7, CELL = 0.8, SMALLEST = 1.5;

export function liquid({ ctx, at, named }, { points, radius, colours, walls }, rgb) {
  const r = radius * at.scale, n = points.length / 2;
  if (!(r > 0 && r < 1e4)) return;
  const coarse = Math.max(1, Math.floor(at.unit)); // on screens of many pixels, one for several
  const cell = Math.max(CELL * r, SMALLEST * coarse), margin = REACH * WIDTH * r;
  let [left, top, right, bottom] = [0, 0, ctx.canvas.width, ctx.canvas.height];
  const xs = [], ys = [], shades = [];
  for (let k = 0; k < n; k++) {
    const x = at.x(points[2 * k]), y = at.y(points[2 * k + 1]);
    if (!(x > -margin && x < right + margin && y > -margin && y < bottom + margin)) continue;
    xs.push(x); ys.push(y); shades.push(rgb(named(colours[k % colours.length])));
  }
  if (walls?.length) {
    const [x0, y0, x1, y1] = [...[walls].flat()].map(Number);
    const inside = [Math.round(at.x(x0)), Math.round(at.y(y1)), Math.round(at.x(x1)), Math.round(at.y(y0))];
    [left, top] = [Math.max(left, inside[0]), Math.max(top, inside[1])];
    [right, bottom] = [Math.min(right, inside[2]), Math.min(bottom, inside[3])];
    mirror(xs, ys, shades, [inside[0], inside[2]], margin);
    mirror(ys, xs, shades, [inside[1], inside[3]], margin);
  }
  if (!xs.length || right <= left || bottom <= top) return;
  const x0 = Math.max(xs.reduce((a, b) => Math.min(a, b)) - margin, -margin);
  const y0 = Math.max(ys.reduce((a, b) => Math.min(a, b)) - margin, -margin);
  const across = Math.ceil((Math.min(xs.reduce((a, b) => Math.max(a, b)), right) + margin - x0) / cell) + 1;
  const down = Math.ceil((Math.min(ys.reduce((a, b) => Math.max(a, b)), bottom) + margin - y0) / cell) + 1;
  if (across * down > 4e6) return;
  const { level, body } = field(xs, ys, shades, r, cell, x0, y0, across, down);
  left = Math.max(left, Math.floor(x0)); top = Math.max(top, Math.floor(y0));
  right = Math.min(right, Math.ceil(x0 + across * cell)); bottom = Math.min(bottom, Math.ceil(y0 + down * cell));
  lay(ctx, level, body, { x0, y0, cell, across, down, left, top, right, bottom, coarse });
}

/** Images of the points in two walls that they are near. */
function mirror(along, other, shades, walls, margin) {
  const n = along.length;
  for (const wall of walls) {
    for (let k = 0; k < n; k++) {
      if (Math.abs(along[k] - wall) >= margin) continue;
      along.push(2 * wall - along[k]); other.push(other[k]); shades.push(shades[k]);
    }
  }
}

/** How far it is from each cell to the surface, in pixels, negative inside; and the colour there. */
function field(xs, ys, shades, r, cell, x0, y0, across, down) {
  const sums = [0, 1, 2, 3].map(() => new Float32Array(across * down));
  for (let k = 0; k < xs.length; k++) {
    const x = (xs[k] - x0) / cell - 0.5, y = (ys[k] - y0) / cell - 0.5, i = Math.floor(x), j = Math.floor(y);
    for (const [a, b] of [[0, 0], [1, 0], [0, 1], [1, 1]]) {
      const column = Math.min(Math.max(i + a, 0), across - 1), row = Math.min(Math.max(j + b, 0), down - 1);
      const share = (1 - Math.abs(x - i - a)) * (1 - Math.abs(y - j - b)), p = row * across + column;
      sums[0][p] += share;
      for (let c = 0; c < 3; c++) sums[c + 1][p] += share * shades[k][c];
    }
  }
  const drops = blurred(sums[0], across, down, (DROP * r) / cell);
  const spread = sums.map((s) => blurred(s, across, down, (WIDTH * r) / cell));
  const whole = (4 * r * r) / (2 * Math.PI * (WIDTH * r) ** 2), slope = 0.36 / (WIDTH * r);
  const level = drops.map((d, p) => {
    const apart = Math.sqrt(-2 * Math.log(Math.min(Math.max(2 * d, 1e-30), 1))) - 1;
    return Math.min((EDGE - whole * spread[0][p]) / slope, DROP * r * apart);
  });
  const body = new ImageData(across, down);
  for (let p = 0; p < level.length; p++) {
    const weight = Math.max(spread[0][p], 1e-9);
    for (let c = 0; c < 3; c++) body.data[4 * p + c] = spread[c + 1][p] / weight;
    body.data[4 * p + 3] = 255;
  }
  return { level, body };
}

function blurred(values, across, down, width) {
  const reach = Math.ceil(REACH * width), weights = [];
  for (let k = 1; k <= reach; k++) weights.push(Math.exp(-0.5 * (k / width) ** 2));
  const pass = (from, n, m, step, line) => {
    const out = from.slice();
    for (let l = 0; l < m; l++)
      for (let k = 0; k < n; k++) {
        const x = from[l * line + k * step];
        if (!x) continue;
        for (let d = 1; d <= reach; d++) {
          if (k + d < n) out[l * line + (k + d) * step] += weights[d - 1] * x;
          if (k - d >= 0) out[l * line + (k - d) * step] += weights[d - 1] * x;
        }
      }
    return out;
  };
  return pass(pass(values, across, down, 1, across), down, across, across, 1);
}

const canvases = [];
function canvas(k, width, height) {
  canvases[k] ??= document.createElement("canvas");
  if (canvases[k].width !== width) canvases[k].width = width;
  if (canvases[k].height !== height) canvases[k].height = height;
  return canvases[k];
}

/** The colours, cut out along the surface, with a bright rim. */
function lay(ctx, level, body, { x0, y0, cell, across, down, left, top, right, bottom, coarse }) {
  const wide = Math.ceil((right - left) / coarse), high = Math.ceil((bottom - top) / coarse);
  if (wide < 1 || high < 1) return;
  const small = canvas(0, across, down), image = canvas(1, wide, high);
  small.getContext("2d").putImageData(body, 0, 0);
  const brush = image.getContext("2d", { willReadFrequently: true });
  brush.clearRect(0, 0, wide, high);
  brush.drawImage(small, (x0 - left) / coarse, (y0 - top) / coarse, (across * cell) / coarse, (down * cell) / coarse);
  const pixels = brush.getImageData(0, 0, wide, high), { data } = pixels;
  for (let j = 0, p = 0; j < high; j++) {
    const v = Math.min(Math.max((top + (j + 0.5) * coarse - y0) / cell - 0.5, 0), down - 1.001);
    const row = Math.floor(v), fy = v - row;
    for (let i = 0; i < wide; i++, p += 4) {
      const u = Math.min(Math.max((left + (i + 0.5) * coarse - x0) / cell - 0.5, 0), across - 1.001);
      const q = row * across + Math.floor(u), fx = u - Math.floor(u);
      const far = ((level[q] * (1 - fx) + level[q + 1] * fx) * (1 - fy) +
        (level[q + across] * (1 - fx) + level[q + across + 1] * fx) * fy) / coarse;
      if (far > 0.5) { data[p + 3] = 0; continue; }
      const rim = 0.5 * Math.exp(-Math.abs(far + 1.5) / 1.5);
      for (let c = 0; c < 3; c++) data[p + c] += rim * (255 - data[p + c]);
      data[p + 3] = 255 * Math.min(0.5 - far, 1);
    }
  }
  brush.putImageData(pixels, 0, 0);
  ctx.drawImage(image, left, top, wide * coarse, high * coarse);
}
