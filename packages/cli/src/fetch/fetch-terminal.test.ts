import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import {
  CommandProcess,
  ModuleFolder,
  runCommand,
  terminalTest,
} from "../testing/command.test.kit.ts";
import { assertBytes, BIG, originOf, shortly } from "../testing/downloads.test.kit.ts";
import { serving } from "../testing/origin.test.kit.ts";

const SGR = "\x1b[32m";

terminalTest(
  "arborio fetch: bars in a terminal, then a line for each file; colours unless NO_COLOR",
  () =>
    inTerminal({}, (out) => {
      assert.match(out, /big\.bin .*━+/);
      assert.match(out, /✓.* big\.bin: 300 kB/);
      assert.ok(out.includes(SGR), out);
    }),
);

terminalTest("arborio fetch: under NO_COLOR bars have no colour", () =>
  inTerminal({ NO_COLOR: "1" }, (out) => {
    assert.match(out, /big\.bin .*━+/);
    assert.ok(!out.includes(SGR), out);
  }),
);

terminalTest("arborio fetch: in a terminal that cannot be drawn on there are lines", () =>
  inTerminal({ TERM: "dumb" }, (out) => {
    assert.ok(!out.includes("━") && !out.includes(SGR), out);
    assert.match(out, /big\.bin: 300 kB/);
  }),
);

/** Downloads in a terminal, with a pause in which a bar can be seen. */
function inTerminal(
  env: Readonly<Record<string, string>>,
  check: (out: string) => void,
): Promise<void> {
  const origin = originOf({ "/big.bin": BIG });
  return serving(origin.handler, async (url) => {
    using folder = new ModuleFolder();
    origin.fault = { kind: "stall", afterBytes: 200_000 };
    const options = { cwd: folder.path, env, terminal: true };
    using first = new CommandProcess(["fetch", `${url}big.bin`], options);
    if (env["TERM"] === undefined) await first.until(/━/);
    else while (!existsSync(join(folder.path, "big.bin.part"))) await shortly();
    first.type("\x03");
    assert.equal((await first.ended()).code, 130);
    origin.fault = null;
    const second = await runCommand(["fetch", `${url}big.bin`], options);
    assert.equal(second.code, 0);
    assertBytes(folder, "big.bin", BIG);
    check(first.out + second.out);
  });
}
