import type { ByteRange } from "./ranges.ts";

/** A piece of a body: bytes as they are, or a part of what is served. */
export type BodySegment = Uint8Array | ByteRange;

/** A body of several parts. */
export interface MultipartRanges {
  /** The value of `Content-Type`. */
  readonly contentType: string;
  /** What is sent, one after the other. */
  readonly segments: readonly BodySegment[];
  /** Bytes of all together. */
  readonly length: number;
}

/** What the parts are parts of. */
export interface RangedRepresentation {
  /** Its bytes. */
  readonly size: number;
  /** The value of its `Content-Type`. */
  readonly contentType: string;
  /** Separates the parts: 1 to 70 characters that occur nowhere in it. */
  readonly boundary: string;
}

/**
 * Lays out a body of the type `multipart/byteranges` (RFC 9110 §14.6). Pure: what is in the ranges is read when it is sent.
 *
 * @param ranges the parts, in this order.
 */
export function multipartRanges(
  ranges: readonly ByteRange[],
  { size, contentType, boundary }: RangedRepresentation,
): MultipartRanges {
  const encoder = new TextEncoder();
  const segments: BodySegment[] = [];
  let length = 0;
  const add = (segment: BodySegment, bytes: number): void => {
    segments.push(segment);
    length += bytes;
  };
  const addText = (text: string): void => {
    const bytes = encoder.encode(text);
    add(bytes, bytes.length);
  };
  ranges.forEach((range, index) => {
    addText(
      `${index === 0 ? "" : "\r\n"}--${boundary}\r\ncontent-type: ${contentType}\r\n` +
        `content-range: ${contentRange(range, size)}\r\n\r\n`,
    );
    add(range, range.end - range.start);
  });
  addText(`\r\n--${boundary}--\r\n`);
  return { contentType: `multipart/byteranges; boundary=${boundary}`, segments, length };
}

/** The value of `Content-Range` for a part (RFC 9110 §14.4). */
export function contentRange({ start, end }: ByteRange, size: number): string {
  return `bytes ${start}-${end - 1}/${size}`;
}
