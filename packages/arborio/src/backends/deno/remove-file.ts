import { lazily } from "../shared/builtin.ts";
import type { RemoveFile } from "../shared/node-path-change.ts";

const fs = lazily("node:fs");

/** Deno's `unlink` removes empty directories too, which the system's does not. */
export const removeFile: RemoveFile = (path, told) => {
  fs().lstat(path, (error, stats) => {
    if (error !== null) told(error);
    else if (!stats.isDirectory()) fs().unlink(path, told);
    else told(Object.assign(new Error("directory"), { code: "EISDIR" }));
  });
};
