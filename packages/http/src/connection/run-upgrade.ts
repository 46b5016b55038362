import { BrokenResourceError, Cancelled } from "arborio";
import { streamFromWire } from "arborio/lowlevel";
import type { ByteStream } from "arborio/streams";
import type { UpgradedWire } from "./upgraded-wire.ts";

/** What goes on with a connection when the protocol was switched. It owns the stream only as long as it runs. */
export type Continuation = (stream: ByteStream) => Promise<void>;

/** A switch of protocols that a handler wants; it happens if the handler's response is the one that says so. */
export interface Upgrade {
  /** 101; 200 for a tunnel. */
  readonly status: number;
  /** For the field `Upgrade`; `""` for a tunnel. */
  readonly protocol: string;
  readonly continuation: Continuation;
}

/** Runs the continuation. However it ends, the connection is closed then; if it fails, as one that breaks. */
export async function runUpgrade(
  wire: UpgradedWire,
  { continuation }: Upgrade,
  report: (error: unknown) => void,
): Promise<void> {
  const stream = streamFromWire(wire, "upgraded connection");
  let isBroken = false;
  try {
    await continuation(stream);
  } catch (error) {
    isBroken = true;
    stream.abort();
    if (error instanceof Cancelled) throw error;
    // That the client has gone is nobody's error.
    if (!(error instanceof BrokenResourceError && stream.failure !== null)) report(error);
  } finally {
    stream.close();
    // Of a stream whose wire was taken, closing closes nothing.
    wire.close(isBroken);
  }
}
