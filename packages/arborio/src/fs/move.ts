import { shielded } from "../sync/shield.ts";
import { changePath } from "./change-path.ts";
import { copyBytes } from "./copy-file.ts";
import { copyTree } from "./copy-tree.ts";
import type { Path } from "./path.ts";
import { randomName } from "./random-name.ts";
import { readLink } from "./read-link.ts";
import { removeTree } from "./remove-tree.ts";
import { stat } from "./stat.ts";
import { hasSystemCode } from "./system-code.ts";

const WHERE = "Path.move";

/** `Path.move`. */
export async function move(path: Path, target: Path): Promise<void> {
  const rename = (from: Path): Promise<void> =>
    changePath(WHERE, { kind: "rename", path: from.text, target: target.text });
  try {
    return await rename(path);
  } catch (error) {
    if (!hasSystemCode(error, "EXDEV")) throw error;
  }
  // Beside the target, so that it comes there in one step, and whole.
  const copy = target.parent.join(randomName(".moving-"));
  try {
    await copyAny(path, copy);
    await rename(copy);
  } catch (error) {
    await shielded(() => removeTree(copy, true, true));
    throw error;
  }
  // It has happened: what is still to do ends too.
  await shielded(() => removeTree(path, true));
}

async function copyAny(path: Path, copy: Path): Promise<void> {
  const { kind } = await stat(path, { followLinks: false });
  if (kind === "directory") return await copyTree(path, copy, { keepTimes: true });
  if (kind === "link") {
    const target = await readLink(WHERE, path.text);
    return await changePath(WHERE, { kind: "symbolic-link", path: copy.text, target });
  }
  await copyBytes(WHERE, path.text, copy.text, { replace: false, keepTimes: true });
}
