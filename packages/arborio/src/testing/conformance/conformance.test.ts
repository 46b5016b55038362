import { describe, test as nodeTest } from "node:test";
import "../../platform/host.ts";
import { onEveryBackend } from "../every-backend.ts";
import { conformanceSuites } from "./index.ts";

/** A broken promise often shows as a test that never ends. */
const TEST_MS_MAX = 30_000;

const test = onEveryBackend((title, body) => nodeTest(title, { timeout: TEST_MS_MAX }, body));

for (const suite of conformanceSuites) describe(suite.name, () => suite.define(test));
