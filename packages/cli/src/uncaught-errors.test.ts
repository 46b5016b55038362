import assert from "node:assert/strict";
import { test } from "node:test";
import { ModuleFolder, runCommand } from "./testing/command.test.kit.ts";
import { ask, pidsOf, startWorkers } from "./testing/workers.test.kit.ts";

/** An error that nobody can catch, in a timer or in a promise. */
const THROWN: Readonly<Record<string, string>> = {
  "thrown by a timer": 'setTimeout(() => { throw new Error("overlooked"); }, 1);',
  "rejected by a promise that nobody awaits": 'void Promise.reject(new Error("overlooked"));',
};

for (const [title, code] of Object.entries(THROWN)) {
  test(`arborio run: what is ${title} ends the program`, async () => {
    using folder = new ModuleFolder();
    folder.write(
      "main.mjs",
      `import { sleep } from "arborio";
      export const main = async () => { ${code} await sleep(20_000); console.log("went on"); };`,
    );
    const ended = await runCommand(["run", "main.mjs"], { cwd: folder.path });
    assert.equal(ended.code, 1);
    assert.equal(ended.out, "");
    assert.match(ended.err, /overlooked/);
  });
}

test("arborio serve --workers: a worker that an uncaught error ends has a successor", async () => {
  using folder = new ModuleFolder();
  const { command, url } = await startWorkers(
    folder,
    `import process from "node:process";
    export default (request) => {
      if (new URL(request.url).pathname === "/crash") setTimeout(() => { throw new Error("overlooked"); }, 50);
      return new Response(String(process.pid), { headers: { connection: "close" } });
    };`,
  );
  using _ = command;
  await pidsOf(url);
  const crashed = await ask(`${url}crash`);
  await command.until(/^arborio: worker \d ended with exit code 1; another one is started in/m);
  assert.ok(!(await pidsOf(url)).has(crashed));
});
