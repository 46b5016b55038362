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
  const combined: Partial<Record<keyof Trace, (...facts: unknown[]) => unknown>> = {};
  for (const name of names) {
    const having = traces.filter((trace) => trace[name] !== undefined);
    if (having.length === 0) continue;
    combined[name] = (...facts) => callAll(having, name, facts);
  }
  return combined as Trace;
}

/** @returns a promise if one of them gave one, so that its error is not lost. */
function callAll<Trace extends object>(
  traces: readonly Trace[],
  name: keyof Trace,
  facts: unknown[],
): unknown {
  const errors: unknown[] = [];
  const results: unknown[] = [];
  for (const trace of traces) {
    try {
      results.push((trace[name] as (...facts: unknown[]) => unknown).call(trace, ...facts));
    } catch (error) {
      errors.push(error);
    }
  }
  if (!results.some((result) => result instanceof Promise)) return throwAll(errors);
  return Promise.allSettled(results).then((all) => {
    for (const one of all) if (one.status === "rejected") errors.push(one.reason);
    throwAll(errors);
  });
}

function throwAll(errors: readonly unknown[]): void {
  if (errors.length > 1) throw new ExceptionGroup(errors);
  if (errors.length === 1) throw errors[0];
}
