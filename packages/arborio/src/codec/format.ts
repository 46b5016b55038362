import { ambientScope } from "../core/ambient.ts";
import { describeValue, requireCount } from "../core/arguments.ts";
import { backendOf, notSupported, requireCapability } from "../platform/capabilities.ts";
import type { Compression, CompressionFormat } from "../platform/compression.ts";

const FORMATS: readonly CompressionFormat[] = ["gzip", "deflate", "deflate-raw", "br", "zstd"];

/** zstd's levels above this need more memory to decompress than RFC 9659 lets a decompressor refuse. */
const LEVELS: Readonly<Record<CompressionFormat, readonly [min: number, max: number]>> = {
  gzip: [0, 9],
  deflate: [0, 9],
  "deflate-raw": [0, 9],
  br: [0, 11],
  zstd: [1, 19],
};

const WINDOW_BITS_MAX = 15;

/** The compression of the calling flow's backend, if it has the format. */
export function compressionFor(where: string, format: CompressionFormat): Compression {
  if (!FORMATS.includes(format)) {
    throw new RangeError(
      `${where}: got ${describeValue(format)}, needs one of ${FORMATS.join(", ")}`,
    );
  }
  const backend = backendOf(ambientScope());
  const compression = requireCapability(backend, "compression", where);
  if (!compression.formats.includes(format)) throw notSupported(backend, `${where}("${format}")`);
  return compression;
}

/** Throws unless `level` is one of the format's, or absent. */
export function requireLevel(where: string, format: CompressionFormat, level: unknown): void {
  if (level === undefined) return;
  const [min, max] = LEVELS[format];
  requireCount(`${where}({ level })`, level, min, false);
  if ((level as number) > max)
    throw new RangeError(`${where}({ level }): got ${level as number}, needs at most ${max}`);
}

/** Throws unless `windowBits` is absent, or a size of window that the format can have. */
export function requireWindow(
  where: string,
  format: CompressionFormat,
  windowBits: unknown,
  min: number,
): void {
  if (windowBits === undefined) return;
  if (format !== "deflate" && format !== "deflate-raw")
    throw new RangeError(`${where}({ windowBits }): ${format} has none, leave it out`);
  requireCount(`${where}({ windowBits })`, windowBits, min, false);
  if ((windowBits as number) > WINDOW_BITS_MAX) {
    throw new RangeError(
      `${where}({ windowBits }): got ${windowBits as number}, needs at most ${WINDOW_BITS_MAX}`,
    );
  }
}
