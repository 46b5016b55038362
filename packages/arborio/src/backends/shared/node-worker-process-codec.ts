import { lazily } from "./builtin.ts";

const v8 = lazily("node:v8");

/** Structured clones as bytes, for another process of the same runtime. */
export interface MessageCodec {
  /** @throws DataCloneError if it cannot be cloned. */
  encode(message: unknown): Uint8Array;
  /** @throws Error if these are not the bytes of a message. */
  decode(bytes: Uint8Array): unknown;
}

/**
 * V8's own serializer. The one of `v8.serialize` is for storage: of two views of one buffer it makes two buffers. What cannot be
 * cloned, V8 takes for an empty object; so the message is cloned first, which fails as it does between threads.
 */
export const v8Codec: MessageCodec = {
  encode(message) {
    const serializer = new (v8().Serializer)();
    serializer.writeHeader();
    try {
      serializer.writeValue(structuredClone(message));
    } catch (error) {
      throw toDataCloneError(error);
    }
    return serializer.releaseBuffer();
  },
  decode(bytes) {
    const deserializer = new (v8().Deserializer)(bytes);
    deserializer.readHeader();
    return deserializer.readValue();
  },
};

/** The serializer throws plain errors, for what only threads can share. */
function toDataCloneError(error: unknown): Error {
  const { name, message } = error as Error;
  if (name === "DataCloneError") return error as Error;
  return new DOMException(message, "DataCloneError");
}
