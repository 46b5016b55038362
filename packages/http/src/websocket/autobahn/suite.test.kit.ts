/** All 517 cases, and what is said of compression in the handshake. */
import type { CaseDeflate, FuzzCase } from "./case.test.kit.ts";
import { closingCases } from "./closing-cases.test.kit.ts";
import { framingCases } from "./framing-cases.test.kit.ts";
import { largeCases } from "./large-cases.test.kit.ts";
import { textCases } from "./text-cases.test.kit.ts";

export const suite: readonly FuzzCase[] = [
  ...framingCases,
  ...textCases,
  ...closingCases,
  ...largeCases,
];

/** Groups in their order: `1`, `2`, … */
export const groups: readonly string[] = [...new Set(suite.map(groupOf))];

export function groupOf({ id }: FuzzCase): string {
  return id.slice(0, id.indexOf("."));
}

const NAME = "permessage-deflate";

/** What a peer that is a client offers. */
export function offerOf({ noContextTakeover, windowBits, isList }: CaseDeflate): string {
  let offer = NAME;
  if (noContextTakeover) offer += "; server_no_context_takeover";
  if (windowBits > 0) offer += `; server_max_window_bits=${windowBits}`;
  offer += "; client_max_window_bits";
  return isList === true ? `${offer}, ${NAME}; server_no_context_takeover, ${NAME}` : offer;
}

/** What a peer that is a server answers. */
export function answerOf({ noContextTakeover, windowBits }: CaseDeflate): string {
  let answer = NAME;
  if (noContextTakeover) answer += "; client_no_context_takeover";
  if (windowBits > 0) answer += `; client_max_window_bits=${windowBits}`;
  return answer;
}
