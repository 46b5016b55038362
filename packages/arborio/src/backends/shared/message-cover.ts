/**
 * Deno 2.9.5 looks through each message of `node:worker_threads` that it receives for ports, to make them those of Node: every element of
 * an array of bytes too, which takes 0.3 s a megabyte. It does not look into a `Map`. So there a message goes in one, unless ports may be in it.
 */
import process from "node:process";
import { lazily } from "./builtin.ts";

const workerThreads = lazily("node:worker_threads");

/** Key of the message in its cover; nobody else sends such a `Map` alone. */
const COVERED = "arborio.message";

const coversMessages: boolean = "deno" in process.versions;

/** The message as it is to be sent. */
export function coverMessage(
  message: unknown,
  transfer: readonly object[] | undefined,
  covers: boolean = coversMessages,
): unknown {
  // A port can be in a message only if it is transferred.
  return covers && transfer?.some(isPort) !== true ? new Map([[COVERED, message]]) : message;
}

/** The message as it was. */
export function uncoverMessage(received: unknown): unknown {
  return received instanceof Map && received.has(COVERED) ? received.get(COVERED) : received;
}

/** `uncoverMessage` for what `receiveMessageOnPort` gives. */
export function uncoverReceived(
  received: { readonly message: unknown } | undefined,
): { readonly message: unknown } | undefined {
  return received?.message instanceof Map
    ? { message: uncoverMessage(received.message) }
    : received;
}

function isPort(transferred: object): boolean {
  return transferred instanceof workerThreads().MessagePort;
}
