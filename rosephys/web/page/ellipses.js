// Ellipses on a canvas, as rosephys/drawing/ellipse.py paints them on a window.
import { PAINTERS, isNear, stroke } from "./painter.js";

PAINTERS.Ellipses = (pen, { centres, radii, colour, outline: edge, width, opacity }) => {
  const { ctx, at, named } = pen;
  for (let k = 0; k < centres.length; k += 2) {
    const x = at.x(centres[k]), y = at.y(centres[k + 1]), a = at.scale * radii[k], b = at.scale * radii[k + 1];
    if (!isNear(x, y) || !isNear(a, b)) continue;
    const path = () => ctx.ellipse(x, y, a, b, 0, 0, 2 * Math.PI);
    if (colour) {
      Object.assign(ctx, { fillStyle: named(colour), globalAlpha: opacity }).beginPath();
      path();
      ctx.fill();
      ctx.globalAlpha = 1;
    }
    if (edge) stroke(pen, width * at.unit, edge, 1, path);
  }
};
