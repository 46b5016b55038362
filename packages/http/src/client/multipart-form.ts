import { randomBytes } from "arborio/lowlevel";
import { fromReadableStream } from "arborio/streams";
import type { BodySink } from "../web/body-producer.ts";
import { isValue } from "../protocol/characters.ts";
import { utf8Length } from "../connection/wire-outlet.ts";
import type { RequestContent } from "./request-content.ts";
import { describe } from "./require-option.ts";

/** Of randomness, in the boundary: no file that was there before can have it. */
const BOUNDARY_BYTES = 16;

/** What ends no line, and has no business in a head: receivers refuse it, or cut there. Line ends are encoded. */
const CONTROL = /[^\t\n\r\x20-\x7e\x80-\u{10ffff}]/u;

/**
 * A form as `multipart/form-data` (RFC 7578), as browsers write it. Its length is known, and it can be sent again: files are read when
 * they are sent.
 *
 * @throws TypeError if a name has control characters.
 */
export function multipartForm(form: FormData): RequestContent {
  const boundary = `----arborio-${hex(randomBytes(BOUNDARY_BYTES))}`;
  const pieces: (string | Blob)[] = [];
  let text = "";
  for (const [name, value] of form) {
    const disposition = `--${boundary}\r\nContent-Disposition: form-data; name="${nameOf(lineEndsOf(name))}"`;
    if (typeof value === "string") {
      text += `${disposition}\r\n\r\n${lineEndsOf(value)}\r\n`;
      continue;
    }
    // Bun's File takes any type.
    const isType = value.type !== "" && isValue(value.type);
    const type = isType ? value.type : "application/octet-stream";
    text += `${disposition}; filename="${nameOf(value.name)}"\r\nContent-Type: ${type}\r\n\r\n`;
    pieces.push(text, value);
    text = "\r\n";
  }
  pieces.push(`${text}--${boundary}--\r\n`);
  const type = `multipart/form-data; boundary=${boundary}`;
  const [first] = pieces;
  if (pieces.length === 1) {
    return { payload: first as string, payloadBytes: undefined, type, isReplayable: true };
  }
  let payloadBytes = 0;
  for (const piece of pieces) {
    payloadBytes += typeof piece === "string" ? utf8Length(piece) : piece.size;
  }
  return { payload: (sink) => send(pieces, sink), payloadBytes, type, isReplayable: true };
}

async function send(pieces: readonly (string | Blob)[], sink: BodySink): Promise<void> {
  for (const piece of pieces) {
    if (typeof piece === "string") await sink.send(piece);
    else await sendBlob(piece, sink);
  }
}

/** Sends the bytes of a file, which are read as they are taken. */
export async function sendBlob(blob: Blob, sink: BodySink): Promise<void> {
  using stream = fromReadableStream(blob.stream());
  for await (const bytes of stream) await sink.send(bytes);
}

/** As https://html.spec.whatwg.org/#multipart-form-data has it. */
function nameOf(name: string): string {
  if (CONTROL.test(name))
    throw new TypeError(
      `a form: got the name ${describe(name)}, needs one without control characters`,
    );
  return name.replace(/\n/g, "%0A").replace(/\r/g, "%0D").replace(/"/g, "%22");
}

function lineEndsOf(text: string): string {
  return text.replace(/\r\n|\r|\n/g, "\r\n");
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
