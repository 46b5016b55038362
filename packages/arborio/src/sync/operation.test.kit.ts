import { CancelScope } from "../core/scope.ts";

/** One operation of a property test: what became of it, and what the model says should have. */
export class Operation {
  readonly scope: CancelScope = new CancelScope();
  outcome = "pending";
  expected = "pending";
  done: Promise<void> = Promise.resolve();

  start(fn: () => Promise<unknown>): void {
    this.done = this.scope.run(fn).then(
      (value) => {
        this.outcome = this.scope.cancelledCaught ? "cancelled" : describe(value);
      },
      (error: Error) => {
        this.outcome = error.name;
      },
    );
  }

  nowait(fn: () => unknown): void {
    try {
      this.outcome = describe(fn());
    } catch (error) {
      this.outcome = (error as Error).name;
    }
  }
}

/** What an operation gave: an item, `undefined`, or what an iterator says. */
export function describe(value: unknown): string {
  if (typeof value !== "object" || value === null) return String(value);
  if (!("done" in value)) return JSON.stringify(value);
  return value.done === true ? "end" : describe((value as unknown as { value: unknown }).value);
}
