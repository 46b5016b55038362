import { describeValue, requireCount, requireFlag } from "../core/arguments.ts";
import type { CompressionFormat } from "../platform/compression.ts";
import { requireBytes } from "../streams/wire-stream.ts";
import type { CompressorOptions } from "./compressor.ts";
import type { DecompressorOptions } from "./decompressor.ts";
import { compressionFor, requireLevel, requireWindow } from "./format.ts";

/** Where a message ends: with the format's own end, or with a flush, as a WebSocket's do. */
export type MessageEnding = "finish" | "flush";

/** Options of `compressNowait`. */
export interface CompressNowaitOptions extends CompressorOptions {
  /** How the message is to end. Default `"finish"`. */
  readonly ending?: MessageEnding;
}

/** Options of `decompressNowait`. */
export interface DecompressNowaitOptions extends DecompressorOptions {
  /** How the message ends. With `"flush"` its end need not be there. Default `"finish"`. */
  readonly ending?: MessageEnding;
}

/** Unless told otherwise: what is larger than this should not be done while the program stands still. */
const OUTPUT_BYTES_MAX = 16 * 1024 * 1024;

/**
 * Compresses a whole message at once, without waiting: for small ones quicker than a compressor, whose trips to a thread cost
 * more than the work. The program stands still meanwhile.
 *
 * @throws TypeError if `bytes` is no `Uint8Array`.
 * @throws RangeError if there is no such format, level, window or ending.
 * @throws NotSupportedError if the backend does not have the format.
 *
 * Counterpart: `zlib.compress`.
 *
 * @example There and back
 * ```ts
 * import { compressNowait, decompressNowait } from "arborio/lowlevel";
 *
 * const compressed = compressNowait("deflate", new Uint8Array(1000));
 * console.assert(decompressNowait("deflate", compressed).length === 1000);
 * ```
 */
export function compressNowait(
  format: CompressionFormat,
  bytes: Uint8Array,
  options: CompressNowaitOptions = {},
): Uint8Array {
  const compression = compressionFor("compressNowait", format);
  requireBytes("compressNowait", bytes);
  const { level, windowBits, ending } = options;
  requireLevel("compressNowait", format, level);
  requireWindow("compressNowait", format, windowBits, 9);
  return compression.convert(
    { direction: "compress", format, level, windowBits, ignoresTrailing: false },
    bytes,
    endingOf("compressNowait", ending),
    Infinity,
  );
}

/**
 * Decompresses a whole message at once, without waiting; otherwise as `createDecompressor`. For small ones, since the program
 * stands still meanwhile.
 *
 * @param options `maxOutputBytes` is 16 MiB unless given.
 * @throws CompressionError if the data is damaged, truncated, or followed by something, or holds more than `maxOutputBytes`
 *   or `maxMembers`.
 * @throws TypeError if `bytes` is no `Uint8Array`.
 * @throws RangeError if there is no such format, window or ending.
 * @throws NotSupportedError if the backend does not have the format.
 *
 * Counterpart: `zlib.decompress`.
 *
 * @example A message of a WebSocket (RFC 7692, section 7.2.2)
 * ```ts
 * import { compressNowait, decompressNowait } from "arborio/lowlevel";
 *
 * const compressed = compressNowait("deflate-raw", new TextEncoder().encode("Hello"), { ending: "flush" });
 * const message = decompressNowait("deflate-raw", compressed, { ending: "flush", maxOutputBytes: 1000 });
 * console.assert(new TextDecoder().decode(message) === "Hello");
 * ```
 */
export function decompressNowait(
  format: CompressionFormat,
  bytes: Uint8Array,
  options: DecompressNowaitOptions = {},
): Uint8Array {
  const compression = compressionFor("decompressNowait", format);
  requireBytes("decompressNowait", bytes);
  const {
    maxOutputBytes = OUTPUT_BYTES_MAX,
    maxMembers = Infinity,
    windowBits,
    ignoreTrailing = false,
  } = options;
  requireCount("decompressNowait({ maxOutputBytes })", maxOutputBytes, 0, false);
  requireCount("decompressNowait({ maxMembers })", maxMembers, 1);
  requireFlag("decompressNowait({ ignoreTrailing })", ignoreTrailing);
  requireWindow("decompressNowait", format, windowBits, 8);
  return compression.convert(
    {
      direction: "decompress",
      format,
      level: undefined,
      windowBits,
      ignoresTrailing: ignoreTrailing,
      membersMax: maxMembers,
    },
    bytes,
    endingOf("decompressNowait", options.ending),
    maxOutputBytes,
  );
}

function endingOf(where: string, ending: MessageEnding = "finish"): "finish" | "sync" {
  if (ending === "finish") return "finish";
  if (ending === "flush") return "sync";
  throw new RangeError(
    `${where}({ ending }): got ${describeValue(ending)}, needs "finish" or "flush"`,
  );
}
