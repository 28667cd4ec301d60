// Packages of npm that lie here, above, or on NODE_PATH, which modules do not look at by themselves.
import { createRequire } from "node:module";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const folders = [...(process.env.NODE_PATH ?? "").split(":").filter(Boolean), join(process.cwd(), "node_modules")];

/** A package of these folders, by the file that it says is its beginning. */
export function load(name, main) {
  for (const folder of folders) {
    const path = join(folder, name, main);
    if (existsSync(path)) return import(pathToFileURL(path));
  }
  throw new Error(`there is no package ${name}: npm install ${name}`);
}

/** The same, of one that is not a module. */
export const needed = (name) => {
  for (const folder of folders) {
    if (existsSync(join(folder, name))) return createRequire(join(folder, "x.js"))(name);
  }
  throw new Error(`there is no package ${name}: npm install ${name}`);
};
