import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandProcess, ModuleFolder, terminalTest } from "../testing/command.test.kit.ts";
import { SLEEPER, STUCK } from "../testing/programs.test.kit.ts";

for (const [signal, code] of [
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const) {
  test(`arborio run: ${signal} cancels main, which cleans up, and the process ends quietly with ${code}`, async () => {
    using folder = new ModuleFolder();
    using command = new CommandProcess(["run", folder.write("main.mjs", SLEEPER)]);
    await command.until(/ready/);
    command.signal(signal);
    assert.deepEqual(await command.ended(), { code, out: "ready\ncleaned up\n", err: "" });
  });
}

test("arborio run --grace: the first SIGINT asks, the second cancels", async () => {
  using folder = new ModuleFolder();
  const file = folder.write("main.mjs", SLEEPER);
  using command = new CommandProcess(["run", "--grace", "1h", file, "soft"]);
  await command.until(/ready/);
  command.signal("SIGINT");
  await command.until(/asked/);
  await later();
  command.signal("SIGINT");
  assert.deepEqual(await command.ended(), {
    code: 130,
    out: "ready\nasked\ncleaned up\n",
    err: "",
  });
});

test("arborio run: the third SIGINT ends the process, whatever still runs", async () => {
  using folder = new ModuleFolder();
  using command = new CommandProcess(["run", folder.write("main.mjs", STUCK)]);
  await command.until(/ready/);
  const ended = command.ended();
  // On a busy machine two may arrive at once, and count once.
  for (let isOver = false; !isOver; isOver = await Promise.race([ended.then(() => true), later()]))
    command.signal("SIGINT");
  const { code, out } = await ended;
  assert.deepEqual([code, out], [130, "ready\n"]);
});

test("arborio run: who waits after the second SIGINT learns what the third one does", async () => {
  using folder = new ModuleFolder();
  using command = new CommandProcess(["run", folder.write("main.mjs", STUCK)]);
  await command.until(/ready/);
  command.signal("SIGINT");
  await later();
  command.signal("SIGINT");
  const said = "arborio: it has been cancelled, and has not ended; the third signal ends it anyway";
  await command.until(new RegExp(said));
  command.signal("SIGINT");
  assert.deepEqual(await command.ended(), { code: 130, out: "ready\n", err: `${said}\n` });
});

terminalTest("arborio run: Ctrl-C in a terminal", async () => {
  using folder = new ModuleFolder();
  const file = folder.write("main.mjs", SLEEPER);
  using command = new CommandProcess(["run", file], { terminal: true });
  await command.until(/ready/);
  command.type("\x03");
  const { code, out } = await command.ended();
  assert.equal(code, 130);
  assert.match(out, /ready\s+(\^C)?cleaned up\s+$/);
});

/** A person's pause: signals that come at once count once. */
function later(): Promise<false> {
  return new Promise((resolve) => setTimeout(resolve, 150, false));
}
