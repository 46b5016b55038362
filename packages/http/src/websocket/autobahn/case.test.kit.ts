/** What a case of the suite is, and how it is judged. */
import { taskGroup } from "arborio";
import type { ByteStream } from "arborio/streams";
import { eventOf, type FuzzAgreement, FuzzPeer } from "./fuzz-peer.test.kit.ts";

/** permessage-deflate of a case: what the peer offers as a client; as a server it accepts the same. */
export interface CaseDeflate {
  readonly noContextTakeover: boolean;
  /** 0: says nothing. */
  readonly windowBits: number;
  /** Offers one below the other. */
  readonly isList?: boolean;
}

export interface FuzzCase {
  readonly id: string;
  /** What the peer does. Without `end: "fail"`, it closes afterwards. */
  readonly run: (peer: FuzzPeer, settings: CaseSettings) => Promise<void>;
  /** What should come. */
  readonly ok: readonly string[];
  /** What may come instead. */
  readonly alsoOk?: readonly (readonly string[])[];
  /** `"close"`: the peer closes, in order; `"closed"`: it has closed already; `"fail"`: the other side has to. */
  readonly end: "close" | "closed" | "fail";
  /** What the close frame may hold; 0: no code. A case that has to fail may end without any. */
  readonly codes: readonly number[];
  readonly deflate?: CaseDeflate;
}

/** How a case is run. */
export interface CaseSettings {
  /** Milliseconds of a pause. */
  readonly pauseMs: number;
  /** Milliseconds that a text may live on whose first bad byte has come; who fails at once is not waited for. */
  readonly failMs: number;
  /** Whether large cases are run as they are, or cut down. */
  readonly isFull: boolean;
  /** Whether who is judged has to make use of compression where it was agreed upon. */
  readonly mustCompress?: boolean;
}

/** Runs a case over a connection whose handshake is done, and says what is wrong; `undefined` if nothing is. */
export async function judge(
  { run, ok, alsoOk = [], end, codes }: FuzzCase,
  stream: ByteStream,
  role: "client" | "server",
  settings: CaseSettings,
  agreement: FuzzAgreement | null = null,
): Promise<string | undefined> {
  const peer = new FuzzPeer(stream, role);
  if (agreement !== null) peer.compress(agreement);
  try {
    return await taskGroup(async (group) => {
      peer.start(group);
      await run(peer, settings);
      if (end === "close") {
        await peer.until(ok.length);
        await peer.sendClose(1000);
      }
      // Of a client it is not for us to end first.
      const isEnded = await untilOver(peer, end, role);
      const { events, closeCode } = peer;
      if (![ok, ...alsoOk].some((list) => list.join(" | ") === events.join(" | ")))
        return `got ${events.join(" | ").slice(0, 300) || "nothing"}, needs ${ok.join(" | ").slice(0, 300) || "nothing"}`;
      if (!isEnded) return "the connection did not end";
      if (settings.mustCompress === true && agreement !== null && peer.compressed === 0)
        return "nothing came compressed";
      if (closeCode === undefined) return end === "fail" ? undefined : "no close frame";
      return codes.includes(closeCode)
        ? undefined
        : `closed with ${closeCode}, needs ${codes.join()}`;
    });
  } finally {
    peer.close();
  }
}

async function untilOver(
  peer: FuzzPeer,
  end: FuzzCase["end"],
  role: "client" | "server",
): Promise<boolean> {
  if (role === "client") return peer.untilEnd();
  // A server ends the connection itself, once both close frames are there; a client that fails may do it, too.
  await peer.untilClosed();
  return end === "fail"
    ? peer.closeCode !== undefined || peer.ended.isSet
    : peer.closeCode !== undefined;
}

/** A message of text, or a pong, as an event. */
export const textEvent = (text: string): string => eventOf(1, text);
export const pongEvent = (payload: string | Uint8Array): string => eventOf(10, payload);
