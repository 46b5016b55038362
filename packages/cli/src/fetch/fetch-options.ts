import type { Checksum } from "./checksum.ts";

/** What `arborio fetch` was told. */
export interface FetchFilesOptions {
  readonly urls: readonly URL[];
  /** Path of a list of more; `"-"`: standard input. */
  readonly inputFile?: string;
  /** Name of the one file, below `directory`; `"-"`: standard output. */
  readonly output?: string;
  readonly directory: string;
  /** Downloads at a time. */
  readonly concurrency: number;
  /** Of them, from one host. */
  readonly limitPerHost: number;
  /** Of the one file. */
  readonly checksum?: Checksum;
  /** Path of a list of checksums. */
  readonly checksums?: string;
  /** Whether what an earlier run has left is completed. */
  readonly resume: boolean;
  /** Whether files that are there are replaced. */
  readonly overwrite: boolean;
  readonly json: boolean;
  /** Of every request. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** URL of a proxy, or `""`: none. Default: what the environment says. */
  readonly proxy?: string;
  /** Path of the certificates of authorities to trust, in PEM, and no others. */
  readonly caCertificate?: string;
  /** Failures in a row, each no further than those before, after which a download is given up. */
  readonly retries: number;
}
