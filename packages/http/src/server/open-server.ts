import { startSystemTask } from "arborio/lowlevel";
import { type Listener, listenTcp, listenUnix } from "arborio/net";
import { ConnectionServer } from "./connection-server.ts";
import type { Handler } from "./handler.ts";
import { Server } from "./server.ts";
import { requireDrainMs, type ServerOptions } from "./server-options.ts";

const PORT = 8000;

/** Opens an HTTP server: it listens when this returns. */
export async function openServer(handler: Handler, options: ServerOptions = {}): Promise<Server> {
  requireDrainMs(options.drainMs);
  const core = new ConnectionServer(handler, options);
  const listener = await listenFor(options);
  const server = new Server(core, listener, options);
  try {
    if (options.group === undefined) startSystemTask(() => server.run(), { name: "http server" });
    else options.group.startSoon(() => server.run(), { name: "http server" });
  } catch (error) {
    listener.close();
    throw error;
  }
  return server;
}

/** Serves until a shutdown or a cancellation ends it. */
export async function serve(handler: Handler, options: ServerOptions = {}): Promise<void> {
  requireDrainMs(options.drainMs);
  const core = new ConnectionServer(handler, options);
  const listener = await listenFor(options);
  await new Server(core, listener, options).run();
}

async function listenFor(options: ServerOptions): Promise<Listener> {
  const { listener, path, port = PORT, host, tls, reusePort, backlog } = options;
  if (listener !== undefined) return listener;
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
