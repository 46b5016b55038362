/**
 * What a program that needs a little of a library ships: bundled by rolldown, minified, gzipped.
 *
 * Ours is bundled from source, with the backend of the runtime asked for.
 */
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import type { Plugin } from "rolldown";
import type { RuntimeName } from "../harness/suite.ts";

/** The same small program's worth of each: run, a group of tasks, sleep, a timeout. */
const MINIMAL: Readonly<Record<string, string>> = {
  arborio: `export { run, taskGroup, sleep, failAfter } from "arborio";`,
  effect: `export { runPromise, awaitAllChildren, forkChild, gen, sleep, timeout } from "effect/Effect";`,
  effection: `export { run, scoped, spawn, sleep, race } from "effection";`,
};

const WHOLE: Readonly<Record<string, string>> = {
  arborio: `export * from "arborio";`,
  effect: `export * from "effect";`,
  effection: `export * from "effection";`,
};

const ENTRY = "\0entry";

/** Bytes of the minimal program. */
export function minimalSize(subject: string, runtime: RuntimeName): Promise<number> {
  return bundledBytes(MINIMAL[subject], runtime);
}

/** Bytes of all that the main entry exports. */
export function wholeSize(subject: string, runtime: RuntimeName): Promise<number> {
  return bundledBytes(WHOLE[subject], runtime);
}

async function bundledBytes(program: string | undefined, runtime: RuntimeName): Promise<number> {
  if (program === undefined) throw new RangeError("size: no program for this subject");
  // Loaded here, not above: the other benches run without it.
  const { rolldown } = await import("rolldown");
  const bundle = await rolldown({
    input: ENTRY,
    platform: "node",
    external: [/^node:/, /^bun:/],
    resolve: { conditionNames: ["@arborio/source", runtime, "import", "default"] },
    plugins: [entryPlugin(program)],
    logLevel: "silent",
  });
  const { output } = await bundle.generate({ format: "esm", minify: true });
  await bundle.close();
  const code = output.map((chunk) => (chunk.type === "chunk" ? chunk.code : "")).join("");
  return gzipSync(code, { level: 9 }).byteLength;
}

/** The program as a module that lies in this folder, so that packages are found from here. */
function entryPlugin(program: string): Plugin {
  const here = fileURLToPath(import.meta.url);
  return {
    name: "entry",
    resolveId(id: string, importer: string | undefined) {
      if (id === ENTRY) return id;
      return importer === ENTRY ? this.resolve(id, here) : null;
    },
    load: (id: string) => (id === ENTRY ? program : null),
  };
}
