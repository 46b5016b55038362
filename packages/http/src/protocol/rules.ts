import { ProtocolError } from "./protocol-error.ts";

/**
 * Every rule for which a message is refused, with the status of the answer. The guide to the parser says why each is there, and a test
 * fails if one is not in it.
 */
export const RULES = {
  // First line
  "empty-line": 400,
  method: 400,
  "request-line": 400,
  "target-character": 400,
  "target-fragment": 400,
  "target-form": 400,
  "target-authority": 400,
  version: 400,
  "version-unsupported": 505,
  "start-line-too-long": 414,
  "status-line": 400,
  "status-code": 400,
  // Lines
  "bare-lf": 400,
  "bare-cr": 400,
  "control-character": 400,
  // Fields
  "leading-space": 400,
  "obs-fold": 400,
  "colon-missing": 400,
  "name-empty": 400,
  "space-before-colon": 400,
  "name-character": 400,
  "field-line-too-long": 431,
  "too-many-fields": 431,
  "head-too-large": 431,
  // What fields say
  "repeated-field": 400,
  "framing-tab": 400,
  "host-missing": 400,
  "host-invalid": 400,
  "content-length": 400,
  "content-length-too-large": 413,
  "length-and-transfer-encoding": 400,
  "transfer-encoding": 400,
  "transfer-encoding-on-1.0": 400,
  "transfer-encoding-unknown": 501,
  "informational-with-body": 400,
  "connect-with-body": 400,
  expectation: 417,
  // Bodies
  "chunk-size": 400,
  "chunk-too-large": 413,
  "chunk-extension": 400,
  "chunk-extensions-too-large": 413,
  "chunk-end": 400,
  "trailers-too-large": 431,
  "trailer-field": 400,
  "message-cut": 400,
} as const;

/** Name of a rule: the `rule` of a {@link ProtocolError}. */
export type Rule = keyof typeof RULES;

/** Refuses a message. */
export function refuse(rule: Rule, message: string): never {
  throw new ProtocolError(RULES[rule], rule, message);
}

/** Characters of input that an error quotes at most: what helps to see what is wrong, and no more. */
const QUOTED_CHARACTERS_MAX = 32;

/** A piece of input as errors show it: short, and escaped to printable ASCII. */
export function quote(text: string): string {
  const short = text.length > QUOTED_CHARACTERS_MAX ? text.slice(0, QUOTED_CHARACTERS_MAX) : text;
  const escaped = JSON.stringify(short).replace(
    /[^ -~]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  return short === text ? escaped : `${escaped}…`;
}
