import { lazily } from "../shared/builtin.ts";
import type { PathWays } from "../shared/node-path-change.ts";

const fs = lazily("node:fs");

export const denoPathWays: PathWays = {
  /**
   * Deno's `unlink` removes empty directories too, and follows a link when a slash is behind it; the
   * system's does neither.
   */
  removeFile(path, told) {
    const bare = path.replace(/(?<=[^/])\/+$/, "");
    fs().lstat(bare, (error, stats) => {
      if (error !== null) told(error);
      else if (stats.isDirectory()) told(refusal("directory", "EISDIR"));
      else if (bare !== path) told(refusal("no directory", "ENOTDIR"));
      else fs().unlink(path, told);
    });
  },
  /** Deno takes no other form of it. Some of these times come out a millisecond early (Deno 2.9.5). */
  earlyTime: (ms) => new Date(Math.floor(ms)),
};

function refusal(message: string, code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(message), { code });
}
