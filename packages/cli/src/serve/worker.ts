import { BrokenResourceError, ClosedResourceError, run } from "arborio";
import { connectUnix } from "arborio/net";
import { LineStream } from "arborio/streams";
import type { Shell } from "../host/shell.ts";
import { startDevChecks } from "../run/dev-checks.ts";
import { loadHandler, serveHandler } from "./serve-file.ts";
import type { ServeFileOptions } from "./serve-options.ts";
import { DRAIN, formatListening, type WorkerCall } from "./worker-protocol.ts";

/**
 * Serves as a worker: until its supervisor says so or is gone, or a signal comes that is meant for it alone.
 *
 * @returns the exit code.
 * @throws as `serveFile`.
 */
export async function serveAsWorker(
  options: ServeFileOptions,
  call: WorkerCall,
  shell: Shell,
): Promise<number> {
  const { dev, graceMs: endMs, drainMs } = options;
  const graceMs = endMs + drainMs;
  const handler = await loadHandler(options.file);
  const own = call.port === null ? options : { ...options, port: call.port };
  await run(
    async (group) => {
      if (dev) startDevChecks(shell, group);
      await using supervisor = new LineStream(await connectUnix(call.socket));
      group.startSoon(
        async () => {
          await wordFrom(supervisor);
          group.scope.shutdown({ graceMs });
        },
        { daemon: true, name: "listen to supervisor" },
      );
      await serveHandler(handler, own, { shell, group }, (listening) => {
        group.startSoon(() => supervisor.send(formatListening(listening)));
      });
    },
    { graceMs, dev, name: "worker" },
  );
  return 0;
}

/** Waits until the supervisor wants this worker to end, or is gone, however that came, or this worker ends by itself. */
async function wordFrom(supervisor: LineStream): Promise<void> {
  try {
    for await (const line of supervisor) if (line === DRAIN) return;
  } catch (error) {
    if (!(error instanceof BrokenResourceError || error instanceof ClosedResourceError))
      throw error;
  }
}
