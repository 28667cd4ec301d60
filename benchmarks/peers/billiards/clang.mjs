// The C of billiards.c in WebAssembly, by clang: `node clang.mjs LAYERS STEPS`, and then the requests described in
// worker.py. PYTHON names the Python that has `ziglang`, which brings clang and a C library for WASI.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { say, serve } from "../rose_worker.mjs";

const RADIUS = 0.03, DIAMETER = 0.06, GOAL = [0.9, 0.75], CUE = [0.1, 0.5, 0.3, 0];
const EXPORTED = ["branch_loss", "branch_gradient", "branch_bytes", "malloc"];
const python = process.env.PYTHON ?? "python3";

const build = async (_, { layers, steps, folder }) => {
  const source = fileURLToPath(new URL("billiards.c", import.meta.url)), file = join(folder, "billiards.wasm");
  const rack = [];
  for (let i = 0; i < layers; ++i)
    for (let j = 0; j <= i; ++j) rack.push([0.5 + DIAMETER * i, 0.5 + DIAMETER * j - 0.7 * RADIUS * i]);
  const n = rack.length + 1;
  execFileSync(python, ["-m", "ziglang", "cc", "-target", "wasm32-wasi", "-O3", "-mexec-model=reactor",
    `-DBALLS=${n}`, ...EXPORTED.map((name) => `-Wl,--export=${name}`), source, "-o", file], { stdio: "pipe" });
  const module = await WebAssembly.compile(readFileSync(file)), imports = {};
  for (const { module: from, name } of WebAssembly.Module.imports(module)) (imports[from] ??= {})[name] = () => 0;
  const { exports: c } = await WebAssembly.instantiate(module, imports);
  c._initialize?.();
  const place = (numbers) => {
    const at = c.malloc(8 * numbers.length + 64);
    new Float64Array(c.memory.buffer, at, numbers.length).set(numbers);
    return at;
  };
  const state = place([CUE[0], CUE[1], ...rack.flat(), CUE[2], CUE[3], ...rack.flatMap(() => [0, 0])]);
  const goal = place(GOAL), adjoint = place(Array(4 * n).fill(0)), tape = place([0, 0]); // a tape that is empty
  return {
    at: CUE,
    loss: () => c.branch_loss(steps, goal, state, tape),
    gradient: () => {
      const loss = c.branch_gradient(steps, goal, state, adjoint, tape);
      const found = new Float64Array(c.memory.buffer, adjoint, 4 * n);
      return { loss, gradient: [found[0], found[1], found[2 * n], found[2 * n + 1]] };
    },
    get tape() { return c.branch_bytes(tape); },
  };
};

const [layers, steps] = process.argv.slice(2).map(Number);
try {
  execFileSync(python, ["-m", "ziglang", "version"], { stdio: "pipe" });
  const folder = mkdtempSync(join(tmpdir(), "clang-"));
  process.on("exit", () => rmSync(folder, { recursive: true }));
  say({ ready: true });
  await serve(null, (rose) => build(rose, { layers, steps, folder }));
} catch {
  say({ missing: "no ziglang" });
}
