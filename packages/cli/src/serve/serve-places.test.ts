/** Where is served, and what is told about it. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { run } from "arborio";
import { connectTcp, connectUnix } from "arborio/net";
import type { ByteStream } from "arborio/streams";
import { authority, identity } from "../testing/certificates.test.kit.ts";
import { CommandProcess, ModuleFolder } from "../testing/command.test.kit.ts";
import { served } from "../testing/served.test.kit.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

test("arborio serve --path: listens on a Unix socket, and leaves no file behind", async () => {
  using folder = new ModuleFolder();
  const file = folder.write("app.mjs", 'export default () => new Response("through a file");');
  const path = join(folder.path, "socket");
  using command = new CommandProcess(["serve", "--path", path, file]);
  await command.until(/listening on .*socket$/m);
  await run(async () => {
    using stream = await connectUnix(path);
    assert.match(await ask(stream), /^HTTP\/1\.1 200 [^]*through a file/);
  });
  command.signal("SIGTERM");
  assert.equal((await command.ended()).code, 0);
  assert.equal(existsSync(path), false);
});

test("arborio serve --tls-certificate --tls-key: serves HTTPS", async () => {
  using folder = new ModuleFolder();
  const [certificate, key] = [
    folder.write("certificate.pem", identity.certificate),
    folder.write("key.pem", identity.privateKey),
  ];
  const options = ["--tls-certificate", certificate, "--tls-key", key];
  const { command, url } = await served(
    folder,
    "export default (r) => new Response(r.url);",
    ...options,
  );
  using _ = command;
  assert.match(url, /^https:/);
  await run(async () => {
    const tls = { trusted: authority, serverName: "localhost" };
    using stream = await connectTcp("localhost", Number(new URL(url).port), { tls });
    assert.match(await ask(stream), /^HTTP\/1\.1 200 [^]*https:\/\/localhost\//);
  });
});

test("arborio serve --access-log: a line for each request on standard error", async () => {
  using folder = new ModuleFolder();
  const text = 'export default () => new Response("four");';
  const { command, url } = await served(folder, text, "--access-log", "%r %s %b");
  using _ = command;
  await (await fetch(`${url}a?b`)).text();
  await command.until(/^GET \/a\?b HTTP\/1\.1 200 4$/m);
});

test("arborio serve: an error of a handler stays here; --dev shows it to the client", async () => {
  using folder = new ModuleFolder();
  const text = 'export default () => { throw new Error("for your eyes"); };';
  for (const options of [[], ["--dev"]]) {
    const { command, url } = await served(folder, text, ...options);
    using _ = command;
    const response = await fetch(url);
    assert.equal(response.status, 500);
    assert.equal((await response.text()).includes("for your eyes"), options.length === 1);
    await command.until(/for your eyes/);
  }
});

/** One request, and all that comes for it. */
async function ask(stream: ByteStream): Promise<string> {
  await stream.send(
    encoder.encode("GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"),
  );
  let text = "";
  for await (const chunk of stream) text += decoder.decode(chunk, { stream: true });
  return text;
}
