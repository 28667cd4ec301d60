// Pictures on a canvas, as rosephys/drawing paints them on a window.
import { decode, view } from "./runtime.js";
import { liquid } from "./fluid.js";
import { images } from "./image.js";
import { lines } from "./lines.js";
import { table, TABLE_MARGIN } from "./table.js";

const FAR = 1e4, MARGIN = 24;
export const WHOLE = 1e8; // a canvas cuts what is plain itself; of dashes it makes each
export const isNear = (x, y, far = FAR) => Math.abs(x) < far && Math.abs(y) < far;

/** Colours of a theme by name; others are as they are. */
export const colours = (palette) => (name) => palette[name] ?? name;

export const rgb = (() => {
  const known = new Map(), ctx = document.createElement("canvas").getContext("2d");
  return (colour) => {
    if (!known.has(colour)) {
      ctx.fillStyle = "#000";
      ctx.fillStyle = colour;
      const hex = ctx.fillStyle;
      known.set(colour, [1, 3, 5].map((k) => parseInt(hex.slice(k, k + 2), 16)));
    }
    return known.get(colour);
  };
})();

export const blend = (a, b, share) => {
  const [p, q] = [rgb(a), rgb(b)];
  return `rgb(${p.map((x, k) => Math.round(x + share * (q[k] - x))).join()})`;
};

/** The tree of a picture as shapes: objects of numbers and words, with their kind. */
export function shapesOf(tree, memory) {
  const read = (leaf) => {
    const found = view(memory, leaf);
    return leaf.shape.length ? Object.assign(found, { shape: leaf.shape }) : Number(found[0]);
  };
  const { shapes, view: seen, background } = tree.fields;
  return {
    shapes: shapes.map((shape) => ({ kind: shape.kind, ...decode(shape, read) })),
    view: [...[decode(seen, read)].flat()].map(Number),
    background: decode(background, read),
  };
}

/** Where the world lies on an area: x and y of pixels, and `scale` pixels to a unit of length. */
export function fit(seen, width, height, margin, unit) {
  const [x0, y0, x1, y1] = seen;
  const wide = Math.max(x1 - x0, 1e-9), high = Math.max(y1 - y0, 1e-9);
  const scale = Math.min(Math.max(width - 2 * margin, 1) / wide, Math.max(height - 2 * margin, 1) / high);
  const left = width / 2 - (scale * (x0 + x1)) / 2, top = height / 2 + (scale * (y0 + y1)) / 2;
  return {
    scale, unit,
    x: (x) => left + scale * x,
    y: (y) => top - scale * y,
    world: (px, py) => [(px - left) / scale, (top - py) / scale],
  };
}

/** The background of a picture, and where the world lies on it. */
export function backdrop(ctx, picture, width, height, unit, palette, dark) {
  const named = colours(palette), felt = picture.background === "felt";
  const at = fit(picture.view, width, height, (felt ? TABLE_MARGIN : MARGIN) * unit, unit);
  if (felt) {
    const [x0, y0, x1, y1] = picture.view;
    const half = [(at.scale * (x1 - x0)) / 2, (at.scale * (y1 - y0)) / 2];
    ctx.drawImage(table(width, height, half, unit, palette, dark), 0, 0);
  } else {
    ctx.fillStyle = named(picture.background);
    ctx.fillRect(0, 0, width, height);
  }
  return at;
}

/** The shapes of a picture, in order; those on felt are always bright. */
export function paint(ctx, picture, at, palettes, theme, maps) {
  const palette = picture.background.startsWith("felt") ? palettes.dark : palettes[theme];
  const pen = { ctx, at, named: colours(palette), maps: maps?.[theme] };
  ctx.lineCap = ctx.lineJoin = "round";
  for (const shape of picture.shapes) PAINTERS[shape.kind](pen, shape);
}

// ---- Lines ----

export function stroke({ ctx, named }, width, colour, alpha, path) {
  ctx.globalAlpha = alpha * Math.min(width, 1);
  ctx.lineWidth = Math.max(width, 1);
  ctx.strokeStyle = named(colour);
  ctx.beginPath();
  path();
  ctx.stroke();
  ctx.globalAlpha = 1;
}

export function through({ ctx, at }, points, from = 0, to = points.length / 2, far = FAR) {
  let on = false;
  for (let k = from; k < to; k++) {
    const x = at.x(points[2 * k]), y = at.y(points[2 * k + 1]);
    if (!isNear(x, y, far)) on = false;
    else if (on) ctx.lineTo(x, y);
    else { ctx.moveTo(x, y); on = true; }
  }
}

function ring(pen, x, y, radius, width, colour, alpha = 1) {
  if (!isNear(x, y) || !(radius >= 0 && radius < FAR)) return;
  stroke(pen, width, colour, alpha, () => pen.ctx.arc(x, y, radius, 0, 2 * Math.PI));
}

/** Paths of points over the frames: dashed, fading, ringed where they end. */
export function paintTracks(ctx, tracks, at, palette) {
  const pen = { ctx, at, named: colours(palette) }, { unit } = at, PIECES = 12;
  ctx.lineCap = "round";
  for (const { points, colour } of tracks) {
    const n = points.length / 2;
    if (!n) continue;
    let along = 0;
    for (let piece = 0; piece < PIECES; piece++) {
      const from = Math.floor((piece * (n - 1)) / PIECES), to = Math.floor(((piece + 1) * (n - 1)) / PIECES);
      ctx.setLineDash([9 * unit, 9 * unit]);
      ctx.lineDashOffset = along;
      stroke(pen, 2 * unit, colour, 0.85 - (0.35 * piece) / PIECES, () => through(pen, points, from, to + 1));
      for (let k = from; k < to; k++) {
        const step = at.scale * Math.hypot(points[2 * k + 2] - points[2 * k], points[2 * k + 3] - points[2 * k + 1]);
        along += Number.isFinite(step) ? step : 0;
      }
    }
    ctx.setLineDash([]);
    ring(pen, at.x(points[2 * n - 2]), at.y(points[2 * n - 1]), 5 * unit, 1.6 * unit, colour, 0.8);
  }
}

// ---- Balls ----

const sprites = new Map();

export function kept(key, make) {
  if (!sprites.has(key)) {
    if (sprites.size > 400) sprites.clear();
    sprites.set(key, make());
  }
  return sprites.get(key);
}

export function blank(side) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = side;
  return canvas;
}

/** A sphere lit from above left, its label on a pale spot. */
function ball(radius, colour, label, ivory, ink) {
  const half = Math.ceil(radius) + 1, side = 2 * half, canvas = blank(side);
  const ctx = canvas.getContext("2d", { willReadFrequently: true });
  ctx.fillStyle = colour;
  ctx.fillRect(0, 0, side, side);
  if (label && radius >= 7) {
    ctx.fillStyle = ivory;
    ctx.beginPath();
    ctx.arc(half, half, 0.56 * radius, 0, 2 * Math.PI);
    ctx.fill();
    ctx.fillStyle = ink;
    ctx.font = `700 ${radius * ({ 1: 0.78, 2: 0.64 }[label.length] ?? 0.46)}px "Helvetica Neue", Arial, sans-serif`;
    ctx.textAlign = "center";
    const { actualBoundingBoxAscent: up, actualBoundingBoxDescent: down } = ctx.measureText(label);
    ctx.fillText(label, half, half + (up - down) / 2);
  }
  const image = ctx.getImageData(0, 0, side, side), { data } = image;
  for (let j = 0, p = 0; j < side; j++) {
    for (let i = 0; i < side; i++, p += 4) {
      const u = (i + 0.5 - half) / radius, v = (j + 0.5 - half) / radius, square = u * u + v * v;
      const light = -0.42 * u - 0.52 * v + 0.74 * Math.sqrt(Math.max(1 - square, 0));
      const lit = 0.42 + 0.66 * Math.min(Math.max(light, 0), 1);
      const glint = 0.62 * Math.exp(-((u + 0.36) ** 2 + (v + 0.42) ** 2) / 0.035);
      for (let c = 0; c < 3; c++) {
        const shade = Math.min(data[p + c] * lit, 255);
        data[p + c] = shade + glint * (255 - shade);
      }
      data[p + 3] = 255 * Math.min(Math.max((1 - Math.sqrt(square)) * radius + 0.5, 0), 1);
    }
  }
  ctx.putImageData(image, 0, 0);
  return canvas;
}

/** What a ball on the table takes of the light, away from the lamp. */
function shadow(radius) {
  const half = Math.ceil(1.8 * radius) + 1, canvas = blank(2 * half), ctx = canvas.getContext("2d");
  const x = half + 0.2 * radius, y = half + 0.28 * radius;
  const fade = ctx.createRadialGradient(x, y, 0, x, y, 1.32 * radius);
  for (let k = 0; k <= 10; k++) {
    const d = 0.72 + 0.06 * k, dark = Math.min(Math.max((1.32 - d) / 0.6, 0), 1);
    fade.addColorStop(Math.min(d / 1.32, 1), `rgba(0,0,0,${0.5 * dark * dark * (3 - 2 * dark)})`);
  }
  ctx.fillStyle = fade;
  ctx.fillRect(0, 0, 2 * half, 2 * half);
  return canvas;
}

function circles(pen, { centres, radii, colours: shades, labels = [], style }) {
  const { ctx, at, named } = pen, n = centres.length / 2;
  const radius = (k) => (typeof radii === "number" ? radii : radii[k % radii.length]) * at.scale;
  const shade = (k) => shades[k % shades.length];
  const each = (draw) => {
    for (let k = 0; k < n; k++) {
      const x = at.x(centres[2 * k]), y = at.y(centres[2 * k + 1]), r = radius(k);
      if (isNear(x, y) && r > 0 && r < FAR) draw(k, x, y, r);
    }
  };
  if (style === "ring") return each((k, x, y, r) => ring(pen, x, y, r, 2 * at.unit, shade(k)));
  if (style === "disc") {
    return each((k, x, y, r) => {
      ctx.fillStyle = named(shade(k));
      ctx.beginPath();
      ctx.arc(x, y, Math.max(r, 0.5), 0, 2 * Math.PI);
      ctx.fill();
    });
  }
  const size = (r) => Math.max(Math.round(4 * r), 2) / 4;
  const put = (image, x, y) => ctx.drawImage(image, x - image.width / 2, y - image.height / 2);
  each((k, x, y, r) => put(kept(`shadow ${size(r)}`, () => shadow(size(r))), x, y));
  each((k, x, y, r) => {
    const colour = named(shade(k)), label = labels[k] ?? "";
    const key = `${size(r)} ${colour} ${label}`;
    put(kept(key, () => ball(size(r), colour, label, named("ivory"), named("ink"))), x, y);
  });
}

// ---- The other shapes ----

function cross(pen, { position, colour, size }) {
  const { ctx, at } = pen, x = at.x(position[0]), y = at.y(position[1]), s = size * at.unit;
  if (!isNear(x, y)) return;
  const arm = (0.62 * s) / Math.SQRT2;
  stroke(pen, 2.4 * at.unit, colour, 1, () => {
    ctx.moveTo(x - arm, y - arm); ctx.lineTo(x + arm, y + arm);
    ctx.moveTo(x - arm, y + arm); ctx.lineTo(x + arm, y - arm);
  });
  ring(pen, x, y, 1.35 * s, 1.8 * at.unit, colour, 0.9);
}

export function arrowTo(pen, x0, y0, x1, y1, width, colour, alpha = 1) {
  const { ctx, named } = pen, length = Math.hypot(x1 - x0, y1 - y0);
  if (!(length >= 1 && length < FAR)) return;
  const ax = (x1 - x0) / length, ay = (y1 - y0) / length, head = Math.min(4.2 * width, length);
  const nx = x1 - head * ax, ny = y1 - head * ay, wing = 0.45 * head;
  stroke(pen, width, colour, alpha, () => { ctx.moveTo(x0, y0); ctx.lineTo(nx, ny); });
  ctx.globalAlpha = alpha;
  ctx.fillStyle = named(colour);
  ctx.beginPath();
  ctx.moveTo(x1, y1);
  ctx.lineTo(nx - wing * ay, ny + wing * ax);
  ctx.lineTo(nx + wing * ay, ny - wing * ax);
  ctx.fill();
  ctx.globalAlpha = 1;
}

export const PAINTERS = {
  Circles: circles,
  Fluid: (pen, shape) => liquid(pen, shape, rgb),
  ...lines,
  Arrow: (pen, { start, vector, colour, width }) => {
    const { at } = pen, [x, y] = start;
    arrowTo(pen, at.x(x), at.y(y), at.x(x + vector[0]), at.y(y + vector[1]), width * at.unit, colour);
  },
  Cross: cross,
  Text: ({ ctx, at, named }, { position, text, colour, size, scaled }) => {
    ctx.fillStyle = named(colour);
    ctx.font = `700 ${size * (scaled ? at.scale : at.unit)}px "Helvetica Neue", Arial, sans-serif`;
    Object.assign(ctx, { textAlign: "center", textBaseline: "middle" });
    ctx.fillText(text, at.x(position[0]), at.y(position[1]));
  },
  ...images,
};
