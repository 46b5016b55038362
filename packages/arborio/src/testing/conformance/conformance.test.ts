import { describe, test as nodeTest } from "node:test";
import "../../platform/host.ts";
import { onEveryBackend } from "../every-backend.ts";
import { conformanceSuites } from "./index.ts";

const test = onEveryBackend(nodeTest);

for (const suite of conformanceSuites) describe(suite.name, () => suite.define(test));
