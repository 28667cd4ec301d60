// Fields of many points, each of which is a handle: the rest settles about the one that a hand holds.
import { RosephysScene } from "./scene.js";

const plain = { ...Object.getOwnPropertyDescriptors(RosephysScene.prototype) };

Object.assign(RosephysScene.prototype, {
  /** A handle for each row; `fields` is what does not follow the answer while it is held: nothing. */
  handles() {
    return this.spec.fields.filter((f) => f.handle).flatMap((f) => {
      const v = this.values[f.name], one = { field: f.name, control: f.control };
      const at = (k) => ({ x: this.at.x(v[2 * k]), y: this.at.y(v[2 * k + 1]) });
      if (!f.rows) return { ...one, ...at(0) };
      return Array.from({ length: v.length / 2 }, (_, row) => ({ ...one, ...at(row), row, fields: [] }));
    });
  },

  change(field, value, held) {
    const row = this.held?.row;
    if (!(row >= 0)) return plain.change.value.call(this, field, value, held);
    const points = this.values[field].map((x, k) => (k >> 1 === row ? value[k & 1] : x));
    plain.change.value.call(this, field, points, false);
  },

  asked(what) {
    plain.asked.value.call(this, this.held?.row >= 0 ? { ...what, looks: this.held } : what);
  },

  /** Of many handles only the one at the hand is shown. */
  paintHandles(ctx, palette) {
    const hand = this.held ?? this.over;
    const shown = this.handles().filter((h) => !(h.row >= 0) || (h.field === hand?.field && h.row === hand.row));
    this.handles = () => shown;
    plain.paintHandles.value.call(this, ctx, palette);
    delete this.handles;
  },
});
