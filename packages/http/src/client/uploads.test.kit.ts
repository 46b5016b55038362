/** What tests of the bodies of requests have in common. */
import { moveOnAfter, sleep } from "arborio";
import type { BodySink } from "../web/body-producer.ts";
import type { RawPeer } from "./raw-server.test.kit.ts";

export const encode = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);

/** Takes one request and answers it with "2". */
export async function answerOnce(peer: RawPeer): Promise<void> {
  await peer.request();
  await peer.answer("2");
}

/** Reads what has come so far within a time, as text. */
export async function within(peer: RawPeer, ms: number): Promise<string> {
  let text = "";
  await moveOnAfter(ms, async () => {
    for (;;) text += new TextDecoder().decode(await peer.stream.receive());
  });
  return text;
}

/** A body without end, with its state. */
export class Endless {
  sent = 0;
  running = 0;

  readonly body = async (sink: BodySink): Promise<void> => {
    this.running += 1;
    try {
      for (;;) {
        await sink.send(new Uint8Array(10_000));
        this.sent += 10_000;
      }
    } finally {
      await sleep(0).catch(() => {});
      this.running -= 1;
    }
  };
}
