import type { Handler } from "@arborio/http";
import { UsageError } from "../command-error.ts";

/** Exports that may be the handler, in the order in which they are looked for. */
const NAMES = ["default", "fetch", "handler", "app"] as const;

/**
 * The handler of a module: its export `default`, `fetch`, `handler` or `app`, whichever comes first; a function, or an object with a method
 * `fetch`, as applications of Hono are.
 *
 * @throws UsageError if there is none.
 */
export function chooseHandler(file: string, module: Readonly<Record<string, unknown>>): Handler {
  const name = NAMES.find((one) => module[one] !== undefined);
  const needs = "it needs: export default (request) => new Response(…)";
  if (name === undefined)
    throw new UsageError(`${file} exports no default, fetch, handler or app; ${needs}`);
  const found = module[name];
  if (typeof found === "function") return found as Handler;
  if (typeof found === "object" && found !== null) {
    const app = found as { fetch?: unknown };
    if (typeof app.fetch === "function") {
      const owner = found as { fetch: Handler };
      return (request, context) => owner.fetch(request, context);
    }
  }
  throw new UsageError(
    `${file}: its ${name} export is neither a function nor an object with a function fetch; ${needs}`,
  );
}
