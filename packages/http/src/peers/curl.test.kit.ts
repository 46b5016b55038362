import assert from "node:assert/strict";
import { type Ended, type ProgramOptions, runProgram } from "./program.test.kit.ts";

/** `curl` without its own configuration, quiet but for errors; it must succeed. */
export async function curl(args: readonly string[], options: ProgramOptions = {}): Promise<Ended> {
  const ended = await runProgram("curl", ["-q", "-sS", ...args], options);
  assert.equal(ended.code, 0, `curl ${args.join(" ")}: ${ended.stderr}`);
  return ended;
}

/** The head and the body of what `-i` prints. */
export function parted(text: string): [head: string, body: string] {
  const [head = "", ...body] = text.split("\r\n\r\n");
  return [head, body.join("\r\n\r\n")];
}
