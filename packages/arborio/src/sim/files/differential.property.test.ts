/** Random operations on files: the host's temporary directory and the simulator give the same results, and the same tree is left. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { test } from "node:test";
import fc from "fast-check";
import { run, SystemError } from "../../index.ts";
import type {
  DirectoryEntry,
  FileHandle,
  Files,
  FileStat,
  OpenTarget,
  PathChange,
} from "../../platform/files.ts";
import { currentBackend, requireCapability } from "../../platform/capabilities.ts";
import { simulate } from "../../sim.ts";
import { readAll, setSize, statOf, writeAll } from "../../testing/files-contract/suite.ts";
import { settled } from "../../testing/network-contract/suite.ts";

/** Printed, so that a run can be repeated. */
const printedSeed = Math.floor(Math.random() * 2 ** 31);
console.log(`# files differential.property: seed ${printedSeed}`);

const RUNS = 25;
const STEPS_MIN = 40;
const STEPS_MAX = 120;
/** So deep below the directory of a run does everything happen, that no chain of `..` leads out of it. */
const DEPTH = 16;
const SLOTS = 3;
const COPIED_BYTES_MAX = 1_000_000;

type Step =
  | { readonly kind: "open"; readonly slot: number; readonly target: OpenTarget }
  | { readonly kind: "write"; readonly slot: number; readonly bytes: number; readonly at: number }
  | { readonly kind: "read"; readonly slot: number; readonly at: number }
  | { readonly kind: "set-size"; readonly slot: number; readonly bytes: number }
  | { readonly kind: "stat-open" | "close"; readonly slot: number }
  | { readonly kind: "stat" | "look" | "real-path" | "read-link" | "list"; readonly path: string }
  | { readonly kind: "change"; readonly change: PathChange };

const name = fc.constantFrom("a", "a", "b", "b", "c", "d");
const part = fc.oneof(
  { arbitrary: name, weight: 8 },
  { arbitrary: fc.constantFrom(".", "..", ""), weight: 1 },
);
const path = fc
  .tuple(
    fc.oneof(
      { arbitrary: fc.constant([]), weight: 3 },
      { arbitrary: fc.array(part, { minLength: 1, maxLength: 2 }), weight: 2 },
    ),
    fc.oneof({ arbitrary: name, weight: 12 }, { arbitrary: part, weight: 1 }),
    fc.oneof({ arbitrary: fc.constant(""), weight: 8 }, { arbitrary: fc.constant("/"), weight: 1 }),
  )
  .map(([parts, last, slash]) => [...parts, last].join("/") + slash)
  // What is empty or absolute leads elsewhere.
  .filter((text) => text !== "" && !text.startsWith("/"));

const slot = fc.nat(SLOTS - 1);
const place = fc.oneof(fc.nat(20), fc.nat(10_000), fc.constantFrom(4095, 4096, 2 ** 33));

/** What flags of open can ask for together on every runtime: those of `openFile`. */
const purpose = fc.constantFrom<Omit<OpenTarget, "path" | "mode">>(
  ...(["read", "read-write"] as const).map((access) => {
    return { access, create: "never", truncate: false, append: false } as const;
  }),
  ...(["write", "read-write"] as const).flatMap((access) =>
    (["if-missing", "new"] as const).flatMap((create) => [
      { access, create, truncate: create === "if-missing", append: false },
      { access, create, truncate: false, append: true },
    ]),
  ),
);

const open: fc.Arbitrary<Step> = fc.tuple(slot, path, purpose).map(([into, where, rest]) => ({
  kind: "open",
  slot: into,
  target: { path: where, ...rest, mode: 0o644 },
}));

const change: fc.Arbitrary<PathChange> = fc.oneof(
  fc.record({ kind: fc.constant("make-directory"), path, mode: fc.constant(0o755) }),
  fc.record({ kind: fc.constantFrom("remove-file", "remove-directory", "sync-directory"), path }),
  fc.record({ kind: fc.constant("rename"), path, target: path }),
  fc.record({ kind: fc.constantFrom("symbolic-link", "hard-link"), path, target: path }),
  fc.record({ kind: fc.constant("copy-file"), path, target: path, replace: fc.boolean() }),
);

const step: fc.Arbitrary<Step> = fc.oneof(
  { arbitrary: open, weight: 5 },
  {
    arbitrary: fc.record({ kind: fc.constant("write"), slot, bytes: fc.nat(9000), at: place }),
    weight: 3,
  },
  { arbitrary: fc.record({ kind: fc.constant("read"), slot, at: place }), weight: 1 },
  { arbitrary: fc.record({ kind: fc.constant("set-size"), slot, bytes: place }), weight: 1 },
  { arbitrary: fc.record({ kind: fc.constantFrom("stat-open", "close"), slot }), weight: 1 },
  {
    arbitrary: fc.record({
      kind: fc.constantFrom("stat", "look", "real-path", "read-link", "list"),
      path,
    }),
    weight: 4,
  },
  { arbitrary: fc.record({ kind: fc.constant("change"), change }), weight: 9 },
);

/** Something to begin with, and what is done with it. */
const programs: fc.Arbitrary<readonly Step[]> = fc
  .array(step, { minLength: STEPS_MIN, maxLength: STEPS_MAX, size: "max" })
  .map((steps) => [
    ...["a", "b", "a/a"].map((made) => {
      return {
        kind: "change",
        change: { kind: "make-directory", path: made, mode: 0o755 },
      } as const;
    }),
    ...steps,
  ]);

test(
  "simulated files: random operations have the results of the host's",
  { timeout: 60_000 },
  async () => {
    const top = realpathSync(mkdtempSync(`${tmpdir()}/arborio-differential-`));
    let runs = 0;
    try {
      await fc.assert(
        fc.asyncProperty(programs, fc.nat(), async (steps, seed) => {
          const directory = `${top}/${runs++}${"/deep".repeat(DEPTH)}`;
          mkdirSync(directory, { recursive: true });
          const expected = await run(() => perform(directory, steps), { signals: [] });
          const actual = await simulate({ seed }, async ({ localhost }) => {
            localhost.files.makeDirectory(directory);
            const results = await perform(directory, steps);
            assert.equal(localhost.openFiles, 0);
            return results;
          });
          assert.deepEqual(actual, expected);
        }),
        { seed: printedSeed, numRuns: RUNS },
      );
    } finally {
      rmSync(top, { recursive: true });
    }
  },
);

/** Does the steps, one after the other; what came of each, and at last what is there. */
async function perform(directory: string, steps: readonly Step[]): Promise<string[]> {
  const files = requireCapability(currentBackend(), "files", "the test");
  const slots: (FileHandle | undefined)[] = [];
  const results: string[] = [];
  for (const one of steps) {
    let result: unknown;
    try {
      result = await doStep(files, directory, slots, one);
    } catch (error) {
      assert.ok(error instanceof SystemError, String(error));
      result = error.systemCode;
    }
    results.push(`${JSON.stringify(one)}: ${String(result)}`);
  }
  for (const handle of slots) handle?.close(() => {});
  await describeTree(files, directory, results);
  return results;
}

async function doStep(
  files: Files,
  directory: string,
  slots: (FileHandle | undefined)[],
  one: Step,
): Promise<unknown> {
  const at = (text: string): string => `${directory}/${text}`;
  if (one.kind === "open") {
    const target = { ...one.target, path: at(one.target.path) };
    const handle = await settled<FileHandle>("open", (done) => files.open(target, done));
    slots[one.slot]?.close(() => {});
    slots[one.slot] = handle;
    return "opened";
  }
  if (one.kind === "change") return await doChange(files, at, one.change);
  if ("path" in one) return await ask(files, one.kind, at(one.path));
  const handle = slots[one.slot];
  if (handle === undefined) return "nothing open";
  switch (one.kind) {
    case "write":
      return await writeAll(handle, "x".repeat(one.bytes), one.at);
    case "read":
      return summaryOf(await readAll(handle, one.at, 20_000));
    case "set-size":
      return await setSize(handle, one.bytes);
    case "stat-open": {
      const { size, names, mode } = await statOf(handle);
      return [size, names, mode];
    }
    default:
      slots[one.slot] = undefined;
      return handle.close(() => {});
  }
}

async function doChange(
  files: Files,
  at: (text: string) => string,
  wanted: PathChange,
): Promise<unknown> {
  const here = { ...wanted, path: at(wanted.path) };
  if ("target" in here && here.kind !== "symbolic-link") here.target = at(here.target);
  // Here runtimes differ: what is no file, a file onto itself, a slash. Or it takes long: holes are copied as zeros.
  if (here.kind === "copy-file" && !(await isCopy(files, here.path, here.target)))
    return "left out";
  return await settled<void>(here.kind, (done) => files.change(here as PathChange, done));
}

async function isCopy(files: Files, from: string, to: string): Promise<boolean> {
  const known = async (wanted: string): Promise<FileStat | undefined> => {
    try {
      return await settled<FileStat>("stat", (done) => files.stat(wanted, true, done));
    } catch {
      return undefined;
    }
  };
  const source = await known(from);
  if (to.endsWith("/")) return false;
  const isSmall = source?.kind === "file" && source.size <= COPIED_BYTES_MAX;
  return isSmall && source.inode !== (await known(to))?.inode;
}

async function ask(
  files: Files,
  kind: "stat" | "look" | "real-path" | "read-link" | "list",
  wanted: string,
): Promise<unknown> {
  switch (kind) {
    case "real-path":
      return await settled("realPath", (done) => files.realPath(wanted, done));
    case "read-link":
      return await settled("readLink", (done) => files.readLink(wanted, done));
    case "list": {
      const entries = await settled<readonly DirectoryEntry[]>("list", (done) =>
        files.readDirectory(wanted, done),
      );
      return entries.map((entry) => `${entry.name} ${entry.kind}`).sort();
    }
    default: {
      const known = await settled<FileStat>("stat", (done) =>
        files.stat(wanted, kind === "stat", done),
      );
      const { size, names, mode } = known;
      // What a directory tells of these, each file system decides.
      return known.kind === "directory" ? `directory ${mode}` : [known.kind, size, names, mode];
    }
  }
}

async function describeTree(files: Files, directory: string, into: string[]): Promise<void> {
  const entries = await settled<readonly DirectoryEntry[]>("list", (done) =>
    files.readDirectory(directory, done),
  );
  const sorted = entries.toSorted((one, other) => (one.name < other.name ? -1 : 1));
  for (const { name: own, kind } of sorted) {
    const below = `${directory}/${own}`;
    into.push(`${below}: ${String(await ask(files, "look", below))}`);
    if (kind === "directory") await describeTree(files, below, into);
    if (kind === "link") into.push(String(await ask(files, "read-link", below)));
    if (kind !== "file") continue;
    const handle = await settled<FileHandle>("open", (done) => {
      const target = { path: below, access: "read", create: "never" } as const;
      return files.open({ ...target, truncate: false, append: false, mode: 0 }, done);
    });
    into.push(summaryOf(await readAll(handle, 0, 20_000)));
    handle.close(() => {});
  }
}

/** A text with how often each character comes, so that it can be compared and read. */
function summaryOf(text: string): string {
  return text.replace(/(.)\1*/gs, (all, one: string) => `${all.length}×${JSON.stringify(one)} `);
}
