// Calls between JavaScript and a module's memory: arguments are copied in, results are copied out.
const ARRAYS = { f64: Float64Array, f32: Float32Array, i64: BigInt64Array, bool: Uint8Array };
const size = (leaf) => leaf.shape.reduce((n, k) => n * k, 1);

/** The numbers of a leaf where they lie. They change with the next call. */
export const view = (memory, leaf, at = leaf.at) =>
  new ARRAYS[leaf.type](memory.buffer, at, size(leaf));

/** A tree of leaves as values: what `read` makes of each leaf, in plain objects and arrays. */
export function decode(tree, read) {
  if (Array.isArray(tree)) return tree.map((child) => decode(child, read));
  if ("at" in tree) return read(tree);
  if ("is" in tree) return tree.is;
  const entries = Object.entries(tree.fields);
  return Object.fromEntries(entries.map(([name, child]) => [name, decode(child, read)]));
}

/** The leaves of a tree in order. */
export const leaves = (tree) => Array.isArray(tree) ? tree.flatMap(leaves) :
  "at" in tree ? [tree] : "is" in tree ? [] : Object.values(tree.fields).flatMap(leaves);

function encode(tree, value, write, path) {
  if (Array.isArray(tree)) {
    tree.forEach((child, k) => encode(child, value?.[k], write, `${path}[${k}]`));
  } else if ("at" in tree) {
    write(tree, value, path);
  } else if (!("is" in tree)) {
    for (const [name, child] of Object.entries(tree.fields))
      encode(child, value?.[name], write, `${path}.${name}`);
  }
}

function flat(value) {
  if (ArrayBuffer.isView(value)) return value;
  return Array.isArray(value) ? value.flat(Infinity) : [value];
}

function put(memory, leaf, value, path) {
  const place = view(memory, leaf), given = flat(value);
  if (value === undefined || given.length !== place.length)
    throw new TypeError(`${path} takes numbers of shape [${leaf.shape}], not ${
      value === undefined ? "nothing" : given.length + " of them"}`);
  for (let k = 0; k < place.length; k++) {
    if (typeof given[k] === "string" || given[k] == null)
      throw new TypeError(`${path} takes numbers, not ${JSON.stringify(given[k])}`);
    place[k] = leaf.type === "i64" ? BigInt(given[k]) : given[k];
  }
}

function get(memory, leaf) {
  const found = view(memory, leaf);
  const read = (x) => (leaf.type === "i64" ? Number(x) : leaf.type === "bool" ? x !== 0 : x);
  if (!leaf.shape.length) return read(found[0]);
  return leaf.type === "i64" ? Float64Array.from(found, Number) : found.slice();
}

/** The functions of a module, by their names. Each throws TypeError for arguments that do not fit,
 * and RangeError where an index left its array. */
export function bind(instance, description) {
  const { memory } = instance.exports, functions = {};
  for (const [name, f] of Object.entries(description.functions)) {
    const run = instance.exports[f.entry], own = leaves([f.arguments, f.result]).map((leaf) => leaf.at);
    const start = (places = own) => {
      new Uint32Array(memory.buffer, f.pointers, places.length).set(places);
      const status = Number(run(f.pointers, f.scratch));
      if (status) throw new RangeError(`${name}: ${f.failures[status - 1] ?? "stopped"}`);
    };
    const give = (...values) => f.arguments.forEach((tree, k) =>
      encode(tree, values[k], (leaf, v, path) => put(memory, leaf, v, path), f.names[k]));
    const call = (...values) => {
      give(...values);
      start();
      return decode(f.result, (leaf) => get(memory, leaf));
    };
    functions[name] = Object.assign(call, { give, start, places: own, described: f });
  }
  return functions;
}
