import { createDigest, type DigestAlgorithm } from "arborio/lowlevel";

/** What a file has to be. */
export interface Checksum {
  readonly algorithm: DigestAlgorithm;
  /** In lower case. */
  readonly hex: string;
}

/** Their names, and how many hexadecimal digits they have. MD5 and SHA-1 are still published; they find accidents, not attacks. */
const ALGORITHMS: Readonly<Record<string, readonly [DigestAlgorithm, number]>> = {
  md5: ["md5", 32],
  sha1: ["sha-1", 40],
  sha256: ["sha-256", 64],
  sha512: ["sha-512", 128],
};

/** A checksum as `sha256:…`. @throws RangeError if it is none. */
export function parseChecksum(text: string): Checksum {
  const colon = text.indexOf(":");
  const known = ALGORITHMS[text.slice(0, colon).toLowerCase().replace("-", "")];
  const hex = text.slice(colon + 1).toLowerCase();
  if (colon === -1 || known === undefined)
    throw new RangeError(
      "It needs an algorithm and a colon in front: md5:, sha1:, sha256: or sha512:.",
    );
  const [algorithm, length] = known;
  if (hex.length !== length || !/^[0-9a-f]*$/.test(hex))
    throw new RangeError(`A checksum of ${algorithm} has ${length} hexadecimal digits.`);
  return { algorithm, hex };
}

/**
 * Checksums by the names of files, as `sha256sum` and its like print them: a checksum, a space, a space or an asterisk, and a name. The
 * number of its digits tells the algorithm. Empty lines and those that begin with `#` are passed over.
 *
 * @throws RangeError that names the first line that is none of this.
 */
export function parseChecksumList(text: string): Map<string, Checksum> {
  const checksums = new Map<string, Checksum>();
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === "" || line.startsWith("#")) continue;
    const [, hex = "", path = ""] = /^([0-9a-f]+) [ *](.+)$/i.exec(line) ?? [];
    const known = Object.values(ALGORITHMS).find(([, length]) => length === hex.length);
    if (known === undefined)
      throw new RangeError(`line ${index + 1} is not a checksum, two spaces and a name`);
    const name = path.slice(path.lastIndexOf("/") + 1);
    checksums.set(name, { algorithm: known[0], hex: hex.toLowerCase() });
  }
  return checksums;
}

/** The checksum of what comes. */
export async function checksumOf(
  algorithm: DigestAlgorithm,
  chunks: AsyncIterable<Uint8Array>,
): Promise<Checksum> {
  const digest = createDigest(algorithm);
  for await (const chunk of chunks) digest.update(chunk);
  return { algorithm, hex: hexOf(digest.digest()) };
}

/** Two digits for each byte. */
export function hexOf(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
