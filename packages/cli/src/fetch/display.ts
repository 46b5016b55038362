import prettyBytes from "pretty-bytes";
import type { DownloadProgress } from "./download-progress.ts";

/** Shows how far downloads are. */
export interface Display {
  /** How often `tick` is called, in milliseconds. */
  readonly tickMs: number;
  /** One has entered another phase. */
  changed(progress: DownloadProgress): void;
  /** Time has passed. */
  tick(at: number): void;
  /** All are over, or, with some that are not, the command was interrupted. */
  end(all: readonly DownloadProgress[]): void;
}

/** How many of the downloads are in which phase. */
export function countPhases(all: readonly DownloadProgress[]): {
  done: number;
  existing: number;
  failed: number;
  unfinished: number;
} {
  const count = (phase: DownloadProgress["phase"]): number =>
    all.filter((progress) => progress.phase === phase).length;
  return {
    done: count("done"),
    existing: count("existing"),
    failed: count("failed"),
    unfinished: all.filter((progress) => !progress.isOver).length,
  };
}

/** The line about a download that is over. */
export function lastWord(progress: DownloadProgress): string {
  switch (progress.phase) {
    case "done": {
      const elapsedMs = (progress.endedAt ?? 0) - (progress.startedAt ?? progress.endedAt ?? 0);
      const resumed =
        progress.resumedBytes > 0 ? `, of which ${size(progress.transferredBytes)} now` : "";
      return `${size(progress.receivedBytes)}${resumed} in ${duration(elapsedMs)}`;
    }
    case "existing":
      return "is there already";
    default:
      return printable(progress.reason);
  }
}

/** Bytes for people. */
export function size(bytes: number): string {
  return prettyBytes(bytes);
}

/** Milliseconds for people. */
export function duration(ms: number): string {
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  const rest = `${String(seconds % 60).padStart(2, "0")}`;
  return hours > 0
    ? `${hours}:${String(minutes).padStart(2, "0")}:${rest} h`
    : `${minutes}:${rest} min`;
}

/** Text that may come from a server, harmless for a terminal. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, " ").trim();
}
