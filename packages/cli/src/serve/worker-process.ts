import { BrokenResourceError, ClosedResourceError, InternalError, soft, taskGroup } from "arborio";
import { openTemporaryDirectory } from "arborio/fs";
import { listenUnix } from "arborio/net";
import { type ChildProcess, openProcess, type ProcessExit } from "arborio/process";
import { IncompleteReadError, LineStream } from "arborio/streams";
import { EXIT } from "../exit-codes.ts";
import { ownCommand } from "../host/own-command.ts";
import type { Listening } from "./listening.ts";
import type { RunWorker, WorkerEnd } from "./supervisor.ts";
import { DRAIN, parseListening, WORKER_VARIABLE, type WorkerCall } from "./worker-protocol.ts";

/** Milliseconds between SIGTERM and SIGKILL of a worker that has used up its grace: cleaning up must be quick by then. */
const KILL_MS = 2_000;

/** Makes workers that are processes: this command once more, with the same arguments. */
export function workerProcesses(args: readonly string[]): RunWorker {
  return async (port, onListening) => {
    await using folder = await openTemporaryDirectory();
    const socket = folder.path.join("socket").toString();
    using listener = await listenUnix(socket);
    const call: WorkerCall = { socket, port: port ?? null };
    await using process = await openProcess(ownCommand(args), {
      stdout: "inherit",
      env: { [WORKER_VARIABLE]: JSON.stringify(call) },
      graceMs: KILL_MS,
    });
    const called = async (): Promise<LineStream> => {
      const channel = new LineStream(await listener.accept());
      // At once: nothing is left of them if this process is killed.
      listener.close();
      await folder[Symbol.asyncDispose]();
      return channel;
    };
    return describeExit(await untilEnd(process, called, onListening));
  };
}

/** Waits for the end of a worker, hears from it when it has `called`, and passes on a shutdown. */
async function untilEnd(
  process: ChildProcess,
  called: () => Promise<LineStream>,
  onListening: (listening: Listening) => void,
): Promise<ProcessExit> {
  const exit = await taskGroup(async (group) => {
    let channel: LineStream | undefined;
    group.startSoon(
      async () => {
        channel = await called();
        await hear(channel, onListening);
      },
      { daemon: true, name: "listen to worker" },
    );
    await soft(() => process.wait());
    // Asked to end.
    if (process.exit === undefined) await tellToEnd(process, channel);
    return await process.wait();
  });
  if (exit === undefined) throw new InternalError("a group that nobody cancels was cancelled");
  return exit;
}

async function hear(
  channel: LineStream,
  onListening: (listening: Listening) => void,
): Promise<void> {
  try {
    await using stream = channel;
    for await (const line of stream) onListening(parseListening(line));
  } catch (error) {
    // It has ended; how, its exit tells.
    if (!isGone(error)) throw error;
  }
}

async function tellToEnd(process: ChildProcess, channel: LineStream | undefined): Promise<void> {
  // One that has not called yet has no requests to finish.
  if (channel === undefined) process.terminate();
  try {
    await channel?.send(DRAIN);
  } catch (error) {
    if (!isGone(error)) throw error;
    process.terminate();
  }
}

function isGone(error: unknown): boolean {
  return (
    error instanceof BrokenResourceError ||
    error instanceof ClosedResourceError ||
    error instanceof IncompleteReadError
  );
}

function describeExit({ code, signal }: ProcessExit): WorkerEnd {
  if (signal !== undefined) return { how: `was ended by ${signal}`, isUsage: false };
  return { how: `ended with exit code ${code}`, isUsage: code === EXIT.usage };
}
