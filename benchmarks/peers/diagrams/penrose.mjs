// Diagrams by Penrose, written as its own examples are: reads {domain, style, substance, variations} from a file,
// compiles and optimises each variation, and prints a line of JSON with the milliseconds of both.
import { readFileSync } from "node:fs";
import { performance } from "node:perf_hooks";
import { load, needed } from "./packages.mjs";

const { JSDOM } = needed("jsdom"); // labels are measured by MathJax, which asks for a document
const { window } = new JSDOM("<!doctype html><body></body>");
Object.assign(globalThis, { window, document: window.document, DOMParser: window.DOMParser });
const { compile, optimize, showError } = await load("@penrose/core", "dist/index.js");

const job = JSON.parse(readFileSync(process.argv[2], "utf8"));
const found = [];
for (const variation of job.variations) {
  const began = performance.now();
  const made = await compile({ ...job, variation, excludeWarnings: [] });
  if (made.isErr()) throw new Error(showError(made.error));
  const compiled = performance.now();
  const done = optimize(made.value);
  if (done.isErr()) throw new Error(String(done.error));
  found.push([compiled - began, performance.now() - compiled]);
}
console.log(JSON.stringify(found));
