/** What syncing a directory leaves behind. */
import assert from "node:assert/strict";
import { Path, realPath } from "../fs.ts";
import { hasSystemCode, hostFilesTest, untilClosed } from "./files.test.kit.ts";

hostFilesTest(
  "Path.syncDirectory, replace: no descriptor is left, whatever comes of it",
  async (folder) => {
    const root = new Path(await realPath(folder));
    await root.syncDirectory();
    await root.join("file").replace("x");
    await assert.rejects(root.join("file").syncDirectory(), hasSystemCode("ENOTDIR"));
    await assert.rejects(root.join("none").syncDirectory(), hasSystemCode("ENOENT"));
    for (const path of [root, root.join("file")]) await untilClosed(path.text);
  },
  "counted by /proc",
);
