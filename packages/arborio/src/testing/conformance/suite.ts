import type { BackendTest } from "../every-backend.ts";

/** Tests of one theme. Each test names the promise it checks, by its paragraph in "What the core promises": `(§2.4)`. */
export interface ConformanceSuite {
  /** The theme. */
  readonly name: string;
  /** Hands each test of the suite to `test`. */
  readonly define: (test: BackendTest) => void;
}
