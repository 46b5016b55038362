/** One test of a runtime's report, in the form that all reports are brought to. */
export interface TestCase {
  /** Titles of the suites around it and its own, joined by " > ". */
  readonly name: string;
  /** Its file; relative to the repository or absolute. */
  readonly file: string;
  /** Line of the test in its file; 0 if the runtime does not say. */
  readonly line: number;
  readonly outcome: "passed" | "failed" | "skipped";
  /** What was thrown, or why it was skipped; may be empty. */
  readonly detail: string;
}
