import { HttpResponse } from "./http-response.ts";

/**
 * Makes `new Response(…)` and `Response.json(…)` give an `HttpResponse`, by putting a stand-in for the global `Response` in place: for
 * code of others, above all frameworks, whose responses are then sent for a fraction of what the platform's cost. `instanceof Response`
 * holds as before, also of what `fetch` gives, which stays the platform's; so does what classes that extend `Response` make.
 *
 * Call it once, before the server is opened. It changes the whole program, so libraries should leave it to programs.
 *
 * @returns puts back what was there.
 *
 * @example Before a framework is used
 * ```ts
 * import { HttpResponse, patchGlobalResponse } from "@arborio/http";
 *
 * const undo = patchGlobalResponse();
 * console.assert(new Response("hello") instanceof HttpResponse);
 * undo();
 * ```
 */
export function patchGlobalResponse(): () => void {
  const theirs = globalThis.Response;
  const json = (data: unknown, init?: ResponseInit): Response => HttpResponse.json(data, init);
  const standIn: typeof Response = new Proxy(theirs, {
    construct(target, given: ConstructorParameters<typeof Response>, newTarget): Response {
      return newTarget === standIn
        ? new HttpResponse(...given)
        : (Reflect.construct(target, given, newTarget) as Response);
    },
    get(target, key, receiver): unknown {
      return key === "json" ? json : (Reflect.get(target, key, receiver) as unknown);
    },
  });
  globalThis.Response = standIn;
  return () => {
    if (globalThis.Response === standIn) globalThis.Response = theirs;
  };
}
