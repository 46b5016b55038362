import { type CompressorOptions, createCompressor } from "arborio/lowlevel";
import type { BodyProducer } from "../web/body-producer.ts";
import type { ContentCoding } from "./content-coding.ts";

const encoder = new TextEncoder();

/** A producer whose body is compressed. Each piece leaves at once, as it does without compression. */
export function compressingProducer(
  producer: BodyProducer,
  coding: ContentCoding,
  options: CompressorOptions,
): BodyProducer {
  return async (sink) => {
    using compressor = createCompressor(coding, options);
    await producer({
      async send(piece) {
        const bytes = typeof piece === "string" ? encoder.encode(piece) : piece;
        if (bytes.length === 0) return;
        for (const out of await compressor.transform(bytes, { flush: true })) await sink.send(out);
      },
    });
    for (const out of await compressor.finish()) await sink.send(out);
  };
}
