// A circle of the picture, taken by a hand, brought to where the hand is: as rosephys/solve/reach.py, which says why.
const FIRST = 1e-3, LEAST = 1e-6, MOST = 1e6, FALL = 3, RISE = 4, ENOUGH = 1e-4, FITS = 4;

export class Reacher {
  constructor(made, spec) {
    this.made = made;
    this.damping = FIRST;
    this.fields = spec.fields.filter((f) => f.control);
    const each = (what) => this.fields.flatMap((f) => f.value.map(() => what(f)));
    Object.assign(this, { rates: each((f) => f.rate), low: each((f) => f.bounds?.[0] ?? -Infinity),
      high: each((f) => f.bounds?.[1] ?? Infinity) });
  }

  /** The numbers of all controls, one after the other. */
  flat(values) { return this.fields.flatMap((f) => [...values[f.name]]); }

  at(values, { circle, step, goal }) {
    const [x, y] = [[0, 1, 0], [0, 0, 1]].map((weights) => this.made.gradient(values, circle, step, weights));
    const miss = goal.map((g, k) => x.place[k] - g), rows = [this.flat(x.slope), this.flat(y.slope)], slope = {};
    for (const { name } of this.fields)
      slope[name] = x.slope[name].map((s, k) => 2 * (miss[0] * s + miss[1] * y.slope[name][k]));
    const loss = miss[0] ** 2 + miss[1] ** 2, good = rows.flat().every(Number.isFinite) && Number.isFinite(loss);
    return { values, loss: good ? loss : Infinity, slope, miss, rows };
  }

  moved({ values, miss, rows: [jx, jy] }) {
    const { rates, low, high, damping } = this, x = this.flat(values), to = x.slice(), free = x.map(() => 1);
    for (let fit = 0, held = true; held && fit < FITS; fit++) {
      let [mx, my] = miss, a = 0, b = 0, d = 0;
      for (let k = 0; k < x.length; k++) {
        const bound = free[k] ? 0 : to[k] - x[k], rate = free[k] * rates[k];
        mx += jx[k] * bound; my += jy[k] * bound;
        a += rate * jx[k] ** 2; b += rate * jx[k] * jy[k]; d += rate * jy[k] ** 2;
      }
      const size = a + d, more = damping * size, whole = (a + more) * (d + more) - b * b, good = size > 0 && size < Infinity;
      const px = good ? ((d + more) * mx - b * my) / whole : 0, py = good ? ((a + more) * my - b * mx) / whole : 0;
      held = false;
      for (let k = 0; k < x.length; k++) {
        if (!free[k]) continue;
        const wanted = x[k] - rates[k] * (px * jx[k] + py * jy[k]);
        to[k] = Math.min(Math.max(wanted, low[k]), high[k]);
        if (to[k] !== wanted) { free[k] = 0; held = true; }
      }
    }
    const out = { ...values };
    let from = 0;
    for (const { name, value } of this.fields) out[name] = Float64Array.from(to.slice(from, from += value.length));
    return to.every((t, k) => t === x[k]) ? null : out;
  }

  *reach(values, aim, iterations) {
    let now = this.at(values, aim);
    yield now;
    for (let k = 0; k < iterations && now.loss > 0 && now.loss < Infinity && this.damping < MOST;) {
      const moved = this.moved(now);
      if (!moved) break;
      const trial = this.at(moved, aim), gained = now.loss - trial.loss;
      if (!(gained > 0)) { this.damping *= RISE; yield now; continue; }
      const last = gained < ENOUGH * now.loss && this.damping <= FIRST;
      this.damping = Math.max(this.damping / FALL, LEAST);
      now = trial;
      k++;
      yield now;
      if (last) break;
    }
    this.damping = Math.min(this.damping, FIRST);
  }
}
