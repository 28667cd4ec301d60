// A module's functions and memory: arguments are written where a function reads them.
const ARRAYS = { f64: Float64Array, f32: Float32Array, i64: BigInt64Array, bool: Uint8Array };
export const size = (leaf) => leaf.shape.reduce((n, k) => n * k, 1);

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

/** What is given for a tree of leaves: each leaf with its value, and where that was in what was given. */
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

/** Numbers that are known to fit. */
const copy = (place, leaf, value) =>
  place.set(leaf.type === "i64" ? [BigInt(value)] : value.length === undefined ? [value] : value);

/** The functions of a module, by their names: `give` writes arguments, by `put`, and `start` computes, and throws
 * RangeError where an index left its array. */
export function programs(instance, description, put = copy) {
  const { memory } = instance.exports, functions = {};
  for (const [name, f] of Object.entries(description.functions)) {
    const run = instance.exports[f.entry], places = leaves([f.arguments, f.result]).map((leaf) => leaf.at);
    const start = (at = places) => {
      new Uint32Array(memory.buffer, f.pointers, at.length).set(at);
      const status = Number(run(f.pointers, f.scratch));
      if (status) throw new RangeError(`${name}: ${f.failures[status - 1] ?? "stopped"}`);
    };
    const give = (...values) => f.arguments.forEach((tree, k) =>
      encode(tree, values[k], (leaf, v, path) => put(view(memory, leaf), leaf, v, path), f.names[k]));
    functions[name] = { give, start, places, described: f };
  }
  return functions;
}
