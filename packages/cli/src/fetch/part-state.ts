import type { Version } from "./range-plan.ts";

/** The bytes of a file that is not complete. */
export function partPathOf(path: string): string {
  return `${path}.part`;
}

/** What is known of them. */
export function statePathOf(path: string): string {
  return `${path}.part.json`;
}

/** What is written beside a part, so that a later run, also after a kill, knows what it is a part of. */
export interface PartState {
  readonly url: string;
  readonly version: Version;
}

/** Raised when the meaning of a field changes: a part of another format is begun anew. */
const FORMAT = 1;

/** The state as text. */
export function formatPartState({ url, version }: PartState): string {
  const { validator, totalBytes } = version;
  return `${JSON.stringify({ format: FORMAT, url, validator, totalBytes })}\n`;
}

/** The state that a text is; `null` if it is none, whatever it is: then the part beside it is worth nothing. */
export function parsePartState(text: string): PartState | null {
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof found !== "object" || found === null) return null;
  const { format, url, validator, totalBytes } = found as Record<string, unknown>;
  if (format !== FORMAT || typeof url !== "string") return null;
  if (validator !== null && typeof validator !== "string") return null;
  if (totalBytes !== null && !isSize(totalBytes)) return null;
  return { url, version: { validator, totalBytes } };
}

function isSize(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
