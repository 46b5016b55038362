import { Cancelled, EndOfStream, sleep, taskGroup } from "arborio";
import { BufferedByteReceiveStream, type ByteReceiveStream } from "arborio/streams";
import { ByteCollector } from "../web/byte-collector.ts";

/** Larger bodies, in bytes, are not collected. */
const BYTES_MAX = 1_048_576;

/** So often the program goes round, a millisecond each, without that more of the body comes: then it is not waited for. Counted, since a busy program is late. */
const IDLE_TURNS_MAX = 10;

/**
 * The body of the web's `Request` is a stream, whatever it was made of. Gives it as bytes, which have a length and can be sent again, if all of it is here
 * already and it is no longer than 1 MiB; else as a stream that gives the same. Cancelled, what was
 * received is lost.
 */
export async function bodyAtHand(
  stream: ByteReceiveStream,
): Promise<Uint8Array | ByteReceiveStream> {
  const bytes = new ByteCollector();
  let isOver = false;
  let hasEnded = false;
  let turnsLeft = IDLE_TURNS_MAX;
  const collect = async (): Promise<void> => {
    try {
      while (bytes.length <= BYTES_MAX) {
        bytes.add(await stream.receive());
        turnsLeft = IDLE_TURNS_MAX;
      }
    } catch (error) {
      if (error instanceof Cancelled) throw error;
      // Of another error who sends the body is told: it comes again.
      hasEnded = error instanceof EndOfStream;
    }
    isOver = true;
  };
  await taskGroup(async (group) => {
    group.startSoon(collect, { daemon: true });
    for (; turnsLeft > 0 && !isOver; turnsLeft--) await sleep(1);
  });
  if (hasEnded) {
    stream.close();
    return bytes.take();
  }
  const whole = new BufferedByteReceiveStream(stream);
  whole.unread(bytes.take());
  return whole;
}
