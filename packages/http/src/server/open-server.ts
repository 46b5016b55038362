import type { TaskGroup } from "arborio";
import { startSystemTask } from "arborio/lowlevel";
import { type Listener, listenTcp, listenUnix } from "arborio/net";
import { ConnectionServer } from "./connection-server.ts";
import type { Handler } from "./handler.ts";
import { requireNumber } from "./resolve-options.ts";
import { Server } from "./server.ts";
import type { ServerOptions } from "./server-options.ts";

/** Port, unless told otherwise. */
const PORT = 8000;

/** Milliseconds that `close` lets requests finish, unless told otherwise. */
const GRACE_MS = 10_000;

/**
 * Opens an HTTP server: it listens when this returns, and is best held by `await using`.
 *
 * Each connection is a task, and each request a scope in it: a client that leaves cancels its handler, and when the server has ended, so
 * have all its handlers, with their cleanup. No client, and nothing that a handler throws, ends the server.
 *
 * It is shut down by `close`, or by a shutdown of the `group` it runs in; opened beside `main`, it does not see the shutdown that a signal
 * asks `main` for: wait in `server.ended()`, or use `serve`.
 *
 * @param handler see `Handler`: `hono.fetch` is one.
 * @throws SystemError with the code `EADDRINUSE` and others, as `listenTcp` and `listenUnix`.
 * @throws TypeError, RangeError for wrong options; InvalidStateError outside a run, without `group`.
 *
 * Counterpart: `aiohttp.web.AppRunner` with its sites.
 *
 * @example Open, ask, close
 * ```ts
 * import { run } from "arborio";
 * import { HttpResponse, openServer } from "@arborio/http";
 *
 * await run(async () => {
 *   await using server = await openServer(() => new HttpResponse("hello"), { port: 0 });
 *   const response = await fetch(server.url);
 *   console.assert((await response.text()) === "hello");
 * });
 * ```
 */
export async function openServer(handler: Handler, options: ServerOptions = {}): Promise<Server> {
  const server = await listening("openServer", handler, options, GRACE_MS);
  try {
    if (options.group === undefined) startSystemTask(() => server.run(), { name: "http server" });
    else options.group.startSoon(() => server.run(), { name: "http server" });
  } catch (error) {
    server.abandon();
    throw error;
  }
  return server;
}

/**
 * Opens an HTTP server, and waits until a shutdown has ended it: that of the scope around, such as the first Ctrl-C of a `run`. What goes on
 * then has as long as that shutdown gives, and at most `graceMs`, if that is given. Options, guarantees and errors as of `openServer`.
 *
 * Counterpart: `aiohttp.web.run_app`.
 *
 * @example A program that serves until Ctrl-C, and lets requests finish for ten seconds
 * ```ts ignore
 * import { run } from "arborio";
 * import { HttpResponse, serve } from "@arborio/http";
 *
 * await run(() => serve(() => new HttpResponse("hello"), { port: 8080 }), { graceMs: 10_000 });
 * ```
 */
export async function serve(
  handler: Handler,
  options: Omit<ServerOptions, "group"> = {},
): Promise<void> {
  const server = await listening("serve", handler, options, Infinity);
  await server.run();
}

async function listening(
  where: string,
  handler: Handler,
  options: ServerOptions,
  defaultGraceMs: number,
): Promise<Server> {
  const core = new ConnectionServer(where, handler, options);
  const { graceMs = defaultGraceMs, drainMs = 0, tls } = options;
  requireGroup(where, options.group);
  requireNumber(`${where}({ graceMs })`, graceMs, 0);
  requireNumber(`${where}({ drainMs })`, drainMs, 0);
  const listener = await listenFor(where, options);
  return new Server(core, listener, {
    graceMs,
    drainMs,
    scheme: tls === undefined ? "http" : "https",
  });
}

function requireGroup(where: string, group: TaskGroup | undefined): void {
  if (group === undefined) return;
  if (where === "serve")
    throw new TypeError("serve({ group }): it runs where it is called; give a group to openServer");
  if (typeof group.startSoon !== "function")
    throw new TypeError(`${where}({ group }): needs the group that taskGroup gave`);
}

async function listenFor(where: string, options: ServerOptions): Promise<Listener> {
  requireOnePlace(where, options);
  const { listener, path, port = PORT, host, tls, reusePort, backlog } = options;
  if (listener !== undefined) {
    if (typeof listener.serve === "function" && typeof listener.close === "function")
      return listener;
    throw new TypeError(`${where}({ listener }): needs one that listenTcp or listenUnix gave`);
  }
  const common = {
    ...(tls === undefined ? {} : { tls }),
    ...(backlog === undefined ? {} : { backlog }),
  };
  if (path !== undefined) return await listenUnix(path, common);
  return await listenTcp(port, {
    ...common,
    ...(host === undefined ? {} : { host }),
    ...(reusePort === undefined ? {} : { reusePort }),
  });
}

/** Options that say where to listen, and those that exclude them. */
const EXCLUDED = {
  listener: ["path", "port", "host", "tls", "reusePort", "backlog"],
  path: ["port", "host", "reusePort"],
} as const;

function requireOnePlace(where: string, options: ServerOptions): void {
  for (const place of ["listener", "path"] as const) {
    if (options[place] === undefined) continue;
    const other = EXCLUDED[place].find((name) => options[name] !== undefined);
    if (other === undefined) continue;
    const reason =
      place === "listener" ? "which a listener has already" : "which a Unix socket has not";
    throw new TypeError(`${where}({ ${place}, ${other} }): got ${other}, ${reason}; leave one out`);
  }
}
