// A billiard table, drawn once for each size.
import { blend, rgb } from "./painter.js";

export const TABLE_MARGIN = 52;
const CUSHION = 9, RAIL = 34;
let last = { key: "", image: null };

function box(ctx, x, y, [halfX, halfY], grow, radius) {
  ctx.beginPath();
  ctx.roundRect(x - halfX - grow, y - halfY - grow, 2 * (halfX + grow), 2 * (halfY + grow), Math.max(radius, 0));
}

/** The table in a room of one palette; it is always lit as in the other. */
export function table(width, height, half, unit, room, dark) {
  const key = [width, height, half, unit, room.window].join();
  if (last.key === key) return last.image;
  const image = document.createElement("canvas");
  [image.width, image.height] = [width, height];
  draw(image.getContext("2d"), width, height, half, unit, room, dark);
  last = { key, image };
  return image;
}

function draw(ctx, width, height, half, unit, room, palette) {
  const x = width / 2, y = height / 2;
  ctx.fillStyle = room.window;
  ctx.fillRect(0, 0, width, height);
  ctx.save();
  ctx.shadowColor = room.shade;
  ctx.shadowBlur = 14 * unit;
  box(ctx, x, y, half, RAIL * unit, 16 * unit);
  ctx.fillStyle = palette["wood edge"];
  ctx.fill();
  ctx.restore();
  const rings = Math.ceil((RAIL - CUSHION) * Math.max(unit, 1));
  for (let k = 0; k <= rings; k++) {
    const inward = k / rings, bright = 0.75 + 0.5 * Math.sin(Math.PI * inward);
    const [edge, wood] = [rgb(palette["wood edge"]), rgb(palette.wood)], share = Math.sqrt(inward);
    ctx.fillStyle = `rgb(${edge.map((c, i) => Math.round(bright * (c + share * (wood[i] - c)))).join()})`;
    box(ctx, x, y, half, (RAIL - (RAIL - CUSHION) * inward) * unit, (16 - 11 * inward) * unit);
    ctx.fill();
  }
  ctx.fillStyle = blend("#000000", palette.cushion, 0.72);
  box(ctx, x, y, half, CUSHION * unit, 5 * unit);
  ctx.fill();
  ctx.fillStyle = palette.cushion;
  box(ctx, x, y, half, (CUSHION - 1.5) * unit, 5 * unit);
  ctx.fill();
  bed(ctx, x, y, half, unit, palette);
  sights(ctx, x, y, half, unit, palette);
}

function bed(ctx, x, y, half, unit, palette) {
  ctx.save();
  box(ctx, x, y, half, 0, 3 * unit);
  ctx.clip();
  ctx.translate(x, y);
  ctx.scale(...half);
  const lamp = ctx.createRadialGradient(0, 0, 0, 0, 0, Math.sqrt(1.6));
  for (let k = 0; k <= 12; k++)
    lamp.addColorStop(k / 12, blend(palette.felt, palette["felt edge"], (k / 12) ** 2));
  ctx.fillStyle = lamp;
  ctx.fillRect(-1, -1, 2, 2);
  ctx.setTransform(1, 0, 0, 1, 0, 0);
  ctx.strokeStyle = palette.shade;
  ctx.lineWidth = unit;
  for (let k = 0; k < 20; k++) {
    ctx.globalAlpha = 0.32 * Math.exp(-(k + 0.5) / 5);
    box(ctx, x, y, half, -(k + 0.5) * unit, 3 * unit);
    ctx.stroke();
  }
  ctx.restore();
}

/** The inlaid dots that players aim by: seven along a long rail, three along a short one. */
function sights(ctx, x, y, half, unit, palette) {
  const longer = half[0] < half[1] ? 1 : 0;
  ctx.fillStyle = palette.sight;
  for (const [axis, parts] of [[longer, 8], [1 - longer, 4]]) {
    for (let mark = 1; mark < parts; mark++) {
      for (const side of [-1, 1]) {
        const dot = [x, y];
        dot[axis] += half[axis] * ((2 * mark) / parts - 1);
        dot[1 - axis] += side * (half[1 - axis] + ((CUSHION + RAIL) * unit) / 2);
        ctx.beginPath();
        ctx.arc(...dot, 2.4 * unit, 0, 2 * Math.PI);
        ctx.fill();
      }
    }
  }
}
