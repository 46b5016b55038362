import assert from "node:assert/strict";
import { test } from "node:test";
import { ModuleFolder, runCommand } from "../testing/command.test.kit.ts";
import { startWorkers } from "../testing/workers.test.kit.ts";

test("arborio serve --workers: a module that cannot be loaded is told once", async () => {
  using folder = new ModuleFolder();
  folder.write("app.mjs", 'throw new Error("at the top");');
  const args = ["serve", "--port", "0", "--workers", "2", "app.mjs"];
  const { code, out, err } = await runCommand(args, { cwd: folder.path });
  assert.deepEqual([code, out], [1, ""]);
  const last = "arborio: the first worker ended with exit code 1 before it listened\n";
  assert.ok(err.includes("at the top") && err.endsWith(last), err);
  assert.equal(err.match(/before it listened/g)?.length, 1);
});

test("arborio serve --workers: without a handler, the command line is wrong, as without workers", async () => {
  using folder = new ModuleFolder();
  folder.write("app.mjs", "export default 42;");
  const args = ["serve", "--port", "0", "--workers", "2", "app.mjs"];
  const { code, err } = await runCommand(args, { cwd: folder.path });
  assert.equal(code, 2);
  assert.match(err, /^arborio: app\.mjs: its default export is neither .*\n.* exit code 2 before/);
});

test("arborio serve --workers: a port that another server shares is taken; it is said in a line", async () => {
  using folder = new ModuleFolder();
  const { command, url } = await startWorkers(folder);
  using _ = command;
  const { port } = new URL(url);
  for (const workers of [["--workers", "2"], []]) {
    const args = ["serve", "--host", "127.0.0.1", "--port", port, ...workers, "app.mjs"];
    const { code, out, err } = await runCommand(args, { cwd: folder.path });
    assert.deepEqual([code, out], [1, ""]);
    assert.match(err, /^arborio: listen on 127\.0\.0\.1:\d+: .*EADDRINUSE\)\n$/);
  }
});

test("arborio serve --workers: what a worker cannot listen on is said in a line", async () => {
  using folder = new ModuleFolder();
  folder.write("app.mjs", "export default () => new Response();");
  // An address for documentation (RFC 5737), so no machine's; port 0 is not looked at before.
  const args = ["serve", "--host", "192.0.2.1", "--port", "0", "--workers", "2", "app.mjs"];
  const { code, err } = await runCommand(args, { cwd: folder.path });
  assert.equal(code, 1);
  assert.match(
    err,
    /^arborio: listen on 192\.0\.2\.1:0: .*\narborio: the first worker ended .*\n$/,
  );
});
