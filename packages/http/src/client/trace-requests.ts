/** What stands between a client and its hooks. */
import type { DialOptions } from "../dial/dial-options.ts";
import { lookUp } from "../dial/look-up.ts";
import type { ClientRequest } from "./client-request.ts";
import type { ClientResponse } from "./client-response.ts";
import { type ClientTrace, HOOKS } from "./client-trace.ts";
import { describe, requireObject } from "./require-option.ts";
import { type CallHook, TracedExchange } from "./traced-exchange.ts";
import type { ConnectionTrace } from "./transport.ts";

/** Sends requests, and tells the hooks. */
export class RequestTracing {
  readonly #trace: ClientTrace;
  readonly #call: CallHook;

  constructor(trace: ClientTrace, warn: (message: string) => void) {
    this.#trace = trace;
    this.#call = callerOf(trace, warn);
  }

  send(
    request: ClientRequest,
    send: (request: ClientRequest, trace: ConnectionTrace) => Promise<ClientResponse>,
  ): Promise<ClientResponse> {
    const exchange = new TracedExchange(this.#call, request);
    const watchesUpload = this.#trace.uploadProgress !== undefined;
    return exchange.run(request, (sent) => send(sent, exchange), watchesUpload);
  }

  redirected(from: ClientResponse, next: ClientRequest): void {
    this.#call("redirect", from.url, from.status, next.url);
  }
}

/** @throws TypeError if it is no set of hooks. */
export function requireClientTrace(where: string, trace: unknown): void {
  requireObject(`${where}({ trace })`, trace);
  for (const hook of HOOKS) {
    const value = (trace as Record<string, unknown>)[hook];
    if (value !== undefined && typeof value !== "function")
      throw new TypeError(
        `${where}({ trace: { ${hook} } }): got ${describe(value)}, needs a function`,
      );
  }
  if (HOOKS.every((hook) => (trace as ClientTrace)[hook] === undefined)) {
    throw new TypeError(`${where}({ trace }): got no hook, needs some of ${HOOKS.join(", ")}`);
  }
}

/** The options of a dialer that tells the hooks of look-ups. */
export function tracedDialOptions<O extends DialOptions>(
  options: O,
  trace: ClientTrace | undefined,
  warn: (message: string) => void,
): O {
  if (trace?.lookupStart === undefined && trace?.lookupEnd === undefined) return options;
  const call = callerOf(trace, warn);
  const { lookup: find = lookUp } = options;
  const lookup: DialOptions["lookup"] = async (host) => {
    call("lookupStart", host);
    try {
      const addresses = await find(host);
      call("lookupEnd", host, addresses, null);
      return addresses;
    } catch (error) {
      call("lookupEnd", host, null, error);
      throw error;
    }
  };
  return { ...options, lookup };
}

function callerOf(trace: ClientTrace, warn: (message: string) => void): CallHook {
  return (hook, ...facts) => {
    const failed = (error: unknown): void =>
      warn(`openHttpClient({ trace }): the hook ${hook} has thrown: ${String(error)}`);
    try {
      const call = trace[hook] as ((...facts: unknown[]) => unknown) | undefined;
      const result = call?.call(trace, ...facts);
      // Nobody waits for it, but its error is not to end the process.
      if (result instanceof Promise) result.catch(failed);
    } catch (error) {
      failed(error);
    }
  };
}
