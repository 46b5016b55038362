/** Random trees and patterns: `glob` finds what `walk` finds and `matches` says, and what Node's own finds where both mean the same. */
import assert from "node:assert/strict";
import * as nodeFs from "node:fs";
import fc from "fast-check";
import { openTemporaryDirectory, Path } from "../fs.ts";
import { run } from "../index.ts";
import { simulator } from "../sim.ts";
import { testIf } from "../testing/test-if.test.kit.ts";
import { test } from "node:test";

/** Printed, so that a run can be repeated. */
const [printedSeed = 0] = fc.sample(fc.nat(), 1);
console.log(`# walk.property: seed ${printedSeed}`);

const name = fc.constantFrom("a", "b", "ab", ".a", "a.b", "[a]", "é");
const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((names) => names.join("/"));
const tree = fc.record({
  files: fc.array(path, { maxLength: 8 }),
  directories: fc.array(path, { maxLength: 4 }),
  links: fc.array(fc.tuple(path, fc.constantFrom(".", "..", "a", "../a", "no")), {
    maxLength: 3,
  }),
});
type Tree = typeof tree extends fc.Arbitrary<infer T> ? T : never;

const piece = fc.constantFrom(
  "a",
  "b",
  "*",
  "?",
  "[ab]",
  "[!a]",
  "{a,b}",
  "{,.}a",
  "\\[a]",
  ".",
  "é",
);
const part = fc.oneof(
  { weight: 1, arbitrary: fc.constant("**") },
  {
    weight: 3,
    arbitrary: fc
      .array(piece, { minLength: 1, maxLength: 3 })
      .map((all) => all.join(""))
      .filter((text) => !/^\.+$/.test(text)),
  },
);
const pattern = fc.array(part, { minLength: 1, maxLength: 4 }).map((all) => all.join("/"));

/** Makes what can be made: where a file is in the way of a directory, the later is left out. */
async function plant(root: Path, { files, directories, links }: Tree): Promise<void> {
  const attempt = async (make: () => Promise<unknown>): Promise<void> => {
    try {
      await make();
    } catch {
      // In the way of one another.
    }
  };
  for (const text of directories)
    await attempt(() => root.join(text).makeDirectory({ parents: true, existOk: true }));
  for (const [text, target] of links) await attempt(() => root.join(text).makeLink(target));
  for (const text of files) {
    await attempt(() => root.join(text).parent.makeDirectory({ parents: true, existOk: true }));
    await attempt(() => root.join(text).write("", { exclusive: true }));
  }
}

async function check(
  planted: Tree,
  patterns: readonly string[],
  followLinks: boolean,
): Promise<number> {
  await using temporary = await openTemporaryDirectory();
  // Links to the directory above must not lead out of it.
  const root = temporary.path.join("in");
  await root.makeDirectory();
  await plant(root, planted);
  let matched = 0;
  const all: Path[] = [];
  const options = followLinks ? { followLinks, depthMax: 6 } : {};
  for await (const entry of root.walk(options)) all.push(entry.path.relativeTo(root));
  assert.deepEqual(all.map(String), [...all].sort(Path.compare).map(String));
  for (const text of patterns) {
    const found: string[] = [];
    for await (const entry of root.glob(text, { followLinks })) {
      const relative = entry.path.relativeTo(root);
      if (relative.parts.length <= 6) found.push(relative.text);
    }
    assert.deepEqual(found, all.filter((one) => one.matches(text)).map(String), text);
    matched += found.length;
  }
  return matched;
}

const inputs = fc.tuple(tree, fc.array(pattern, { minLength: 1, maxLength: 4 }), fc.boolean());

test("Path.glob: finds what walk finds and matches says [simulator]", async () => {
  let matched = 0;
  await fc.assert(
    fc.asyncProperty(inputs, fc.nat(), async ([planted, patterns, followLinks], seed) => {
      matched += await run(() => check(planted, patterns, followLinks), {
        signals: [],
        backend: simulator({ seed }),
      });
    }),
    { seed: printedSeed, numRuns: 150 },
  );
  assert.ok(matched > 100, `${matched} paths`);
});

test("Path.glob: finds what walk finds and matches says [host]", async () => {
  await fc.assert(
    fc.asyncProperty(inputs, async ([planted, patterns, followLinks]) => {
      await run(() => check(planted, patterns, followLinks), { signals: [] });
    }),
    { seed: printedSeed, numRuns: 30 },
  );
});

// Node keeps names that begin with a dot from signs, and gives out the root for `**`.
testIf(!("Bun" in globalThis), "Bun has a glob of its own, with which [!a] matches a slash")(
  "Path.glob: with node:fs as the oracle",
  async () => {
    const visible = pattern.filter((text) => !/\*\*$|\\|\./.test(text));
    await fc.assert(
      fc.asyncProperty(tree, visible, async (planted, text) => {
        await run(
          async () => {
            await using temporary = await openTemporaryDirectory();
            await plant(temporary.path, { ...planted, links: [] });
            const found: string[] = [];
            for await (const entry of temporary.path.glob(text)) {
              const relative = entry.path.relativeTo(temporary.path);
              if (!/(^|\/)\./.test(relative.text)) found.push(relative.text);
            }
            const expected = nodeFs.globSync(text, { cwd: temporary.path.text });
            assert.deepEqual(found.sort(), [...expected].sort(), text);
          },
          { signals: [] },
        );
      }),
      { seed: printedSeed, numRuns: 40 },
    );
  },
);
