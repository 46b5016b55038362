import { randomBytes } from "arborio/lowlevel";

/** Where a request stands in a trace that goes through many programs: the W3C's Trace Context. */
export interface TraceContext {
  /** Of the whole trace: 32 hexadecimal digits in lower case, not all 0. */
  readonly traceId: string;
  /** Of the one operation: 16 hexadecimal digits in lower case, not all 0. */
  readonly spanId: string;
  /** Whether the caller may have recorded it. */
  readonly sampled: boolean;
  /** What the systems on the way keep for themselves, to be passed on as it is; `""`: nothing. */
  readonly state: string;
}

/** The version that is written, and the length of what it has. */
const VERSION = "00";
const VERSION_00_LENGTH = 55;
const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-|$)/;
const ONLY_ZEROS = /^0+$/;
const SAMPLED = 1;

/** What `tracestate` may have: Trace Context §3.3.1.5 asks to pass on at least 512 characters, and allows 32 members. */
const STATE_LENGTH_MAX = 512;
const STATE_MEMBERS_MAX = 32;
const STATE_MEMBER = /^(?:[a-z0-9][a-z0-9_*/@-]{0,255})=[ -+\--<>-~]{0,255}[!-+\--<>-~]$/;

/**
 * The trace that a request belongs to, by its `traceparent` and `tracestate`.
 *
 * @param headers of the request.
 * @returns `null` if it belongs to none: there is no `traceparent`, or it is malformed, or there are several. A malformed `tracestate`
 *   is left out.
 *
 * Source: W3C Trace Context §3.
 *
 * @example Pass a trace on to another server
 * ```ts
 * import { childTrace, parseTrace, traceFields } from "@arborio/http";
 *
 * const headers = new Headers({
 *   traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
 * });
 * const mine = childTrace(parseTrace(headers));
 * const fields = traceFields(mine);
 * console.assert(fields.traceparent?.startsWith("00-0af7651916cd43dd8448eb211c80319c-"));
 * console.assert(mine.spanId !== "b7ad6b7169203331" && mine.sampled);
 * ```
 */
export function parseTrace(headers: Headers): TraceContext | null {
  const parent = headers.get("traceparent") ?? "";
  const match = TRACEPARENT.exec(parent);
  if (match === null) return null;
  const [, version = "", traceId = "", spanId = "", flags = ""] = match;
  // Later versions may append something; ff is none.
  if (version === "ff" || (version === VERSION && parent.length !== VERSION_00_LENGTH)) return null;
  if (ONLY_ZEROS.test(traceId) || ONLY_ZEROS.test(spanId)) return null;
  const sampled = (Number.parseInt(flags, 16) & SAMPLED) !== 0;
  return { traceId, spanId, sampled, state: parseState(headers.get("tracestate") ?? "") };
}

/**
 * A new operation in the trace of `parent`; without one, in a new trace that is sampled. Its ids are random, and come from the seed in
 * the simulator.
 */
export function childTrace(parent: TraceContext | null): TraceContext {
  const spanId = randomId(8);
  if (parent === null) return { traceId: randomId(16), spanId, sampled: true, state: "" };
  return { ...parent, spanId };
}

/** The fields that tell another server of the trace. */
export function traceFields(
  trace: TraceContext,
): Record<"traceparent" | "tracestate", string> | Record<"traceparent", string> {
  const traceparent = `${VERSION}-${trace.traceId}-${trace.spanId}-${trace.sampled ? "01" : "00"}`;
  return trace.state === "" ? { traceparent } : { traceparent, tracestate: trace.state };
}

function parseState(field: string): string {
  if (field.length > STATE_LENGTH_MAX) return "";
  const members = field
    .split(",")
    .map((member) => member.replace(/^[\t ]+|[\t ]+$/g, ""))
    .filter((member) => member !== "");
  const keys = new Set(members.map((member) => member.slice(0, member.indexOf("="))));
  const isGood =
    keys.size === members.length && members.every((member) => STATE_MEMBER.test(member));
  return isGood && members.length <= STATE_MEMBERS_MAX ? members.join(",") : "";
}

/** One of all zeros means none. */
function randomId(bytes: number): string {
  for (;;) {
    const id = Array.from(randomBytes(bytes), (byte) => byte.toString(16).padStart(2, "0")).join(
      "",
    );
    if (!ONLY_ZEROS.test(id)) return id;
  }
}
