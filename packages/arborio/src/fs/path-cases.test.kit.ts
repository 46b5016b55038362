/** Every operation of `Path`, to be cancelled at each of its checkpoints: before it begins, while it waits, and after it was woken. */
import assert from "node:assert/strict";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { isCancelled } from "../core/cancelled.ts";
import { openTemporaryDirectory, openTemporaryFile, Path } from "../fs.ts";
import type { FileTree } from "../sim.ts";
import { cancelEverywhere } from "../testing.ts";

/** One operation, on a tree of its own. */
export interface Case {
  readonly act: (root: Path) => unknown;
  /** What may be there afterwards. The first is what there is if the operation has ended without an error. */
  readonly states: readonly string[];
  /** Whether states in between are all right: so many more of these lines, or fewer. */
  readonly between?: true;
}

const START = "a/ a/b/ a/b/c a/d e/ file link@";

/** For what changes nothing. */
const asks = (act: (root: Path) => unknown): Case => ({ act, states: [START] });
/** For what is done, or not. */
const changes = (state: string, act: (root: Path) => unknown): Case => ({
  act,
  states: [state, START],
});
/** For what is done bit by bit. */
const grows = (state: string, act: (root: Path) => unknown): Case => ({
  act,
  states: [state, START],
  between: true,
});

async function drain(entries: AsyncIterable<unknown>): Promise<void> {
  for await (const _entry of entries);
}

/** All that `Path` can wait for, and what is temporary. */
export const CASES: Readonly<Record<string, Case>> = {
  stat: asks((root) => root.stat()),
  "stat of a link": asks((root) => root.join("link").stat({ followLinks: false })),
  exists: asks((root) => root.join("no").exists()),
  isFile: asks((root) => root.isFile()),
  isDirectory: asks((root) => root.isDirectory()),
  isLink: asks((root) => root.isLink()),
  isSameFile: asks((root) => root.isSameFile("/")),
  realPath: asks((root) => root.join("link").realPath()),
  readLink: asks((root) => root.join("link").readLink()),
  workingDirectory: asks(() => Path.workingDirectory()),
  entries: asks((root) => root.entries()),
  walk: asks((root) => drain(root.walk())),
  "walk, followLinks": asks((root) => drain(root.walk({ followLinks: true, childrenFirst: true }))),
  glob: asks((root) => drain(root.glob("**/*"))),
  open: asks(async (root) => (await root.join("file").open()).close()),
  read: asks((root) => root.join("file").read()),
  readText: asks((root) => root.join("file").readText()),
  setMode: asks((root) => root.setMode(0o700)),
  setTimes: asks((root) => root.setTimes({ modifiedMs: 0 })),
  setOwner: asks((root) => root.setOwner({})),
  syncDirectory: asks((root) => root.syncDirectory()),
  touch: asks((root) => root.join("file").touch()),
  "touch, new": changes(`${START} new`, (root) => root.join("new").touch()),
  write: changes(`${START} new`, (root) => root.join("new").write("")),
  append: changes(`${START} new`, (root) => root.join("new").append("")),
  makeDirectory: changes("a/ a/b/ a/b/c a/d e/ file link@ n/", (root) =>
    root.join("n").makeDirectory(),
  ),
  "makeDirectory, parents": grows("a/ a/b/ a/b/c a/d e/ file link@ n/ n/f/ n/f/g/", (root) =>
    root.join("n/f/g").makeDirectory({ parents: true }),
  ),
  makeLink: changes("a/ a/b/ a/b/c a/d e/ file l@ link@", (root) => root.join("l").makeLink("x")),
  makeHardLink: changes("a/ a/b/ a/b/c a/d e/ file h link@", (root) =>
    root.join("h").makeHardLink(root.join("file")),
  ),
  rename: changes("e/ file link@ z/ z/b/ z/b/c z/d", (root) =>
    root.join("a").rename(root.join("z")),
  ),
  move: changes("e/ file link@ z/ z/b/ z/b/c z/d", (root) => root.join("a").move(root.join("z"))),
  copy: changes("a/ a/b/ a/b/c a/d copy e/ file link@", (root) =>
    root.join("file").copy(root.join("copy"), { keepTimes: true }),
  ),
  copyTree: grows("a/ a/b/ a/b/c a/d e/ file link@ z/ z/b/ z/b/c z/d", (root) =>
    root.join("a").copyTree(root.join("z"), { keepTimes: true }),
  ),
  removeDirectory: changes("a/ a/b/ a/b/c a/d file link@", (root) =>
    root.join("e").removeDirectory(),
  ),
  remove: changes("a/ a/b/ a/b/c a/d e/ link@", (root) => root.join("file").remove()),
  removeTree: grows("e/ file link@", (root) => root.join("a").removeTree()),
  openTemporaryDirectory: asks(async (root) => {
    await using directory = await openTemporaryDirectory({ parent: root });
    await directory.path.join("x").write("");
  }),
  openTemporaryFile: asks(async (root) => {
    await using temporary = await openTemporaryFile({ parent: root });
    await temporary.file.write("x");
  }),
};

/** Makes the tree without passing a checkpoint. */
export type Plant = (root: string) => void;

/** The tree, in the simulator. */
export function plantInto(files: FileTree): Plant {
  return (root) => {
    for (const path of ["a/b/c", "a/d", "file"]) files.write(`${root}/${path}`, "x");
    files.makeDirectory(`${root}/e`);
    files.link(`${root}/link`, "a");
  };
}

/** The tree, on the host. */
export const plantOnHost: Plant = (root) => {
  mkdirSync(`${root}/a/b`, { recursive: true });
  for (const path of ["a/b/c", "a/d", "file"]) writeFileSync(`${root}/${path}`, "x");
  mkdirSync(`${root}/e`);
  symlinkSync("a", `${root}/link`);
};

/** What is in a tree, in order. */
async function snapshot(root: Path): Promise<string> {
  const marks = { file: "", directory: "/", link: "@", other: "?" };
  const found: string[] = [];
  for await (const { path, kind } of root.walk())
    found.push(path.relativeTo(root).text + marks[kind]);
  return found.join(" ");
}

/** Whether `state` has what is in both `one` and `other`, and nothing that is in neither. */
function isBetween(state: string, one: string, other: string): boolean {
  const [lines, ones, others] = [state, one, other].map((text) => new Set(text.split(" ")));
  const all = [...(ones ?? []), ...(others ?? [])];
  const common = all.filter((line) => ones?.has(line) === true && others?.has(line) === true);
  return (
    common.every((line) => lines?.has(line)) &&
    [...(lines ?? [])].every((line) => all.includes(line))
  );
}

/** One round of a sweep. */
interface Round {
  readonly root: Path;
  readonly hasEnded: boolean;
}

/** Cancels an operation at each of its checkpoints, and looks what is there afterwards. */
export async function sweep(
  folder: Path,
  plant: Plant,
  { act, states, between }: Case,
): Promise<void> {
  const rounds: Round[] = [];
  const { rounds: counts } = await cancelEverywhere(async (round) => {
    const root = folder.join(`tree-${rounds.length}`);
    plant(root.text);
    let hasEnded = false;
    round.after(() => rounds.push({ root, hasEnded }));
    try {
      await act(root);
      hasEnded = true;
    } catch (error) {
      assert.ok(isCancelled(error), String(error));
      throw error;
    }
  });
  assert.ok(counts.entry > 0 && counts.waiting > 0, JSON.stringify(counts));
  const [done = "", begun = done] = states;
  for (const [index, { root, hasEnded }] of rounds.entries()) {
    const state = await snapshot(root);
    if (hasEnded) assert.equal(state, done, `round ${index} has ended`);
    // The first round is not cancelled; the second at the entry of its first operation.
    else if (index === 1) assert.equal(state, begun, "nothing had begun");
    else if (between === true) assert.ok(isBetween(state, begun, done), state);
    else assert.ok(states.includes(state), state);
  }
  assert.ok(rounds[0]?.hasEnded);
  assert.equal(rounds[1]?.hasEnded, false);
}
