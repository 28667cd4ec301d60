// <rosephys-scene src="billiards.wasm">: a scene, live. With `plain` it is the picture alone; `theme` is "dark"
// or "light", that of the scene without it; with `address` what is seen stands in the address bar.
import { leaves } from "./runtime.js";
import { framed, placed, steepest } from "./landscape.js";
import { answering, program } from "./solver.js";
import { unpack } from "./numbers.js";
import { arrowTo, backdrop, blank, colours, paint, paintTracks, rgb, shapesOf } from "./painter.js";

const SECTION = "rosephys", SHORT = 2.5, LONG = 9; // of the module; seconds that a motion is played in
const QUICK_BYTES = 4e6; // of a module's memory: such a motion is found before its first frame is due
const HOLD = 26; // pixels from a handle that a hand takes it at; from a circle half of them
const still = matchMedia("(prefers-reduced-motion: reduce)");
const text = (x) => {
  if (!Number.isFinite(x)) return "none";
  const size = Math.abs(x);
  return (size !== 0 && (size < 1e-3 || size >= 1e5) ? x.toExponential(2).replace("e+", "e") : x.toFixed(4))
    .replaceAll("-", "−");
};
const words = (name) => name.replaceAll("_", " ");
/** What somebody wrote, as it stands in HTML. */
const safe = (said) => new Option(said).innerHTML.replaceAll('"', "&quot;");

/** What a worker does with the solver. */
function work({ answering }) {
  const waiting = [];
  let answer;
  onmessage = async ({ data }) => {
    if (data.module) {
      const instance = await WebAssembly.instantiate(data.module, {});
      answer = answering(instance, data.spec, (m, moved) => postMessage(m, moved));
      for (const early of waiting) answer(early);
    } else if (answer) answer(data);
    else waiting.push(data);
  };
}

/** A worker with the solver, for a scene; `refused` is called where there may be none. */
function worker(module, spec, hear, refused) {
  const code = `(${work})((${SOLVER})())`;
  const made = new Worker(URL.createObjectURL(new Blob([code], { type: "text/javascript" })));
  made.onmessage = ({ data }) => hear(data);
  made.onerror = refused;
  made.postMessage({ module, spec });
  return Object.assign((asked) => made.postMessage(asked), { end: () => made.terminate() });
}

export class RosephysScene extends HTMLElement {

  connectedCallback() {
    if (this.root) return;
    this.root = this.attachShadow({ mode: "open" });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(RosephysScene.style);
    this.root.adoptedStyleSheets = [sheet];
    this.root.addEventListener("click", (e) => this.pressed(e.target.closest("[data-do]")?.dataset.do));
    this.root.addEventListener("input", (e) => this.slid(e.target));
    this.addEventListener("keydown", (e) => this.key(e));
    this.load();
  }

  async load() {
    try {
      const module = await WebAssembly.compile(await (this.bytes ?? this.fetched()));
      const [section] = WebAssembly.Module.customSections(module, SECTION);
      this.spec = JSON.parse(new TextDecoder().decode(section));
      unpack?.(this.spec, module);
      this.instance = await WebAssembly.instantiate(module, {});
      this.made = program(this.instance, this.spec);
      this.begin(module);
    } catch (error) {
      this.root.innerHTML = `<div class="stage"><div class="note"></div></div>`;
      this.root.querySelector(".note").textContent = `This scene cannot be shown: ${error.message}`;
    }
  }

  begin(module) {
    const { spec } = this;
    this.values = Object.fromEntries(spec.fields.map((f) => [f.name, Float64Array.from(f.value)]));
    this.losses = [];
    this.frame = 0;
    this.theme = this.getAttribute("theme") ?? spec.theme;
    this.build();
    this.readAddress();
    this.recolour();
    this.playing = !still.matches;
    new ResizeObserver(() => this.resize()).observe(this.stage);
    this.sharp();
    const seen = new IntersectionObserver(([e]) => { this.seen = e.isIntersecting; this.draw(); });
    seen.observe(this);
    this.module = module;
    this.start();
    if (spec.module.bytes > QUICK_BYTES) return;
    try { this.motion = this.made.motion(this.values); this.resize(); } catch { /* the solver tells it */ }
  }

  /** Solve, in a worker where there may be one. */
  start() {
    const { spec } = this, hear = (said) => this.hear(said);
    const here = () => { this.ask = answering(this.instance, spec, (m) => setTimeout(() => hear(m))); };
    try {
      this.ask = worker(this.module, spec, hear, () => { here(); this.solve(); });
    } catch { here(); }
    this.rest = () => this.ask({ paused: document.hidden });
    document.addEventListener("visibilitychange", this.rest);
    this.solve();
  }

  /** Stay sharp on screens of another density. */
  sharp() {
    matchMedia(`(resolution: ${devicePixelRatio}dppx)`).addEventListener("change", () => {
      this.resize();
      this.sharp();
    }, { once: true });
  }

  // ---- What there is on the page ----

  build() {
    const { spec } = this;
    const sliders = (f) => f.sliders.map((s) => `<label class="${s.label ? "" : "single"}">
      ${s.label ? `<span>${safe(s.label)}</span>` : ""}<input type="range" min="0" max="1000" data-field="${f.name}"
      data-index="${s.index}" aria-label="${words(f.name)} ${safe(s.label)}"></label>`).join("");
    const field = (f) => `<h2 title="${safe(f.doc)}">${words(f.name)}${f.unit ? ` · ${safe(f.unit)}` : ""}</h2>
      <div class="value" data-value="${f.name}"></div>
      ${f.control ? `<div class="slope" data-slope="${f.name}"></div>` : ""}${sliders(f)}`;
    const shown = spec.fields.filter((f) => f.control || f.sliders.length);
    this.root.innerHTML = `<div class="stage"><canvas class="picture" role="img" tabindex="0"></canvas><div class="badge" role="status"></div>
        <div class="note" role="alert"></div></div>
      <div class="time"><button data-do="play" aria-label="play or pause">❚❚</button>
        <input type="range" min="0" max="${spec.frames - 1}" value="0" aria-label="moment"><output></output></div>
      <aside><h1>${safe(spec.title)}</h1><p>${safe(spec.summary)}</p><div class="status" role="status">starting</div>
        <h2 class="kind">loss</h2><div class="loss">–</div><div class="chart"><canvas aria-hidden="true"></canvas></div>
        <details><summary>landscape</summary><canvas class="land" aria-label="the loss over two controls"></canvas>
        <p class="axes"></p></details>
        ${shown.filter((f) => f.control).map(field).join("")}${shown.filter((f) => !f.control).map(field).join("")}
        <div class="buttons"><button data-do="solve">Solve again</button><button data-do="reset">Reset</button>
        <button data-do="theme" aria-label="light or dark">Theme</button></div></aside>`;
    const $ = (s) => this.root.querySelector(s);
    Object.assign(this, { stage: $(".stage"), canvas: $(".picture"), chart: $(".chart canvas"), note: $(".note"),
      badge: $(".badge"), kind: $(".kind"), land: $(".land"), details: $("details"), axes: $(".axes"), status: $(".status"), scrub: $(".time input"), clock: $("output"), number: $(".loss") });
    this.canvas.setAttribute("aria-label", `${spec.title}: ${spec.summary}`);
    this.canvas.addEventListener("contextrestored", () => this.paint());
    for (const kind of ["pointerdown", "pointermove", "pointerup", "pointercancel", "lostpointercapture"]) {
      this.canvas.addEventListener(kind, (e) => this.pointer(kind, e));
      this.land.addEventListener(kind, (e) => this.explore(kind, e));
    }
    this.details.hidden = this.made.controls.flatMap((name) => [...this.values[name]]).length < 2;
    this.details.addEventListener("toggle", () => this.wantLandscape());
  }

  pressed(what) {
    if (what === "play") this.play(!this.playing);
    if (what === "solve") this.solve();
    if (what === "theme") { this.theme = this.theme === "dark" ? "light" : "dark"; this.recolour(); }
    if (what === "reset") {
      for (const f of this.spec.fields) this.values[f.name] = Float64Array.from(f.value);
      this.solve();
    }
  }

  key(event) {
    if (!this.details || this.hasAttribute("plain")) return;
    if (event.composedPath()[0].matches?.("input, button") && event.key === " ") return;
    const done = { " ": () => this.play(!this.playing), r: () => this.solve(), t: () => this.pressed("theme"),
      l: () => { this.details.open = !this.details.open; }, Home: () => this.go(0), End: () => this.go(this.spec.frames - 1) }[event.key];
    if (!done || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    done();
  }

  slid(input) {
    if (input === this.scrub) { this.play(false); this.go(Number(input.value)); return; }
    const { field, index } = input.dataset, f = this.spec.fields.find((g) => g.name === field);
    const s = f.sliders.find((t) => t.index === Number(index)), x = s.low + (input.value / 1000) * (s.high - s.low);
    const values = Float64Array.from(this.values[field]);
    values[s.index] = Number(x.toPrecision(4));
    this.change(field, values, f.control);
  }

  // ---- Solving ----

  solve() {
    this.asked({ follow: true, looks: !this.hasAttribute("plain"), chosen: this.made.controls });
    this.say("solving", "busy");
  }

  /** Ask for something else than before, with the values as they are. */
  asked(what) {
    this.ask({ values: this.values, ...what });
    Object.assign(this, { losses: [], fresh: true, aim: what.aim ?? null, way: what.aim ? this.way : [] });
    this.badge.textContent = "";
    this.kind.textContent = this.aim ? "distance²" : "loss";
  }

  /** A field has another value: the answer follows it; one that is held stays as it is. */
  change(field, value, held) {
    if (!value.every(Number.isFinite)) return;
    const { bounds, control } = this.spec.fields.find((f) => f.name === field);
    this.values[field] = bounds ? value.map((x) => Math.min(Math.max(x, bounds[0]), bounds[1])) : value;
    this.asked({ follow: !held, looks: true, chosen: control ? [field] : [] });
    this.say(held ? "shown" : "solving", held ? "" : "busy");
    this.write();
  }

  hear(said) {
    if (said.landscape) { this.landscape = said.landscape; this.drawLandscape(); return; }
    if ("verdict" in said) { this.judge(said.verdict); return; }
    if (said.error) { this.note.textContent = said.error; this.say("failed", "failed"); return; }
    this.note.textContent = "";
    if (this.fresh && said.motion) { this.losses = []; this.fresh = false; }
    this.losses.push(...said.losses);
    if (this.losses.length > 4000) this.losses = this.losses.filter((_, k) => k % 2);
    const held = this.held?.fields ?? [this.held?.field];
    for (const name of this.made.controls) if (!held.includes(name)) this.values[name] = said.values[name];
    this.slope = said.slope;
    this.loss = said.loss;
    this.setAttribute("loss", said.loss);
    if (said.motion) { this.motion = said.motion; this.way.push(said.values); }
    if (this.way.length > 200) this.way = this.way.filter((_, k) => k % 2);
    if (said.done) this.say(this.playing ? "playing" : "solved");
    if (!this.first) { this.first = true; if (still.matches) this.go(this.spec.frames - 1); }
    this.tell();
    this.draw();
    if (said.done) { this.write(); this.wantLandscape(); }
    requestAnimationFrame(() => this.ask({ ready: true }));
  }

  say(what, kind = "") {
    this.setAttribute("state", what); // for who has embedded it
    this.status.textContent = what;
    this.status.className = `status ${kind}`;
  }

  tell() {
    this.number.textContent = text(this.loss);
    const few = (a) => Array.from(a.slice(0, 4), text).join(", ") + (a.length > 4 ? ` … (${a.length})` : "");
    for (const f of this.spec.fields) {
      const at = this.root.querySelector(`[data-value="${f.name}"]`);
      if (!at) continue;
      at.textContent = few(this.values[f.name]);
      if (f.control && this.slope)
        this.root.querySelector(`[data-slope="${f.name}"]`).textContent =
          `−gradient  ${few(this.slope[f.name].map((x) => -x))}`;
      for (const s of f.sliders) {
        const input = this.root.querySelector(`[data-field="${f.name}"][data-index="${s.index}"]`);
        const share = Math.min(Math.max((this.values[f.name][s.index] - s.low) / (s.high - s.low), 0), 1);
        if (this.root.activeElement !== input || !f.control) input.value = 1000 * share;
        input.setAttribute("aria-valuetext", text(this.values[f.name][s.index]));
      }
    }
    this.drawChart();
  }

  // ---- Time ----

  play(on) {
    this.playing = on;
    if (on && this.frame >= this.spec.frames - 1) this.frame = 0;
    this.began = null;
    this.say(on ? "playing" : "paused");
    this.draw();
  }

  go(frame) { this.frame = frame; this.began = null; this.draw(); this.write(); }

  draw() {
    this.due ??= requestAnimationFrame((now) => { this.due = null; this.show(now); });
  }

  show(now) {
    const { spec } = this, last = spec.frames - 1;
    if (!this.motion || !this.seen) return;
    if (this.playing) {
      const seconds = Math.min(Math.max(spec.steps * this.values.dt[0], SHORT), LONG), pause = 0.9;
      this.began ??= now - (this.frame / Math.max(last, 1)) * seconds * 1000;
      const at = ((now - this.began) / 1000) % (seconds + pause);
      this.frame = Math.min(Math.round((at / seconds) * last), last);
    }
    this.paint();
    this.scrub.value = this.frame;
    const dt = this.values.dt[0], step = Math.min(this.frame * spec.every, spec.steps);
    this.clock.textContent = `${(step * dt).toFixed(2)} / ${(spec.steps * dt).toFixed(2)} s`;
    this.root.querySelector('[data-do="play"]').textContent = this.playing ? "❚❚" : "▶";
    if (this.playing) this.draw();
  }

  // ---- The picture ----

  resize() {
    const ratio = Math.min(devicePixelRatio || 1, 3), { width, height } = this.stage.getBoundingClientRect();
    this.canvas.width = Math.max(1, Math.min(Math.round(width * ratio), 8192));
    this.canvas.height = Math.max(1, Math.min(Math.round(height * ratio), 8192));
    this.ratio = ratio;
    this.unit = ratio * Math.min(1.25, Math.max(0.42, Math.min(height / 720, width / 900)));
    this.paint();
    this.drawChart();
  }

  recolour() {
    const palette = RosephysScene.palettes[this.theme];
    for (const name of ["window", "panel", "line", "text", "dim", "faint", "accent", "curve", "good", "bad"])
      this.style.setProperty(`--${name}`, palette[name]);
    this.style.colorScheme = this.theme;
    if (this.hasAttribute("address")) document.body.style.background = palette.window;
    this.paint();
    this.drawChart();
    this.drawLandscape();
    this.write();
  }

  /** The picture of a frame: its state is put where the module's `picture` reads it. */
  picture() {
    const { picture } = this.made.functions, { described } = picture, { memory } = this.made;
    const state = leaves(described.arguments[0]), fields = this.spec.fields;
    const ARRAYS = { f64: Float64Array, f32: Float32Array, i64: BigInt64Array, bool: Uint8Array };
    state.forEach((leaf, k) => {
      const size = leaf.shape.reduce((a, b) => a * b, 1), frame = Math.min(this.frame, this.spec.frames - 1);
      new ARRAYS[leaf.type](memory.buffer, leaf.at, size)
        .set(this.motion.frames[k].subarray(frame * size, (frame + 1) * size));
    });
    for (const part of described.arguments.slice(1))
      for (const [name, leaf] of Object.entries(part.fields))
        new Float64Array(memory.buffer, leaf.at, this.values[name].length).set(this.values[name]);
    picture.start();
    return shapesOf(described.result, memory);
  }

  paint() {
    if (!this.motion || !this.canvas) return;
    const { canvas, spec, unit } = this, ctx = canvas.getContext("2d");
    ctx.setTransform(1, 0, 0, 1, 0, 0);
    const picture = this.picture();
    const palette = RosephysScene.palettes[picture.background.startsWith("felt") ? "dark" : this.theme];
    const { palettes } = RosephysScene;
    this.at = backdrop(ctx, picture, canvas.width, canvas.height, unit, palettes[this.theme], palettes.dark);
    paintTracks(ctx, this.tracks(), this.at, palette);
    paint(ctx, picture, this.at, RosephysScene.palettes, this.theme, RosephysScene.maps);
    this.drawn = picture;
    if (!this.hasAttribute("plain")) { this.paintHandles(ctx, palette); this.paintAim(ctx, palette); }
  }

  tracks() {
    const { tracks } = this.made.functions;
    if (!tracks || !this.motion.tracks) return [];
    return tracks.described.result.map((track, k) =>
      ({ points: this.motion.tracks[k], colour: track.fields.colour.is ?? "accent" }));
  }

  handles() {
    return this.spec.fields.filter((f) => f.handle).map((f) => ({ field: f.name, control: f.control,
      x: this.at.x(this.values[f.name][0]), y: this.at.y(this.values[f.name][1]) }));
  }

  paintHandles(ctx, palette) {
    const pen = { ctx, named: colours(palette) }, { unit } = this;
    for (const h of this.handles()) {
      const on = h.field === (this.held ?? this.over)?.field;
      ctx.beginPath();
      ctx.arc(h.x, h.y, (on ? 20 : 16) * unit, 0, 2 * Math.PI);
      Object.assign(ctx, { strokeStyle: pen.named(h.control ? "text" : "accent"), lineWidth: 1.5 * unit });
      ctx.globalAlpha = on ? 0.95 : 0.4;
      ctx.stroke();
      ctx.globalAlpha = 1;
    }
    this.spec.fields.filter((f) => f.control && f.value.length === 2 && (f.handle || f.anchor)).forEach((f, k) => {
      const from = this.values[f.anchor ?? f.name], slope = this.slope?.[f.name];
      const size = slope ? Math.hypot(...slope) : 0;
      if (!(size > 0) || from?.length !== 2) return;
      const long = 46 * unit * Math.min(1, Math.max(0.15, 1 + Math.log10(size) / 6));
      const x = this.at.x(from[0]), y = this.at.y(from[1]);
      arrowTo(pen, x, y, x - (long * slope[0]) / size, y + (long * slope[1]) / size, 2 * unit,
        ["first", "second", "third"][k % 3], 0.9);
    });
  }

  /** Where the circles of the picture are drawn, with their radii, in pixels; none where none moves. */
  circles() {
    if (!this.made.circled || !this.made.controls.length) return [];
    return this.drawn.shapes.filter((shape) => shape.kind === "Circles").flatMap(({ centres, radii, labels }) =>
      Array.from({ length: centres.length / 2 }, (_, k) => ({ label: labels?.[k] ?? "",
        x: this.at.x(centres[2 * k]), y: this.at.y(centres[2 * k + 1]), place: [centres[2 * k], centres[2 * k + 1]],
        size: this.at.scale * (typeof radii === "number" ? radii : radii[k % radii.length]) })))
      .map((found, circle) => ({ circle, ...found }));
  }

  /** A ring about the circle that was taken, and a line to where it is to be; or one about what the hand is over. */
  paintAim(ctx, palette) {
    const step = Math.min(this.frame * this.spec.every, this.spec.steps), aim = this.aim?.step === step ? this.aim : null;
    const found = this.circles()[aim?.circle ?? this.over?.circle];
    if (!found || !(Math.abs(found.x) < 1e4 && Math.abs(found.y) < 1e4)) return;
    const { unit } = this, wide = Math.max(found.size + 5 * unit, 12 * unit);
    Object.assign(ctx, { strokeStyle: palette.text, lineWidth: 2 * unit, fillStyle: palette.text });
    ctx.beginPath();
    ctx.arc(found.x, found.y, wide, 0, 2 * Math.PI);
    ctx.stroke();
    let words = `${found.label} at ${(step * this.values.dt[0]).toFixed(2)} s`;
    if (aim) {
      const x = this.at.x(aim.goal[0]), y = this.at.y(aim.goal[1]), off = Math.hypot(x - found.x, y - found.y);
      ctx.strokeStyle = palette.accent;
      ctx.beginPath(); ctx.moveTo(found.x, found.y); ctx.lineTo(x, y); ctx.stroke();
      ctx.beginPath(); ctx.arc(x, y, 5 * unit, 0, 2 * Math.PI); ctx.stroke();
      if (off > unit) words += `, ${(off / this.at.scale).toPrecision(2)} off`;
      if (off > unit && Object.values(this.slope ?? {}).every((s) => s.every((z) => z === 0))) words += ": no control moves it";
    }
    ctx.font = `700 ${13 * unit}px "Helvetica Neue", Arial, sans-serif`;
    Object.assign(ctx, { textAlign: "center", textBaseline: "top" });
    ctx.fillText(words.trim(), found.x, found.y + wide + 8 * unit);
  }

  // ---- A hand ----

  pointer(kind, event) {
    if (!this.at || this.hasAttribute("plain")) return;
    if (this.held ? this.held.id !== event.pointerId : kind === "pointerdown" && event.button) return;
    const box = this.canvas.getBoundingClientRect();
    const x = (event.clientX - box.left) * this.ratio, y = (event.clientY - box.top) * this.ratio;
    const reach = HOLD * this.ratio * (event.pointerType === "touch" ? 1.5 : 1);
    const nearest = (places, least) => places.map((h) => ({ ...h, far: Math.hypot(h.x - x, h.y - y) }))
      .filter((h) => h.size !== 0 && (h.far < least || h.far < h.size)).sort((a, b) => a.far - b.far)[0];
    const near = () => nearest(this.handles(), reach) ?? nearest(this.circles(), reach / 2);
    if (kind === "pointerdown") {
      this.held = near();
      if (this.held) { this.held.id = event.pointerId; event.preventDefault(); this.canvas.setPointerCapture(event.pointerId); }
      if (this.held?.place) {
        Object.assign(this.held, { played: this.playing, by: [this.held.x - x, this.held.y - y] });
        this.play(false);
        this.pull(this.held.place);
      }
    } else if (kind === "pointermove" && this.held?.place) {
      this.pull(this.at.world(x + this.held.by[0], y + this.held.by[1]));
    } else if (kind === "pointermove" && this.held) {
      this.change(this.held.field, Float64Array.from(this.at.world(x, y)), this.held.control);
    } else if (kind === "pointermove") {
      this.over = near();
    } else if (this.held) {
      const { field, control, played } = this.held;
      this.held = null;
      if (played) this.play(true);
      if (control) this.change(field, this.values[field], false);
    }
    this.canvas.classList.toggle("held", !!this.held);
    this.canvas.classList.toggle("over", !!this.over);
    this.draw();
  }

  /** The circle that is held is to be at a place of the world, at this moment. */
  pull(goal) {
    const step = Math.min(this.frame * this.spec.every, this.spec.steps);
    if (!goal.every(Number.isFinite)) return;
    this.asked({ follow: true, aim: { circle: this.held.circle, step, goal } });
    this.say("reaching", "busy");
  }

  // ---- The loss ----

  /** Say why the gradient of what was solved cannot be trusted. */
  judge({ reason, within }) {
    const far = within ? `; it holds within ${Number((100 * within).toPrecision(2))} % of the controls` : "";
    this.badge.textContent = reason ? RosephysScene.reasons[reason] + far : "";
  }

  /** Ask for the landscape about where the controls are, if it is to be seen and has changed. */
  wantLandscape() {
    if (!this.details.open || !this.slope) return;
    const parts = steepest(this.spec, this.slope);
    if (parts) this.ask({ landscape: framed(this.spec, parts, [...this.way, this.values]) });
  }

  /** A hand in the landscape chooses two of the controls, which are solved from once it lets go. */
  explore(kind, event) {
    const { axes } = this.landscape ?? {}, box = this.land.getBoundingClientRect();
    if (!axes || (kind === "pointermove" && !this.held?.fields)) return;
    if (kind === "pointerdown") {
      this.held = { fields: axes.map((axis) => axis.name) };
      this.land.setPointerCapture(event.pointerId);
    }
    const share = (x) => Math.min(Math.max(x, 0), 1);
    if (kind === "pointerdown" || kind === "pointermove") {
      const shares = [share((event.clientX - box.left) / box.width), share((box.bottom - event.clientY) / box.height)];
      this.values = placed(this.values, axes, shares);
      this.asked({ follow: false, chosen: this.held.fields });
      this.drawLandscape();
    } else if (this.held) {
      this.held = null;
      this.solve();
    }
  }

  drawLandscape() {
    if (!this.landscape || !this.details.open) return;
    const { n, axes, losses } = this.landscape, { land } = this, size = Math.round(land.clientWidth * (this.ratio ?? 1));
    const good = losses.filter(Number.isFinite), least = Math.min(...good), most = Math.max(...good);
    const level = least >= 0 && most > 20 * least ? (x) => Math.log10(Math.max(x, most * 1e-4)) : (x) => x;
    const low = level(least), high = level(most), palette = RosephysScene.palettes[this.theme];
    const [from, to] = [rgb(palette.panel), rgb(palette.curve)];
    if (!(size > 0 && size < 4096)) return;
    land.width = land.height = size;
    const ctx = land.getContext("2d"), small = blank(n), image = new ImageData(n, n);
    losses.forEach((loss, k) => {
      const share = 1 - (level(loss) - low) / (high - low || 1), p = 4 * (k + n * (n - 1 - 2 * Math.floor(k / n)));
      for (let c = 0; c < 3; c++) image.data[p + c] = from[c] + share * (to[c] - from[c]);
      image.data[p + 3] = share >= 0 ? 255 : 0;
    });
    small.getContext("2d").putImageData(image, 0, 0);
    ctx.drawImage(small, 0.5, 0.5, n - 1, n - 1, 0, 0, size, size);
    const at = (values) => axes.map(({ name, index, low: a, high: b }, k) =>
      Math.abs(k - (values[name][index] - a) / (b - a)) * size);
    Object.assign(ctx, { strokeStyle: palette.text, lineWidth: 1.5 * this.ratio, lineJoin: "round" });
    ctx.beginPath();
    for (const values of [...this.way, this.values]) ctx.lineTo(...at(values));
    ctx.stroke();
    ctx.fillStyle = palette.accent;
    ctx.beginPath();
    ctx.arc(...at(this.values), 5 * this.ratio, 0, 2 * Math.PI);
    ctx.fill();
    const called = axes.map(({ name, index }) => `${words(name)} ${this.values[name].length > 1 ? "xy"[index] ?? index : ""}`);
    this.axes.textContent = `→ ${called[0]}   ↑ ${called[1]}`;
  }

  drawChart() {
    const { chart } = this, box = chart?.parentElement.getBoundingClientRect();
    if (!box?.width) return;
    const ratio = this.ratio ?? 1, palette = RosephysScene.palettes[this.theme];
    const size = [box.width, box.height].map((side) => Math.round(side * ratio));
    if (chart.width !== size[0] || chart.height !== size[1]) [chart.width, chart.height] = size;
    const ctx = chart.getContext("2d"), good = this.losses.filter((x) => Number.isFinite(x));
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    ctx.clearRect(0, 0, box.width, box.height);
    if (good.length < 2) return;
    const positive = good.every((x) => x > 0), f = positive ? Math.log10 : (x) => x, up = good.map(f);
    let [low, high] = [Math.min(...up), Math.max(...up)];
    if (positive) [low, high] = [Math.floor(low), Math.max(Math.ceil(high), Math.floor(low) + 1)];
    else if (high - low < 1e-9) high = low + 1e-9;
    const left = 38, right = box.width - 6, top = 6, bottom = box.height - 6;
    const X = (k) => left + ((right - left) * k) / (up.length - 1), Y = (u) => bottom - ((bottom - top) * (u - low)) / (high - low);
    ctx.font = "700 9px Arial, sans-serif";
    Object.assign(ctx, { textAlign: "right", textBaseline: "middle", lineWidth: 1, lineJoin: "round" });
    const lines = positive ? high - low : 2, each = Math.ceil(lines / 5);
    for (let k = 0; k <= lines; k += each) {
      const u = low + ((high - low) * k) / lines, y = Y(u);
      ctx.strokeStyle = palette.line;
      ctx.beginPath(); ctx.moveTo(left, y); ctx.lineTo(right, y); ctx.stroke();
      ctx.fillStyle = palette.faint;
      ctx.fillText(positive ? `1e${u}`.replace("-", "−") : u.toPrecision(2), left - 6, y);
    }
    ctx.beginPath();
    up.forEach((u, k) => ctx.lineTo(X(k), Y(u)));
    Object.assign(ctx, { strokeStyle: palette.curve, lineWidth: 2 });
    ctx.stroke();
    ctx.lineTo(right, bottom); ctx.lineTo(left, bottom);
    ctx.globalAlpha = 0.16;
    ctx.fillStyle = palette.curve;
    ctx.fill();
    ctx.globalAlpha = 1;
    ctx.beginPath();
    ctx.arc(right, Y(up.at(-1)), 3.5, 0, 2 * Math.PI);
    ctx.fill();
  }

  // ---- The address bar ----

  readAddress() {
    if (!this.hasAttribute("address")) return;
    const given = new URLSearchParams(location.hash.slice(1));
    if (["dark", "light"].includes(given.get("theme"))) this.theme = given.get("theme");
    for (const f of this.spec.fields) {
      const numbers = (given.get(f.name) ?? "").split(",").map((x) => (x.trim() ? Number(x) : NaN));
      if (numbers.length !== f.value.length || !numbers.every(Number.isFinite)) continue;
      const [low, high] = f.bounds ?? [-1e6, 1e6];
      this.values[f.name] = Float64Array.from(numbers, (x) => Math.min(Math.max(x, low), high));
    }
  }

  write() {
    if (!this.hasAttribute("address") || !this.motion) return;
    clearTimeout(this.writing);
    this.writing = setTimeout(() => {
      const given = new URLSearchParams();
      for (const f of this.spec.fields) {
        const now = Array.from(this.values[f.name], (x) => Number(x.toPrecision(6)));
        if (now.length <= 8 && now.some((x, k) => x !== Number(f.value[k].toPrecision(6)))) given.set(f.name, now);
      }
      if (this.theme !== this.spec.theme) given.set("theme", this.theme);
      const hash = decodeURIComponent(given.toString());
      try { history.replaceState(null, "", hash ? `#${hash}` : location.pathname + location.search); } catch { /* too often */ }
    }, 300);
  }
}
