/**
 * Whoever knows what was there at first, and follows the changes, knows what is there: names, kinds, and what is in the files. On the
 * host, and in the simulator over many seeds.
 */
import assert from "node:assert/strict";
import { failAfter, moveOnAfter, shielded, sleep, SystemError, taskGroup } from "../index.ts";
import {
  type DirectoryChange,
  type DirectoryWatch,
  readDirectory,
  readTextFile,
  watchDirectory,
} from "../fs.ts";
import { randomBytes } from "../lowlevel.ts";
import { filesTest } from "./files.test.kit.ts";
import { act } from "./watch.test.kit.ts";

const OPERATIONS = 120;
const SEEDS = Array.from({ length: 40 }, (_, seed) => seed);
/** Long, for a busy machine. */
const FOLLOWED_MS_MAX = 20_000;

/** What is at a path: `"directory"`, or the text of a file. */
type Model = Map<string, string>;

filesTest(
  "watchDirectory: whoever follows the changes knows what is there",
  async (folder) => {
    for (const name of ["a", "b"]) await act.directory(`${folder}/${name}`);
    await act.write(`${folder}/a/x`, "x");
    using watch = await watchDirectory(folder, { recursive: true, settleMs: pick(60) });
    const model = await whatIsThere(folder);
    await taskGroup(async (group) => {
      let isDone = false;
      group.startSoon(async () => {
        for (let count = 0; count < OPERATIONS; count++) {
          await orNothing(() => something(folder));
          if (pick(6) === 0) await sleep(pick(100));
        }
        isDone = true;
      });
      // Cancelled again and again: nothing may be lost by that.
      while (!isDone) await moveOnAfter(pick(150), () => follow(watch, model));
    });
    const there = await whatIsThere(folder);
    await failAfter(FOLLOWED_MS_MAX, async () => {
      while (!isEqual(model, there)) await apply(await watch.receive(), model);
    });
    // What is still told does not lead away.
    await moveOnAfter(200, () => follow(watch, model));
    assert.deepEqual(model, there);
  },
  { seeds: SEEDS },
);

async function follow(watch: DirectoryWatch, model: Model): Promise<void> {
  for (;;) for (const change of await watch.receiveAll()) await apply(change, model);
}

/** Takes over a change. That of a file may be read later than it was told, and the file be gone: then that is told next. */
async function apply({ kind, path, fileKind }: DirectoryChange, model: Model): Promise<void> {
  if (kind === "removed") model.delete(path);
  else if (fileKind === "directory") model.set(path, "directory");
  else {
    // Shielded: whoever has received it must not be cancelled before it is taken over.
    model.set(path, (await shielded(() => orNothing(() => readTextFile(path)))) ?? "gone");
  }
}

async function whatIsThere(folder: string, model: Model = new Map()): Promise<Model> {
  for (const { name, kind } of await readDirectory(folder)) {
    const path = `${folder}/${name}`;
    model.set(path, kind === "directory" ? kind : await readTextFile(path));
    if (kind === "directory") await whatIsThere(path, model);
  }
  return model;
}

function isEqual(one: Model, other: Model): boolean {
  if (one.size !== other.size) return false;
  for (const [path, what] of one) if (other.get(path) !== what) return false;
  return true;
}

/** Does one thing somewhere below `folder`, which the system may refuse. */
async function something(folder: string): Promise<unknown> {
  const path = somewhere(folder);
  switch (pick(8)) {
    case 0:
      return await act.directory(path);
    case 1:
      return await act.remove(path);
    case 2:
      return await act.removeDirectory(path);
    case 3:
    case 4:
      return await act.rename(path, somewhere(folder));
    case 5:
      return await act.append(path, String(pick(10)));
    default:
      // Often of the same length as what was there.
      return await act.write(path, String(pick(10)));
  }
}

function somewhere(folder: string): string {
  const names = ["a", "b", "c", "x", "y"];
  let path = folder;
  for (let depth = pick(3); depth >= 0; depth--) path += `/${names[pick(names.length)]}`;
  return path;
}

function pick(count: number): number {
  const [first = 0, second = 0] = randomBytes(2);
  return (first * 256 + second) % count;
}

async function orNothing<T>(fn: () => Promise<T>): Promise<T | undefined> {
  try {
    return await fn();
  } catch (error) {
    if (error instanceof SystemError) return undefined;
    throw error;
  }
}
