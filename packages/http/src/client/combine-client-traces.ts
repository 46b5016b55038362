import { combineHooks } from "../ops/combine-traces.ts";
import { type ClientTrace, HOOKS } from "./client-trace.ts";

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
  return combineHooks(HOOKS, traces);
}
