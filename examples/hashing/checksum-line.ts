const ESCAPES: Readonly<Record<string, string>> = { "\\": "\\\\", "\n": "\\n", "\r": "\\r" };

/** A line as `sha256sum` writes it, and `sha256sum --check` reads it. */
export function checksumLine(path: string, digest: string): string {
  const escaped = path.replace(/[\\\n\r]/g, (character) => ESCAPES[character] as string);
  // A backslash in front says that there are some behind.
  return `${escaped === path ? "" : "\\"}${digest}  ${escaped}\n`;
}
