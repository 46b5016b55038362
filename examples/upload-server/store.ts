/** Where files go that are uploaded. */
export interface Store {
  /** Begins a file. @param wish its name at the client, which may be anything at all, such as `../../etc/passwd`. */
  create(wish: string): Promise<StoreFile>;
}

/** A file that is being written. Either `keep` or `discard` ends it. */
export interface StoreFile {
  /** The name that it will have. */
  readonly name: string;
  write(bytes: Uint8Array): Promise<void>;
  /** It is whole. */
  keep(): Promise<void>;
  /** It is not: nothing of it stays. */
  discard(): Promise<void>;
}

/** Longest part of a client's name that is kept, in characters. */
const NAME_MAX = 80;

/** What of a client's name can be one anywhere: no folders, no dots before it, no characters that a shell or a terminal would obey. */
export function safeName(wish: string): string {
  const last = wish.split(/[/\\]/).at(-1) ?? "";
  const name = last.replace(/[^\p{L}\p{N}._ -]/gu, "_").replace(/^[. ]+/, "");
  return name.slice(-NAME_MAX) || "file";
}
