import { fileURLToPath } from "node:url";
import type { Subject } from "./suite.ts";

/** Makes subjects of the files in the folder `cases` beside a suite. */
export interface CaseFiles {
  /** The one whose cases are in `cases/NAME.ts`. */
  readonly script: (name: string, ...needs: readonly string[]) => Subject;
  /** One of those whose cases are in `cases/python_cases.py`. */
  readonly python: (name: string, ...needs: readonly string[]) => Subject;
}

/** @param suite `import.meta.url` of the suite. */
export function casesBeside(suite: string): CaseFiles {
  const fileOf = (name: string): string => fileURLToPath(new URL(`cases/${name}`, suite));
  return {
    script: (name, ...needs) => ({ name, kind: "script", file: fileOf(`${name}.ts`), needs }),
    python: (name, ...needs) => ({ name, kind: "python", file: fileOf("python_cases.py"), needs }),
  };
}
