// Rosephys in WebAssembly: the same scene as in rosephys.py, exported: `node wasm.mjs LAYERS STEPS`. PYTHON names the
// Python that exports it.

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

import { say, serve } from "../rose_worker.mjs";

const EXPORT = `
import sys
import rose_ad as ra
from peers.billiards.job import Table
from peers.billiards.rosephys import problem_of
problem = problem_of(Table(int(sys.argv[2]), int(sys.argv[3])))
functions = {"gradient": ra.value_and_grad(problem.traced_loss), "loss": problem.traced_loss}
ra.export_wasm(functions, sys.argv[1], *problem.split(problem.values), simd=False)
`;

const build = async (_, { layers, steps, folder }) => {
  const file = join(folder, "billiards.wasm");
  const here = fileURLToPath(new URL("../..", import.meta.url));
  const path = [here, join(here, ".."), process.env.PYTHONPATH ?? ""].join(":");
  execFileSync(process.env.PYTHON ?? "python3", ["-c", EXPORT, file, layers, steps], {
    env: { ...process.env, PYTHONPATH: path },
  });
  const { gradient, loss } = await import(pathToFileURL(file.replace(".wasm", ".js")));
  const at = [{ cue_position: [0.1, 0.5], cue_velocity: [0.3, 0] },
    { dt: 0.003, radius: 0.03, restitution: 0.8, rebound: 0.8, goal: [0.9, 0.75] }];
  return {
    at,
    loss: () => loss(...at),
    tape: gradient.described.bytes,
    gradient: () => {
      const [value, slope] = gradient(...at);
      return { loss: value, gradient: [...slope.cue_position, ...slope.cue_velocity] };
    },
  };
};

const [layers, steps] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), "wasm-"));
process.on("exit", () => rmSync(folder, { recursive: true }));
say({ ready: true });
await serve(null, (rose) => build(rose, { layers, steps, folder }));
