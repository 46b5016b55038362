import assert from "node:assert/strict";
import { closeSync, openSync } from "node:fs";
import { devNull } from "node:os";
import { test } from "node:test";
import { SystemError } from "../../core/errors.ts";
import { hostBackend } from "../../platform/host.ts";
import type { ListenerHandle, Network } from "../../platform/network.ts";
import { run } from "../../platform/run.ts";
import { settled } from "../../testing/network-contract/suite.ts";

const network = hostBackend.network as Network;
const nobody = { accepted() {}, failed() {} };

function codeIs(systemCode: string): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof SystemError, String(error));
    assert.equal(error.systemCode, systemCode, error.message);
    return true;
  };
}

async function refusesWith(descriptor: number, code: string): Promise<void> {
  assert.throws(() => network.adopt?.(descriptor), codeIs(code));
  const target = { kind: "descriptor", descriptor, backlog: 8 } as const;
  await assert.rejects(
    settled<ListenerHandle>("listen", (completion) => network.listen(target, nobody, completion)),
    codeIs(code),
  );
}

test(`Network.adopt, Network.listen: a descriptor that is not open is EBADF, a file ENOTSOCK [${hostBackend.name}]`, () =>
  run(
    async () => {
      await refusesWith(999_999, "EBADF");
      const file = openSync(devNull, "r");
      await refusesWith(file, "ENOTSOCK");
      closeSync(file);
    },
    { signals: [] },
  ));
