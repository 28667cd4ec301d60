// Lines and polygons, with their shades.
import { WHOLE, blend, isNear, stroke, through } from "./painter.js";

const SHADES = 8, FACES = 32;

function shaded(shape, level, shades, named) {
  const rounded = Math.round(shades * Math.min(Math.max(level || 0, -1), 1)) / shades;
  return blend(named(shape.colour), named(rounded > 0 ? shape.high : shape.low), Math.abs(rounded));
}

function straight(pen, shape) {
  const { starts, ends, levels, width } = shape, { ctx, at, named } = pen, groups = new Map();
  for (let k = 0; k < starts.length / 2; k++) {
    const shade = levels?.length ? shaded(shape, levels[k], SHADES, named) : shape.colour;
    groups.set(shade, [...(groups.get(shade) ?? []), k]);
  }
  for (const [shade, which] of groups) {
    stroke(pen, width * at.unit, shade, 1, () => {
      for (const k of which) {
        const x0 = at.x(starts[2 * k]), y0 = at.y(starts[2 * k + 1]);
        const x1 = at.x(ends[2 * k]), y1 = at.y(ends[2 * k + 1]);
        if (isNear(x0, y0, WHOLE) && isNear(x1, y1, WHOLE)) { ctx.moveTo(x0, y0); ctx.lineTo(x1, y1); }
      }
    });
  }
}

function outline({ ctx, at }, points, from = 0, to = points.length / 2) {
  ctx.beginPath();
  for (let k = from; k < to; k++) {
    const x = at.x(points[2 * k]), y = at.y(points[2 * k + 1]);
    if (!isNear(x, y, WHOLE)) return false;
    ctx.lineTo(x, y);
  }
  ctx.closePath();
  return true;
}

function filled(pen, points, colour, from, to, opacity = 1) {
  if (!outline(pen, points, from, to)) return;
  pen.ctx.globalAlpha = opacity;
  pen.ctx.fillStyle = pen.ctx.strokeStyle = colour;
  pen.ctx.lineWidth = 1; // neighbours leave no gap
  pen.ctx.fill();
  if (opacity === 1) pen.ctx.stroke();
  pen.ctx.globalAlpha = 1;
}

export const lines = {
  Lines: straight,
  Polyline: (pen, { points, colour, width, dashed }) => {
    const w = width * pen.at.unit;
    pen.ctx.setLineDash(dashed ? [4 * w, 4 * w] : []);
    stroke(pen, w, colour, 1, () => through(pen, points, 0, points.length / 2, dashed ? undefined : WHOLE));
    pen.ctx.setLineDash([]);
  },
  Polygon: (pen, { points, colour, outline: edge, width, opacity }) => {
    filled(pen, points, pen.named(colour), 0, points.length / 2, opacity);
    if (edge && outline(pen, points))
      Object.assign(pen.ctx, { strokeStyle: pen.named(edge), lineWidth: width * pen.at.unit }).stroke();
  },
  Polygons: (pen, shape) => {
    const [n, k] = shape.points.shape;
    for (let face = 0; face < n; face++)
      filled(pen, shape.points, shaded(shape, shape.levels[face], FACES, pen.named), face * k, (face + 1) * k);
  },
};
