import { lazily } from "../shared/builtin.ts";
import type { PathWays } from "../shared/node-path-change.ts";

const fs = lazily("node:fs");

export const denoPathWays: PathWays = {
  /** Deno's `unlink` removes empty directories too, which the system's does not. */
  removeFile(path, told) {
    fs().lstat(path, (error, stats) => {
      if (error !== null) told(error);
      else if (!stats.isDirectory()) fs().unlink(path, told);
      else told(Object.assign(new Error("directory"), { code: "EISDIR" }));
    });
  },
  /** Deno takes no other form of it. Some of these times come out a millisecond early (Deno 2.9.5). */
  earlyTime: (ms) => new Date(Math.floor(ms)),
};
