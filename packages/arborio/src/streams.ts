/**
 * Streams of bytes and of items.
 *
 * @module
 */
import "./platform/host.ts";

export type {
  ByteReceiveStream,
  ByteSendStream,
  ByteStream,
  ObjectReceiveStream,
  ObjectSendStream,
  ObjectStream,
} from "./streams/byte-stream.ts";
