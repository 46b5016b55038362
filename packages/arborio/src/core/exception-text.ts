/** Most lines that the tree in a message has: enough to see what happened, few enough for a log line of 10,000 errors. */
const LINES_MAX = 20;
/** Deepest nesting that is drawn. */
const DEPTH_MAX = 8;
/** Longest text of one error, in characters. */
const TEXT_MAX = 160;

interface GroupLike {
  readonly title: string;
  readonly errors: readonly unknown[];
}

/** The tree of a group's errors as text: title and count, then a line per error, in bounded space. */
export class ExceptionGroupText {
  readonly #lines: string[] = [];
  #left = 0;

  constructor(title: string, errors: readonly unknown[]) {
    this.#lines.push(heading(title, errors));
    this.#draw(errors, "  ", 1);
    if (this.#left > 0) this.#lines.push(`  … and ${this.#left} more`);
  }

  toString(): string {
    return this.#lines.join("\n");
  }

  #draw(errors: readonly unknown[], indent: string, depth: number): void {
    for (const [index, error] of errors.entries()) {
      if (this.#lines.length > LINES_MAX) {
        this.#left += errors.length - index;
        return;
      }
      const last = index === errors.length - 1;
      const isGroup = isGroupLike(error);
      this.#lines.push(
        `${indent}${last ? "└─" : "├─"} ${isGroup ? heading(error.title, error.errors) : describe(error)}`,
      );
      if (!isGroup) continue;
      if (depth < DEPTH_MAX) this.#draw(error.errors, `${indent}${last ? "  " : "│ "} `, depth + 1);
      else this.#lines.push(`${indent}${last ? "  " : "│ "} └─ …`);
    }
  }
}

function heading(title: string, errors: readonly unknown[]): string {
  return `${title} (${errors.length} ${errors.length === 1 ? "error" : "errors"})`;
}

function isGroupLike(error: unknown): error is GroupLike {
  if (!(error instanceof AggregateError) || !Array.isArray(error.errors)) return false;
  return "title" in error && typeof error.title === "string";
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return short(`thrown: ${textOf(error)}`);
  return short(textOf(error) + causeText(error));
}

function causeText(error: Error): string {
  try {
    return error.cause instanceof Error ? ` [cause: ${textOf(error.cause)}]` : "";
  } catch {
    return "";
  }
}

/** Anything that may be thrown, as text: an error's name and message. Programs throw what has no text, too; it must not fail what reports it. */
export function textOf(thrown: unknown): string {
  try {
    if (!(thrown instanceof Error)) return String(thrown);
    const { name, message } = thrown;
    return message === "" ? String(name) : `${name}: ${message}`;
  } catch {
    return "something that has no text";
  }
}

function short(text: string): string {
  const line = text.split("\n", 1)[0] ?? "";
  return line.length > TEXT_MAX ? `${line.slice(0, TEXT_MAX)}…` : line;
}
