import type { BodyReader } from "./body-reader.ts";

/** The body as a web stream of text. It counts as read from here on. @throws TypeError if it was read. */
export function textStreamOf(reader: BodyReader, method: string): ReadableStream<string> {
  reader.requireUsable(method);
  const web = reader.web ?? new Blob([]).stream();
  return web.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>);
}
