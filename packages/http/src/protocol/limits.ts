/**
 * How much of each thing a peer may send before it is refused. All are on by default; each is a number of bytes or of things, and
 * `Infinity` lifts it.
 */
export interface ProtocolLimits {
  /** Bytes of the first line, without its end. Default 8,192: what servers and proxies commonly take. More is 414 for requests. */
  readonly startLineBytesMax: number;
  /** Bytes of one field line, without its end. Default 8,192. More is 431. */
  readonly fieldLineBytesMax: number;
  /** Number of field lines of a head; of trailers too. Default 128. More is 431. */
  readonly fieldsMax: number;
  /** Bytes of a whole head, with line ends. Default 65,536. More is 431. */
  readonly headBytesMax: number;
  /** Bytes of the trailer section. Default 8,192. More is 431. */
  readonly trailerBytesMax: number;
  /** Bytes of the extensions of all chunks of a body together. Default 4,096: nobody uses them for good. More is 413. */
  readonly chunkExtensionBytesMax: number;
}

/** The limits that hold unless others are given. */
export const DEFAULT_PROTOCOL_LIMITS: ProtocolLimits = {
  startLineBytesMax: 8192,
  fieldLineBytesMax: 8192,
  fieldsMax: 128,
  headBytesMax: 65_536,
  trailerBytesMax: 8192,
  chunkExtensionBytesMax: 4096,
};

const NAMES = Object.keys(DEFAULT_PROTOCOL_LIMITS) as (keyof ProtocolLimits)[];

/**
 * The limits that hold: those that are given, else the defaults.
 *
 * @throws {RangeError} One is not a number, or negative.
 */
export function protocolLimits(given: Partial<ProtocolLimits> = {}): ProtocolLimits {
  const limits = { ...DEFAULT_PROTOCOL_LIMITS, ...given };
  for (const name of NAMES) {
    const limit = limits[name];
    if (!(limit >= 0)) {
      throw new RangeError(`${name}: ${limit}: a number that is not negative was expected`);
    }
  }
  return limits;
}
