/** Walking through trees, on every backend. */
import assert from "node:assert/strict";
import { BusyResourceError, moveOnAfter, run, SystemError } from "../index.ts";
import { Path, type WalkOptions } from "../fs.ts";
import { simulate } from "../sim.ts";
import { test as nodeTest } from "node:test";
import { filesTest as test, hasSystemCode, nobodysFilesTest } from "./files.test.kit.ts";
import { list, plant, walked } from "./tree.test.kit.ts";

test("Path.walk: everything below, each directory behind its name, in the order of names", async (folder) => {
  const root = new Path(folder);
  await plant(
    root,
    "b/z",
    "b/a/x",
    "a.txt",
    "a/y",
    ".rc",
    "empty/",
    "a-b/q",
    "way -> b",
    "dead -> no",
  );
  const all = [
    ".rc",
    "a/",
    "a/y",
    "a-b/",
    "a-b/q",
    "a.txt",
    "b/",
    "b/a/",
    "b/a/x",
    "b/z",
    "dead@",
    "empty/",
    "way@",
  ];
  assert.deepEqual(await walked(root), all);
  const paths: Path[] = [];
  for await (const { path } of root.walk()) paths.push(path);
  assert.deepEqual(paths.map(String), [...paths].sort(Path.compare).map(String));
  assert.ok(paths.every((path) => path instanceof Path && path.isRelativeTo(root)));
  assert.deepEqual(await list(root, new Path(folder, "way").walk()), [
    "way/a/",
    "way/a/x",
    "way/z",
  ]);
});

test("Path.walk: from a relative path come relative paths", async () => {
  for await (const { path } of new Path("").walk({ depthMax: 1 })) {
    assert.equal(path.text, path.name);
    break;
  }
});

test("Path.walk, childrenFirst: each directory behind what is in it", async (folder) => {
  const root = new Path(folder);
  await plant(root, "a/b/c", "a/d", "e/", "f");
  assert.deepEqual(await walked(root, { childrenFirst: true }), [
    "a/b/c",
    "a/b/",
    "a/d",
    "a/",
    "e/",
    "f",
  ]);
  for await (const { path, kind } of root.walk({ childrenFirst: true }))
    await (kind === "directory" ? path.removeDirectory() : path.remove());
  assert.deepEqual(await root.entries(), []);
});

test("Path.walk, depthMax and enter: what is not entered is given out all the same", async (folder) => {
  const root = new Path(folder);
  await plant(root, "a/b/c/d", "a/x", "skip/y", "z");
  assert.deepEqual(await walked(root, { depthMax: 1 }), ["a/", "skip/", "z"]);
  assert.deepEqual(await walked(root, { depthMax: 2 }), [
    "a/",
    "a/b/",
    "a/x",
    "skip/",
    "skip/y",
    "z",
  ]);
  const asked: string[] = [];
  const enter: WalkOptions["enter"] = ({ path, kind }) => {
    assert.equal(kind, "directory");
    asked.push(path.name);
    return path.name !== "skip";
  };
  assert.deepEqual(await walked(root, { enter }), [
    "a/",
    "a/b/",
    "a/b/c/",
    "a/b/c/d",
    "a/x",
    "skip/",
    "z",
  ]);
  assert.deepEqual(asked, ["a", "b", "c", "skip"]);
  const both = await walked(root, { enter, depthMax: 2, childrenFirst: true });
  assert.deepEqual(both, ["a/b/", "a/x", "a/", "skip/", "z"]);
});

test("Path.walk, followLinks: links count as what they lead to, and circles end", async (folder) => {
  const root = new Path(folder);
  await plant(
    root,
    "a/f",
    "a/up -> ..",
    "a/self -> .",
    "b/to-a -> ../a",
    "dead -> no",
    "loop -> loop",
    "to-f -> a/f",
  );
  assert.deepEqual(await walked(root), [
    "a/",
    "a/f",
    "a/self@",
    "a/up@",
    "b/",
    "b/to-a@",
    "dead@",
    "loop@",
    "to-f@",
  ]);
  assert.deepEqual(await walked(root, { followLinks: true }), [
    "a/",
    "a/f",
    "a/self@",
    "a/up@",
    "b/",
    "b/to-a/",
    "b/to-a/f",
    "b/to-a/self@",
    "b/to-a/up@",
    "dead@",
    "loop@",
    "to-f",
  ]);
  // Two that lead into one another.
  await plant(root, "x/one/to-two -> ../two", "x/two/to-one -> ../one");
  assert.deepEqual(await walked(root.join("x"), { followLinks: true }), [
    "one/",
    "one/to-two/",
    "one/to-two/to-one@",
    "two/",
    "two/to-one/",
    "two/to-one/to-two@",
  ]);
  await plant(root, "y/out -> /", "way -> y");
  const out = await list(root, root.join("way").walk({ followLinks: true, depthMax: 1 }));
  assert.deepEqual(out, ["way/out/"]);
});

test("Path.walk: a directory that is no more, or another thing, is passed over", async (folder) => {
  const root = new Path(folder);
  for (const childrenFirst of [false, true]) {
    await plant(root, "a/x", "b/x", "c/x", "d/x", "e");
    const found: string[] = [];
    const enter = ({ path }: { path: Path }): boolean => {
      found.push(`enter ${path.name}`);
      return true;
    };
    for await (const { path } of root.walk({ childrenFirst, enter })) {
      found.push(path.name);
      if (found.length > 2 || path.name !== (childrenFirst ? "x" : "a")) continue;
      await root.join("b").removeTree();
      await root.join("c").removeTree();
      await root.join("c").write("a file by now");
      await root.join("d/x").remove();
      await root.join("d/new").write("");
    }
    assert.deepEqual(
      found.filter((name) => !name.startsWith("enter")),
      childrenFirst ? ["x", "a", "new", "d", "e"] : ["a", "x", "b", "c", "d", "new", "e"],
    );
    await root.join("d/new").remove();
    await root.join("c").remove();
  }
});

test("Path.walk: begins with an error where nothing can be walked through", async (folder) => {
  const root = new Path(folder);
  await plant(root, "file", "loop -> loop");
  await assert.rejects(walked(root.join("no")), hasSystemCode("ENOENT"));
  await assert.rejects(walked(root.join("file")), hasSystemCode("ENOTDIR"));
  await assert.rejects(walked(root.join("loop")), hasSystemCode("ELOOP"));
  const told: string[] = [];
  const onError: WalkOptions["onError"] = ({ systemCode }, path) =>
    void told.push(`${systemCode} ${path.name}`);
  assert.deepEqual(await walked(root.join("no"), { onError }), []);
  assert.deepEqual(told, ["ENOENT no"]);
});

nobodysFilesTest(
  "Path.walk: an unreadable directory is an error, behind which the walk can go on",
  async (folder) => {
    const root = new Path(folder);
    await plant(root, "a/x", "b/x", "c/x", "d");
    await root.join("b").setMode(0);
    await assert.rejects(
      walked(root),
      hasSystemCode("EACCES", /read the directory .*\/b: permission denied/),
    );
    const told: string[] = [];
    const onError: WalkOptions["onError"] = (error, path) => {
      assert.ok(error instanceof SystemError);
      told.push(`${error.systemCode} ${path.name}`);
    };
    assert.deepEqual(await walked(root, { onError }), ["a/", "a/x", "b/", "c/", "c/x", "d"]);
    assert.deepEqual(await walked(root, { onError, childrenFirst: true }), [
      "a/x",
      "a/",
      "b/",
      "c/x",
      "c/",
      "d",
    ]);
    assert.deepEqual(told, ["EACCES b", "EACCES b"]);
    const entries = root.walk();
    const found: string[] = [];
    for (;;) {
      try {
        const { done, value } = await entries.next();
        if (done === true) break;
        found.push(value.path.name);
      } catch (error) {
        found.push((error as SystemError).systemCode);
      }
    }
    assert.deepEqual(found, ["a", "x", "b", "EACCES", "c", "x", "d"]);
    await root.join("b").setMode(0o700);
  },
);

test("Path.walk: what enter and onError throw comes out, and the walk can go on", async (folder) => {
  const root = new Path(folder);
  await plant(root, "a/x", "b");
  let wrong = true;
  const entries = root.walk({
    enter() {
      if (wrong) throw new Error("mine");
      return true;
    },
  });
  await assert.rejects(entries.next(), /mine/);
  wrong = false;
  assert.deepEqual(await list(root, entries), ["a/", "a/x", "b"]);
  const failing = root.join("no").walk({
    onError() {
      throw new Error("mine too");
    },
  });
  await assert.rejects(failing.next(), /mine too/);
  assert.deepEqual(await failing.next(), { done: true, value: undefined });
});

test("Path.walk: one task at a time, and whoever leaves the loop ends it", async (folder) => {
  const root = new Path(folder);
  await plant(root, "a/x", "b");
  const entries = root.walk();
  const [first, second] = await Promise.allSettled([entries.next(), entries.next()]);
  assert.equal(first.status, "fulfilled");
  assert.ok(second.status === "rejected" && second.reason instanceof BusyResourceError);
  for await (const { path } of entries) {
    assert.equal(path.name, "x");
    break;
  }
  assert.deepEqual(await entries.next(), { done: true, value: undefined });
});

test("Path.walk, glob: what is no option is refused at once", (folder) => {
  const root = new Path(folder);
  for (const wrong of [
    { depthMax: 0 },
    { depthMax: 1.5 },
    { depthMax: "2" },
    { followLinks: 1 },
    { childrenFirst: "yes" },
    { enter: "*.ts" },
    { onError: true },
    { maxDepth: 3 },
    null,
    7,
  ])
    assert.throws(() => root.walk(wrong as never), /(Type|Range)Error: Path.walk/);
  assert.throws(
    () => root.glob("*", { childrenFirst: true } as never),
    /Path.glob.*no such option/,
  );
  assert.throws(
    () => root.glob("/etc/*"),
    /RangeError: Path.glob: got "\/etc\/\*", needs one that is relative/,
  );
  assert.throws(() => root.glob("{a,/b}"), /needs one that is relative/);
  assert.throws(() => root.glob("../*"), /RangeError: Path.glob: got "..\/\*", needs names/);
  assert.throws(() => root.glob(""), RangeError);
  assert.throws(() => root.glob(undefined as never), TypeError);
});

nodeTest(
  "Path.walk: an entry whose wait was cancelled comes with the next call [simulator]",
  async () => {
    await simulate({ seed: 7 }, async ({ localhost }) => {
      for (const name of ["a/b/c", "a/d", "e/f", "g"]) localhost.files.write(`/srv/${name}`, "");
      const root = new Path("/srv");
      const whole = await walked(root, { followLinks: true });
      let cut = 0;
      for (const ms of [0.01, 0.05, 0.2]) {
        const entries = root.walk({ followLinks: true });
        const found: string[] = [];
        for (let isDone = false; !isDone;) {
          const step = await moveOnAfter(ms * (1 + (cut % 7)), () => entries.next());
          if (step === undefined) cut += 1;
          else if (step.done === true) isDone = true;
          else
            found.push(
              step.value.path.relativeTo(root).text + (step.value.kind === "directory" ? "/" : ""),
            );
        }
        assert.deepEqual(found, whole);
      }
      assert.ok(cut > 3, `${cut} waits were cut short`);
    });
  },
);

nodeTest("Path.walk: works outside of run too", async () => {
  const names: string[] = [];
  for await (const { path } of new Path("/").walk({ depthMax: 1 })) names.push(path.name);
  assert.ok(names.includes("etc"));
  await run(async () => assert.ok((await new Path("/").entries()).length === names.length));
});
