import { describeValue } from "../core/arguments.ts";
import type { OpenTarget } from "../platform/files.ts";

/**
 * What a file is opened for, by the names of C's `fopen`, as Node and Python have them:
 * `"r"` to read, `"w"` to write, with what was in it thrown away, `"a"` to write at its end; `"w"` and `"a"` make the file if it is
 * missing. `+` allows both reading and writing. `x` makes the file, and fails with `EEXIST` if anything is there.
 */
export type OpenFlags = "r" | "r+" | "w" | "w+" | "wx" | "wx+" | "a" | "a+" | "ax" | "ax+";

/** What the system is told. */
export type OpenRequest = Pick<OpenTarget, "access" | "create" | "truncate" | "append">;

const REQUESTS: Readonly<Record<OpenFlags, OpenRequest>> = {
  r: { access: "read", create: "never", truncate: false, append: false },
  "r+": { access: "read-write", create: "never", truncate: false, append: false },
  w: { access: "write", create: "if-missing", truncate: true, append: false },
  "w+": { access: "read-write", create: "if-missing", truncate: true, append: false },
  wx: { access: "write", create: "new", truncate: false, append: false },
  "wx+": { access: "read-write", create: "new", truncate: false, append: false },
  a: { access: "write", create: "if-missing", truncate: false, append: true },
  "a+": { access: "read-write", create: "if-missing", truncate: false, append: true },
  ax: { access: "write", create: "new", truncate: false, append: true },
  "ax+": { access: "read-write", create: "new", truncate: false, append: true },
};

/** What flags mean. Throws `RangeError`, or `TypeError`, if there are no such flags. */
export function requestOf(where: string, flags: unknown): OpenRequest {
  if (typeof flags === "string" && Object.hasOwn(REQUESTS, flags))
    return REQUESTS[flags as OpenFlags];
  const message = `${where}: got ${describeValue(flags)}, needs one of ${Object.keys(REQUESTS).join(", ")}`;
  throw typeof flags === "string" ? new RangeError(message) : new TypeError(message);
}
