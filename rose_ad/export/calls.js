// Calls of a module's functions with plain values: what does not fit is said.
import { decode, programs, size, view } from "./runtime.js";

const NUMBERS = ["number", "boolean", "bigint"];
const isList = (x) => typeof x === "object" && x?.length >= 0;

/** What was given as one list. Of arrays in arrays each has to be as long as the shape says. */
function flat(value, [long, ...shape]) {
  if (!isList(value)) return [value];
  if (!isList(value[0])) return value;
  const rows = Array.from(value, (row) => Array.from(flat(row, shape))), each = size({ shape });
  return rows.length === long && rows.every((row) => row.length === each) ? rows.flat() : [];
}

function told(value) {
  if (value === undefined || value === null) return String(value ?? "nothing");
  const lengths = [];
  for (let x = value; isList(x); x = x[0]) lengths.push(x.length);
  return lengths.length ? `an array of [${lengths}]` : typeof value === "object" ? "an object" : JSON.stringify(value);
}

function put(place, leaf, value, path) {
  const given = flat(value, leaf.shape), whole = leaf.type === "i64";
  const wanted = leaf.shape.length ? `${whole ? "integers" : "numbers"} of shape [${leaf.shape}]` : `${whole ? "an integer" : "a number"}`;
  if (given.length !== place.length) throw new TypeError(`${path} takes ${wanted}, not ${told(value)}`);
  for (let k = 0; k < place.length; k++) {
    const x = given[k], number = NUMBERS.includes(typeof x) && (!whole || typeof x !== "number" || Number.isInteger(x));
    if (!number || (whole && BigInt.asIntN(64, BigInt(x)) !== BigInt(x)))
      throw new TypeError(`${path} takes ${wanted}, not ${typeof x === "bigint" || typeof x === "number" ? x : told(x)}`);
    place[k] = whole ? BigInt(x) : leaf.type === "bool" ? x != 0 : Number(x);
  }
}

function get(found, leaf) {
  const read = (x) => (leaf.type === "i64" ? Number(x) : leaf.type === "bool" ? x !== 0 : x);
  if (!leaf.shape.length) return read(found[0]);
  return leaf.type === "i64" ? Float64Array.from(found, Number) : found.slice();
}

/** The functions of a module, by their names. Each throws TypeError for arguments that do not fit, and RangeError
 * where an index left its array. */
export function bind(instance, description) {
  const { memory } = instance.exports, functions = programs(instance, description, put);
  for (const [name, made] of Object.entries(functions)) {
    const call = (...values) => {
      made.give(...values);
      made.start();
      return decode(made.described.result, (leaf) => get(view(memory, leaf), leaf));
    };
    functions[name] = Object.assign(call, made);
  }
  return functions;
}
