import { ExceptionGroup } from "arborio";
import type { ServerTrace } from "./server-trace.ts";

/**
 * Several sets of hooks as one: a hook is there if one of them has it, and calls them in order. One that throws keeps no other from
 * being called; several errors are thrown as an `ExceptionGroup`.
 *
 * @example A log and a counter
 * ```ts
 * import { combineTraces, type ServerTrace } from "@arborio/http";
 *
 * let requests = 0;
 * let connections = 0;
 * const trace: ServerTrace = combineTraces(
 *   { requestStart: () => void (requests += 1) },
 *   { connectionOpen: () => void (connections += 1) },
 * );
 * console.assert(trace.requestEnd === undefined && trace.requestStart !== undefined);
 * ```
 */
export function combineTraces(...traces: readonly ServerTrace[]): ServerTrace {
  return combineHooks(HOOKS, traces);
}

const HOOKS = [
  "connectionOpen",
  "connectionClose",
  "requestStart",
  "requestError",
  "requestEnd",
] as const;

/** Sets of hooks of these names as one. */
export function combineHooks<Trace extends object>(
  names: readonly (keyof Trace)[],
  traces: readonly Trace[],
): Trace {
  const combined: Partial<Record<keyof Trace, (...facts: unknown[]) => void>> = {};
  for (const name of names) {
    const having = traces.filter((trace) => trace[name] !== undefined);
    if (having.length === 0) continue;
    combined[name] = (...facts) => callAll(having, name, facts);
  }
  return combined as Trace;
}

function callAll<Trace extends object>(
  traces: readonly Trace[],
  name: keyof Trace,
  facts: unknown[],
): void {
  const errors: unknown[] = [];
  for (const trace of traces) {
    try {
      (trace[name] as (...facts: unknown[]) => void).call(trace, ...facts);
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 1) throw new ExceptionGroup(errors);
  if (errors.length === 1) throw errors[0];
}
