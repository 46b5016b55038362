import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { ModuleFolder } from "./command.test.kit.ts";
import { FileOrigin } from "./origin.test.kit.ts";

/** Not a multiple of anything, and without a period that a buffer may have, so that every seam would show. */
export const BIG: Uint8Array = Uint8Array.from(
  { length: 300_007 },
  (_, index) => (index * 31 + (index >> 8)) & 0xff,
);

export const SMALL: Uint8Array = new TextEncoder().encode("small\n");

/** A server of these files. */
export function originOf(files: Readonly<Record<string, Uint8Array>>): FileOrigin {
  const origin = new FileOrigin();
  for (const [path, bytes] of Object.entries(files)) origin.files.set(path, bytes);
  return origin;
}

export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Fails if a file is another one. */
export function assertBytes(folder: ModuleFolder, name: string, bytes: Uint8Array): void {
  assert.equal(sha256(readFileSync(join(folder.path, name))), sha256(bytes), name);
}

/** Before the next look at something that tells nobody when it changes. */
export function shortly(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 20));
}
