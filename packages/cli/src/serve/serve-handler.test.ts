/** What is wrong only for the system, or for the server: seen in this process. */
import assert from "node:assert/strict";
import { createServer } from "node:net";
import { test } from "node:test";
import { run } from "arborio";
import { CommandError } from "../command-error.ts";
import { ModuleFolder } from "../testing/command.test.kit.ts";
import { createFakeShell } from "../testing/fake-shell.test.kit.ts";
import { serveHandler } from "./serve-file.ts";
import type { ServeFileOptions } from "./serve-options.ts";

/** Serves with these options, which cannot be; the error. */
async function refused(options: Partial<ServeFileOptions>): Promise<CommandError> {
  const whole = { file: "x", port: 0, graceMs: 0, drainMs: 0, json: false, dev: false, ...options };
  const { shell } = createFakeShell([]);
  const main = run((group) =>
    serveHandler(
      () => new Response(),
      whole,
      { shell, group },
      () => assert.fail("it listens"),
    ),
  );
  const error: unknown = await main.then(
    () => assert.fail("it served"),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof CommandError, String(error));
  return error;
}

test("arborio serve: certificates that are not there, or none, are errors of the command line", async () => {
  using folder = new ModuleFolder();
  const none = folder.write("none.pem", "hello");
  const missing = await refused({ tls: { certificate: `${folder.path}/no.pem`, key: none } });
  assert.equal(missing.exitCode, 2);
  assert.match(
    missing.message,
    /^--tls-certificate: open .*no\.pem: no such file or directory \(ENOENT\)$/,
  );
  const wrong = await refused({ tls: { certificate: none, key: none } });
  assert.equal(wrong.exitCode, 2);
  assert.match(wrong.message, /^TLS identity: /);
});

test("arborio serve: a format or proxies that are none are errors of the command line", async () => {
  const format = await refused({ accessLog: "%q" });
  assert.equal(format.exitCode, 2);
  assert.match(format.message, /^--access-log: .*"%q"/);
  assert.equal((await refused({ trustProxies: ["300.1.1.1"] })).exitCode, 2);
});

test("arborio serve: a port that is taken is a failure", async () => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
  try {
    const { port } = taken.address() as { port: number };
    const error = await refused({ host: "127.0.0.1", port });
    assert.equal(error.exitCode, 1);
    assert.match(error.message, new RegExp(`^listen on 127\\.0\\.0\\.1:${port}: .*EADDRINUSE`));
  } finally {
    taken.close();
  }
});
