// Fields as images, in the colours of a map.
import { blank, kept } from "./painter.js";

/** The table of 256 colours of a map: between its stops in light, as words of RGBA. */
function coloursOf(stops) {
  const parts = stops.map((s) => [1, 3, 5].map((k) => (parseInt(s.slice(k, k + 2), 16) / 255) ** 2.2));
  return Uint32Array.from({ length: 256 }, (_, level) => {
    const at = (level / 255) * (parts.length - 1), k = Math.min(Math.floor(at), parts.length - 2);
    const [r, g, b] = parts[k].map((a, c) => Math.round(255 * (a + (at - k) * (parts[k + 1][c] - a)) ** (1 / 2.2)));
    return (255 << 24) | (b << 16) | (g << 8) | r;
  });
}

function image({ ctx, at, maps }, { values, box, colours: map, low, high }) {
  const [n, m] = values.shape, table = kept(maps[map], () => coloursOf(maps[map]));
  const [x0, y0, x1, y1] = [...[box].flat()].map(Number);
  const cells = kept(`cells ${n} ${m}`, () => {
    const canvas = blank(1);
    [canvas.width, canvas.height] = [n, m];
    return canvas;
  });
  const flat = cells.getContext("2d"), pixels = flat.createImageData(n, m);
  const out = new Uint32Array(pixels.data.buffer);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < m; j++) {
      const share = (values[i * m + j] - low) / (high - low);
      out[(m - 1 - j) * n + i] = table[Math.min(Math.max(Math.floor(share * 256) || 0, 0), 255)];
    }
  }
  flat.putImageData(pixels, 0, 0);
  ctx.imageSmoothingEnabled = true;
  ctx.imageSmoothingQuality = "high";
  ctx.drawImage(cells, at.x(x0), at.y(y1), at.scale * (x1 - x0), at.scale * (y1 - y0));
}

export const images = { Image: image };
