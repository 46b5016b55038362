/**
 * Bytes of a name at most, in UTF-8: 255 is what file systems take, and something like `.part` or ` (2)` may have to go behind it.
 */
const NAME_BYTES_MAX = 240;
/** Bytes of what is kept as the extension when a name is cut. */
const EXTENSION_BYTES_MAX = 16;

/** Control characters, line separators, and those that turn the direction of text: `gpj.exe` must not look like `exe.jpg`. */
const INVISIBLE = /[\p{Cc}\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;
/** What Windows does not take, or takes for something else: `a:b` is a stream of `a`. */
const MEANINGFUL = /[<>:"|?*]/g;
/** Devices of Windows, in every folder and with every extension. */
const DEVICE =
  /^(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9\u00b9\u00b2\u00b3])[ ]*(?:\.|$)/iu;

const encoder = new TextEncoder();

/**
 * Makes a name that somebody else has chosen one under which a file can be stored in a folder of ours, on any system: only its last part,
 * never a path, no hidden file, no device, nothing invisible, and not too long. Whether a file of that name is there already is not its
 * business: open it so that it must be new.
 *
 * @returns the name; the same if it was good already; `null` if nothing is left of it.
 *
 * Source: RFC 6266 §4.3, RFC 2183 §2.3.
 *
 * @example
 * ```ts
 * import { safeFileName } from "@arborio/http/protocol";
 *
 * console.assert(safeFileName("report (final).pdf") === "report (final).pdf");
 * console.assert(safeFileName("../../etc/passwd") === "passwd");
 * console.assert(safeFileName("C:\\Windows\\win.ini") === "win.ini");
 * console.assert(safeFileName(".bashrc") === "_bashrc");
 * console.assert(safeFileName("..") === null);
 * ```
 */
export function safeFileName(name: string): string | null {
  const last = name.slice(Math.max(name.lastIndexOf("/"), name.lastIndexOf("\\")) + 1);
  const visible = last.toWellFormed().replace(INVISIBLE, "").replace(MEANINGFUL, "_");
  const trimmed = withoutEnd(visible.trimStart());
  if (trimmed === "") return null;
  const shown = trimmed.startsWith(".") ? `_${trimmed.slice(1)}` : trimmed;
  const short = cut(shown);
  return DEVICE.test(short) ? cut(`_${short}`) : short;
}

/** Windows drops dots and spaces at the end. By hand: a pattern would look at each run of dots once for each dot. */
function withoutEnd(text: string): string {
  let end = text.length;
  while (end > 0 && /[.\s]/u.test(text[end - 1] as string)) end -= 1;
  return text.slice(0, end);
}

/** Cut between characters, with the extension kept. */
function cut(name: string): string {
  if (byteLength(name) <= NAME_BYTES_MAX) return name;
  const dot = name.lastIndexOf(".");
  const extension =
    dot > 0 && byteLength(name.slice(dot)) <= EXTENSION_BYTES_MAX ? name.slice(dot) : "";
  const bytes = encoder.encode(name.slice(0, name.length - extension.length));
  let end = NAME_BYTES_MAX - byteLength(extension);
  // Not within a character: its other bytes are 10xxxxxx.
  while (((bytes[end] as number) & 0xc0) === 0x80) end -= 1;
  return `${withoutEnd(new TextDecoder().decode(bytes.subarray(0, end)))}${extension}`;
}

function byteLength(text: string): number {
  return encoder.encode(text).length;
}
