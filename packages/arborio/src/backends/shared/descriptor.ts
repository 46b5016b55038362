import { lazily } from "./builtin.ts";

const fs = lazily("node:fs");

/** What is wrong with a descriptor that could not be used as a socket, which the runtimes hardly tell; `null` if nothing is seen. */
export function faultOfDescriptor(descriptor: number): unknown {
  try {
    if (fs().fstatSync(descriptor).isSocket()) return null;
  } catch (error) {
    return error;
  }
  return Object.assign(new Error("not a socket"), { code: "ENOTSOCK" });
}
