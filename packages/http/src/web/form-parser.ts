import type { PartHead } from "./part-head.ts";

/** What a form consists of, in order: heads, each followed by its data and the end of the part; at last the end of the form. */
export type FormEvent =
  | { readonly kind: "head"; readonly head: PartHead }
  | { readonly kind: "data"; readonly bytes: Uint8Array }
  | { readonly kind: "partEnd" }
  | { readonly kind: "end" };

/** Chunks of a form to what it consists of, without I/O. What is malformed or over a limit is thrown as an `HttpError`. */
export interface FormParser {
  /** What a chunk brings. Its memory belongs to the parser, and to who gets the events. */
  push(chunk: Uint8Array): Iterable<FormEvent>;
  /** There are no more chunks: the last events. */
  end(): Iterable<FormEvent>;
}
