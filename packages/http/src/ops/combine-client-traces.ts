import type { ClientTrace } from "../client/client-trace.ts";
import { combineHooks } from "./combine-traces.ts";

/** All hooks: the type sees to it that none is left out. */
const HOOKS: Readonly<Record<keyof ClientTrace, true>> = {
  requestStart: true,
  connectionQueued: true,
  connectionStart: true,
  connectionEnd: true,
  connectionReused: true,
  uploadProgress: true,
  responseStart: true,
  downloadProgress: true,
  requestError: true,
  requestEnd: true,
  redirect: true,
  lookupStart: true,
  lookupEnd: true,
};

/**
 * Several sets of hooks of a client as one: a hook is there if one of them has it, and calls them in order. One that throws keeps no
 * other from being called; several errors are thrown as an `ExceptionGroup`.
 *
 * @example A log and a counter
 * ```ts
 * import { type ClientTrace, combineClientTraces } from "@arborio/http";
 *
 * let requests = 0;
 * const trace: ClientTrace = combineClientTraces(
 *   { requestStart: () => void (requests += 1) },
 *   { requestStart: ({ url }) => console.log(url) },
 * );
 * console.assert(trace.requestEnd === undefined && trace.requestStart !== undefined);
 * ```
 */
export function combineClientTraces(...traces: readonly ClientTrace[]): ClientTrace {
  return combineHooks(Object.keys(HOOKS) as (keyof ClientTrace)[], traces);
}
