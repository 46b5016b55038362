/** All 517 cases, and what is said of compression in the handshake. */
import type { FuzzAgreement, FuzzDeflate } from "./fuzz-peer.test.kit.ts";
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

/** For real sockets: of each kind of compression the first few sizes. */
export const chosen: readonly FuzzCase[] = suite.filter(
  ({ id, deflate }) => deflate === undefined || /\.[1-5]$/.test(id),
);

/** Groups in their order: `1`, `2`, …, `12.1`, `12.2`, … */
export const groups: readonly string[] = [...new Set(suite.map(groupOf))];

export function groupOf({ id, deflate }: FuzzCase): string {
  const end = id.indexOf(".");
  return id.slice(0, deflate === undefined ? end : id.indexOf(".", end + 1));
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

/**
 * What a handshake has agreed upon.
 *
 * @param answer value of the server's `Sec-WebSocket-Extensions`.
 * @param role of the peer.
 * @returns `null`: nothing is compressed.
 */
export function agreementOf(answer: string, role: "client" | "server"): FuzzAgreement | null {
  if (!answer.toLowerCase().includes(NAME)) return null;
  const client = deflateOf(answer, "client");
  const server = deflateOf(answer, "server");
  return role === "client" ? { own: client, other: server } : { own: server, other: client };
}

function deflateOf(answer: string, side: string): FuzzDeflate {
  const bits = new RegExp(`${side}_max_window_bits *= *"?(\\d+)`, "i").exec(answer)?.[1];
  return {
    windowBits: Number(bits ?? 15),
    noContextTakeover: new RegExp(`${side}_no_context_takeover`, "i").test(answer),
  };
}
