/**
 * The process that the program runs in: its signals and standard streams.
 *
 * @example Reload at SIGHUP
 * ```ts
 * import { run } from "arborio";
 * import { openSignalReceiver } from "arborio/process";
 *
 * await run((group) => {
 *   group.startSoon(async () => {
 *     using signals = openSignalReceiver(["SIGHUP"]);
 *     for await (const name of signals) console.log(name);
 *   }, { daemon: true });
 * });
 * ```
 * @module
 */
import "./platform/host.ts";

export { type Command, type ProcessOptions, shellCommand } from "./process/command.ts";
export { type ProcessInput, runProcess, type RunProcessOptions } from "./process/run-process.ts";
export { ProcessResult } from "./process/process-result.ts";
export { OutputLimitError, ProcessFailedError } from "./process/errors.ts";
export { openProcess, type OpenProcessOptions } from "./process/open-process.ts";
export { ChildProcess, type StopOptions } from "./process/child-process.ts";
export type { ProcessExit, StreamTarget } from "./platform/processes.ts";
export type { PathObject } from "./platform/path-text.ts";
export { openSignalReceiver, SignalReceiver } from "./process/signal-receiver.ts";
export { standardError, standardInput, standardOutput } from "./process/standard-streams.ts";
export type { ByteReceiveStream, ByteSendStream } from "./streams/byte-stream.ts";
