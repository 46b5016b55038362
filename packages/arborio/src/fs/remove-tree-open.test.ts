/** Directories that are open while a tree is removed: not many, and none afterwards. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Path } from "../fs.ts";
import { moveOnAfter } from "../index.ts";
import { simulate } from "../sim.ts";
import { cancelEverywhere } from "../testing.ts";
import { hostFilesTest, untilAllClosed } from "./files.test.kit.ts";
import { intruded, onFiles } from "./other-files.test.kit.ts";
import { plant } from "./tree.test.kit.ts";

/** More levels than are open at once. */
const DEEP = "d/".repeat(36);

test("Path.removeTree: cancelled anywhere, no directory is left open [simulator]", () =>
  simulate({ seed: 1 }, async ({ localhost }) => {
    const { files } = localhost;
    const root = new Path("/tmp/root");
    await cancelEverywhere(async (round) => {
      files.remove(root.text);
      for (const path of [DEEP, "a/b"]) files.makeDirectory(`${root.text}/${path}`);
      files.write(`${root.text}/a/file`, "");
      round.after(() => assert.equal(localhost.openFiles, 0));
      await root.removeTree();
    });
  }));

test("Path.removeTree: however deep a tree is, few directories are open at once [simulator]", () =>
  simulate({ seed: 1 }, async ({ localhost }) => {
    localhost.files.makeDirectory(`/tmp/root/${"d/".repeat(500)}`);
    let most = 0;
    const count = (): [] => {
      most = Math.max(most, localhost.openFiles);
      return [];
    };
    await onFiles(
      (files) => intruded(files, count),
      () => new Path("/tmp/root").removeTree(),
    );
    assert.equal(localhost.files.exists("/tmp/root"), false);
    assert.ok(most > 2 && most <= 34, String(most));
  }));

hostFilesTest(
  "Path.removeTree: cancelled at any time, no directory is left open",
  async (folder) => {
    const root = new Path(folder, "root");
    for (let ms = 0; ms < 12; ms += 1) {
      await plant(root, `${DEEP}x`, "a/b/c/x", "a/y");
      await moveOnAfter(ms, () => root.removeTree());
      await untilAllClosed(folder);
    }
    await root.removeTree({ missingOk: true });
    await untilAllClosed(folder);
  },
  "counted by /proc",
);
