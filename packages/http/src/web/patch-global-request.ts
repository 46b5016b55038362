import { HttpRequest } from "./http-request.ts";

/**
 * Makes `new Request(request)` and `new Request(request, init)` take requests that came from a server of this package, by putting a
 * stand-in for the global `Request` in place. Node and Deno need it, since their own `Request` looks into private parts of what it
 * is given; on Bun it changes nothing. Programs need it only for code of others that makes such copies, for example Hono's
 * `bodyLimit`; in one's own, `new Request(request.url, request)` does the same everywhere.
 *
 * Call it once, before the server is opened. It changes the whole program, so libraries should leave it to programs.
 *
 * @returns puts back what was there.
 *
 * @example Before a framework is used that copies requests
 * ```ts
 * import { patchGlobalRequest } from "@arborio/http";
 *
 * const undo = patchGlobalRequest();
 * console.assert(new Request("http://localhost/") instanceof Request);
 * undo();
 * ```
 */
export function patchGlobalRequest(): () => void {
  const theirs = globalThis.Request;
  const standIn = new Proxy(theirs, {
    construct(target, [input, init]: [unknown, RequestInit?], newTarget) {
      const given = input instanceof HttpRequest ? [input.url, initOf(input, init)] : [input, init];
      return Reflect.construct(target, given, newTarget) as Request;
    },
  });
  globalThis.Request = standIn;
  return () => {
    if (globalThis.Request === standIn) globalThis.Request = theirs;
  };
}

/** What the copy is made with: the body passes over to it, unless another is given. */
function initOf(request: HttpRequest, init: RequestInit = {}): RequestInit {
  const { method, headers, signal } = request;
  const body = init.body ?? null;
  const copy: RequestInit & { duplex: "half" } = {
    method,
    headers,
    signal,
    duplex: "half",
    ...init,
  };
  copy.body = body === null ? request.body : body;
  return copy;
}
