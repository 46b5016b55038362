import { spawnSync } from "node:child_process";
import { test as nodeTest } from "node:test";
import "../../platform/host.ts";
import type { Files } from "../../platform/files.ts";
import { hostBackend } from "../../platform/host.ts";
import { run } from "../../platform/run.ts";
import {
  fileLocksContract,
  filePermissionsContract,
  filesContract,
  type FilesTest,
  openDirectoriesContract,
} from "../../testing/files-contract.ts";
import { asNobody } from "../../testing/as-nobody.test.kit.ts";
import { type RegisterTest, testIf } from "../../testing/test-if.test.kit.ts";

/** A broken promise often shows as a test that never ends. */
const TEST_MS_MAX = 30_000;

function onHost(register: RegisterTest): FilesTest {
  return (title, body) =>
    register(`files contract [${hostBackend.name}] ${title}`, () => run(body, { signals: [] }));
}

function files(): Files {
  return hostBackend.files as Files;
}

const always: RegisterTest = (title, body) => void nodeTest(title, { timeout: TEST_MS_MAX }, body);
const hasFlock = spawnSync("flock", ["--version"]).error === undefined;

filesContract(onHost(always), files);
openDirectoriesContract(
  onHost(testIf(process.platform === "linux", "only Linux has paths of what is open")),
  files,
);
fileLocksContract(onHost(testIf(hasFlock, "needs the program flock")), files);
filePermissionsContract(
  onHost((title, body) => always(title, () => asNobody(body))),
  files,
);
