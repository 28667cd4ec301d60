// The numbers of fields that have many, as rosephys/web/numbers.py packs them.

/** Give the fields of a scene that have many numbers their values, which are in a section of its module. */
export function unpack({ fields }, module) {
  const bytes = new Uint8Array(WebAssembly.Module.customSections(module, "numbers")[0]);
  let at = 0;
  const whole = (n, wide) => {
    const out = new Uint8Array(n * wide);
    for (let k = 0; k < wide; k++) for (let i = 0; i < n; i++) out[i * wide + k] = bytes[at++];
    return out.buffer;
  };
  for (const field of fields.filter((f) => f.many)) {
    const [n] = new Uint32Array(whole(1, 4)), different = new Float64Array(whole(n, 8));
    let which = 0;
    field.value = Array.from(new Int32Array(whole(field.many, 4)), (step) => different[(which += step)]);
  }
}
