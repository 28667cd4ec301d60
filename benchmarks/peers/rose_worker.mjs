// What every peer in JavaScript shares: `run(build)`, for those in Rose, and `serve` answer the requests that
// worker.py describes.

import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const WARM_UP = 0.5; // seconds

export const say = (message) => process.stdout.write(JSON.stringify(message) + "\n");

export const range = (n) => Array.from({ length: n }, (_, i) => i);

const medianSeconds = (call, seconds) => {
  const times = [];
  const end = performance.now() + 1e3 * seconds;
  while (times.length === 0 || performance.now() < end) {
    const begin = performance.now();
    call();
    times.push(performance.now() - begin);
  }
  times.sort((a, b) => a - b);
  return times[times.length >> 1] / 1e3;
};

/** Answers requests; what `build` gives may have its own `loss`, else Rose compiles it. */
export const serve = async (rose, build) => {
  const baseline = process.memoryUsage().rss;
  let program;
  let loss;
  const asks = {
    compile: async ({ given }) => {
      const begin = performance.now();
      program = await build(rose, given);
      const first = program.gradient();
      const seconds = (performance.now() - begin) / 1e3;
      loss = program.loss ?? (await rose.compile(program.lossFn));
      medianSeconds(() => loss(program.at), WARM_UP); // until the engine has optimised its code
      medianSeconds(() => program.gradient(), WARM_UP);
      return { seconds, ...first };
    },
    round: async ({ seconds }) => ({
      loss: medianSeconds(() => loss(program.at), seconds),
      gradient: medianSeconds(() => program.gradient(), seconds),
    }),
    memory: async () => ({
      grown: Math.max(0, 1024 * process.resourceUsage().maxRSS - baseline),
      tape: program.tape ?? program.memory.buffer.byteLength,
    }),
  };
  for await (const line of createInterface({ input: process.stdin })) {
    const request = JSON.parse(line);
    try {
      say(await asks[request.ask](request));
    } catch (error) {
      say({ error: String(error).split("\n")[0] });
    }
  }
};

/** From node_modules here or above, or from NODE_PATH, which `import` alone would ignore. */
const find = async (name) => {
  try {
    return await import(pathToFileURL(createRequire(import.meta.url).resolve(name)));
  } catch (error) {
    say({ missing: String(error).split("\n")[0] });
    return undefined;
  }
};

/** `build(library, given)` makes {at, lossFn or loss, memory or tape, gradient} with a library from npm: where the
 * gradient is taken, the loss, and the call that gives {loss, gradient}; `given` is what the race tells of its job. */
export const runWith = async (name, build) => {
  const library = await find(name);
  if (library === undefined) return;
  say({ ready: true });
  await serve(library, build);
};

export const run = (build) => runWith("rose", build);
