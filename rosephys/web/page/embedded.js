// The element in a page of others': its module is fetched, its attributes may change, and it may come and go.
import { RosephysScene } from "./scene.js";

RosephysScene.observedAttributes = ["src", "theme"];

Object.assign(RosephysScene.prototype, {
  async fetched() {
    const src = this.getAttribute("src");
    if (!src) throw new Error("it has no src");
    const found = await fetch(src).catch(() => {
      throw new Error(`${src} could not be fetched${location.protocol === "file:" ? "; a page on a disk needs a server" : ""}`);
    });
    if (!found.ok) throw new Error(`${src}: ${found.status} ${found.statusText}`);
    return found.arrayBuffer();
  },

  attributeChangedCallback(name, before, now) {
    if (!this.root || before === now) return;
    if (name === "theme" && this.spec) {
      this.theme = now ?? this.spec.theme;
      this.recolour();
    }
    if (name === "src") this.load();
  },

  /** One that was taken away ends its worker; one that was only moved, or is put back, goes on. */
  disconnectedCallback() {
    queueMicrotask(() => this.isConnected || this.end());
  },

  end() {
    this.ask?.({ paused: true });
    this.ask?.end?.();
    this.ask = null;
    document.removeEventListener("visibilitychange", this.rest);
  },
});

const { connectedCallback, load } = RosephysScene.prototype;

Object.assign(RosephysScene.prototype, {
  connectedCallback() {
    if (this.root && this.module && !this.ask) this.start();
    connectedCallback.call(this);
  },

  /** One after the other, however soon another is asked for. */
  load() {
    this.loading = Promise.resolve(this.loading).then(async () => {
      this.end();
      this.motion = null;
      await load.call(this);
      if (!this.isConnected) this.end();
    });
  },
});
