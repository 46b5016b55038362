import { UsageError } from "../command-error.ts";

/** Bytes of a list that comes by standard input, at most: a million URLs; more is something else by mistake. */
const LIST_BYTES_MAX = 64 * 1024 * 1024;

/** A URL of the command line. @throws UsageError if it is none that can be downloaded. */
export function parseUrl(text: string): URL {
  const url = URL.parse(text);
  if (url !== null && (url.protocol === "http:" || url.protocol === "https:")) return url;
  throw new UsageError(`${JSON.stringify(text)} is no URL of http: or https:`);
}

/** URLs, one a line. Empty lines and those that begin with `#` are passed over. @throws UsageError that names the first line that is none; for a list of none. */
export function parseUrlList(where: string, text: string): URL[] {
  const urls: URL[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    const trimmed = line.trim();
    if (trimmed === "" || trimmed.startsWith("#")) continue;
    try {
      urls.push(parseUrl(trimmed));
    } catch (error) {
      throw new UsageError(`${where}: line ${index + 1}: ${(error as Error).message}`);
    }
  }
  if (urls.length === 0) throw new UsageError(`${where}: there is no URL in it`);
  return urls;
}

/** All of a text that comes in chunks. @throws UsageError if it is too long. */
export async function collectText(
  where: string,
  chunks: AsyncIterable<Uint8Array>,
  maxBytes: number = LIST_BYTES_MAX,
): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let sizeBytes = 0;
  for await (const chunk of chunks) {
    sizeBytes += chunk.length;
    if (sizeBytes > maxBytes)
      throw new UsageError(`${where}: this is no list of URLs: it has more than ${maxBytes} bytes`);
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}
