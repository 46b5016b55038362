import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandProcess, ModuleFolder, runCommand } from "../testing/command.test.kit.ts";
import { served } from "../testing/served.test.kit.ts";

/** Says when it was asked, and answers when it is asked to let go, or after a while. */
const SLOW = `
import { sleep } from "arborio";
export default async function (request) {
  console.log("asked");
  try {
    await sleep(Number(new URL(request.url).searchParams.get("ms")));
    return new Response("done");
  } finally {
    console.log("over");
  }
}
`;

test("arborio serve: a Hono app is served, and a copy of its request can be made", async () => {
  using folder = new ModuleFolder();
  const text = `import { Hono } from "hono";
    export const app = new Hono().post("/x", async (c) => c.text(await new Request(c.req.raw).text()));`;
  const { command, url } = await served(folder, text);
  using _ = command;
  const response = await fetch(`${url}x`, { method: "POST", body: "copied" });
  assert.equal(await response.text(), "copied");
  command.signal("SIGTERM");
  const { code, err } = await command.ended();
  assert.deepEqual([code, err], [0, ""]);
});

test("arborio serve: no handler is an error of the command line", async () => {
  using folder = new ModuleFolder();
  folder.write("app.mjs", "export const other = 1;");
  const { code, out, err } = await runCommand(["serve", "app.mjs"], { cwd: folder.path });
  assert.deepEqual([code, out], [2, ""]);
  assert.match(
    err,
    /^arborio: app\.mjs exports no default, fetch, handler or app; it needs: .*\n$/,
  );
});

test("arborio serve: says on standard error where it listens, unless --json", async () => {
  using folder = new ModuleFolder();
  const file = folder.write("app.mjs", "export default () => new Response();");
  using command = new CommandProcess(["serve", "--host", "127.0.0.1", "--port", "0", file]);
  await command.until(/^arborio: listening on http:\/\/127\.0\.0\.1:\d+\/$/m);
  command.signal("SIGINT");
  const { code, out } = await command.ended();
  assert.deepEqual([code, out], [0, ""]);
});

test("arborio serve: SIGTERM lets a request finish, and says so; then the exit code is 0", async () => {
  using folder = new ModuleFolder();
  const { command, url } = await served(folder, SLOW);
  using _ = command;
  const response = fetch(`${url}?ms=600`);
  await command.until(/asked/);
  command.signal("SIGTERM");
  assert.equal(await (await response).text(), "done");
  const { code, out, err } = await command.ended();
  assert.deepEqual([code, out.split("\n").slice(1)], [0, ["asked", "over", ""]]);
  assert.equal(err, "arborio: stopping: what goes on (1) has 10 s to end\n");
});

test("arborio serve: a second SIGINT cancels requests", async () => {
  using folder = new ModuleFolder();
  const { command, url } = await served(folder, SLOW);
  using _ = command;
  const response = fetch(`${url}?ms=3600000`).then(
    (answer) => answer.status,
    () => "broken",
  );
  await command.until(/asked/);
  command.signal("SIGINT");
  await command.until(/stopping/);
  await new Promise((resolve) => setTimeout(resolve, 150));
  command.signal("SIGINT");
  const { code, out } = await command.ended();
  assert.deepEqual([code, out.split("\n").slice(1)], [130, ["asked", "over", ""]]);
  assert.notEqual(await response, 200);
});

test("arborio serve: a handler that cannot be cancelled does not keep the process", async () => {
  using folder = new ModuleFolder();
  const stuck = `export default () => { console.log("asked"); return new Promise(() => {}); };`;
  const { command, url } = await served(folder, stuck, "--grace", "10ms");
  using _ = command;
  const response = fetch(url).then(
    () => "answered",
    () => "broken",
  );
  await command.until(/asked/);
  command.signal("SIGTERM");
  const { code, err } = await command.ended();
  assert.equal(code, 143);
  assert.match(err, /\narborio: what was cancelled does not end; the process ends without it\n$/);
  assert.equal(await response, "broken");
});
