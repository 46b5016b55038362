import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { run } from "arborio";
import { connectTcp, connectUnix } from "arborio/net";
import type { ByteStream } from "arborio/streams";
import { authority, identity } from "../testing/certificates.test.kit.ts";
import { CommandProcess, ModuleFolder, runCommand } from "../testing/command.test.kit.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

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

/** Starts \`arborio serve --json --port 0\`, and gives its URL too. */
async function served(
  folder: ModuleFolder,
  text: string,
  ...options: string[]
): Promise<{ command: CommandProcess; url: string }> {
  const file = folder.write("app.mjs", text);
  const command = new CommandProcess(["serve", "--json", "--port", "0", ...options, file]);
  const [line] = await command.until(/^\{"event":"listening".*\}$/m);
  return { command, url: (JSON.parse(line) as { url: string }).url };
}

for (const [title, text] of [
  ["a default function", "export default (request) => new Response(request.method);"],
  ["a function fetch", "export const fetch = (request) => new Response(request.method);"],
  ["a function handler", "export const handler = async (request) => new Response(request.method);"],
  [
    "an object with a function fetch, with this",
    "export default { m: (r) => r.method, fetch(request) { return new Response(this.m(request)); } };",
  ],
  [
    "a Hono app",
    'import { Hono } from "hono"; export const app = new Hono().get("/x", (c) => c.text(c.req.method));',
  ],
] as const) {
  test(`arborio serve: ${title} is the handler`, async () => {
    using folder = new ModuleFolder();
    const { command, url } = await served(folder, text);
    using _ = command;
    assert.equal(await (await fetch(`${url}x`)).text(), "GET");
    command.signal("SIGTERM");
    const { code, err } = await command.ended();
    assert.deepEqual([code, err], [0, ""]);
  });
}

for (const [title, text, pattern] of [
  [
    "no handler",
    "export const other = 1;",
    /^arborio: app\.mjs exports no default, fetch, handler or app; it needs: /,
  ],
  [
    "a handler that is none",
    "export default 1;",
    /^arborio: app\.mjs: its default export is neither a function nor an object with a function fetch; /,
  ],
  ["no file", null, /^arborio: app\.mjs: there is no such file$/],
] as const) {
  test(`arborio serve: ${title} is an error of the command line`, async () => {
    using folder = new ModuleFolder();
    if (text !== null) folder.write("app.mjs", text);
    const { code, out, err } = await runCommand(["serve", "app.mjs"], { cwd: folder.path });
    assert.deepEqual([code, out], [2, ""]);
    assert.match(err.trimEnd(), pattern);
  });
}

for (const [options, message] of [
  [
    ["--tls-key", "no", "--tls-certificate", "none.pem"],
    "--tls-certificate: open none.pem: no such file or directory (ENOENT)",
  ],
  [["--tls-key", "app.mjs", "--tls-certificate", "app.mjs"], "TLS identity: "],
  [["--access-log", "%q"], "--access-log: "],
  [["--trust-proxies", "300.1.1.1"], ""],
] as const) {
  test(`arborio serve ${options.join(" ")}: an error of the command line`, async () => {
    using folder = new ModuleFolder();
    folder.write("app.mjs", "export default () => new Response();");
    const { code, out, err } = await runCommand(["serve", ...options, "app.mjs"], {
      cwd: folder.path,
    });
    assert.deepEqual([code, out], [2, ""], err);
    assert.ok(err.startsWith(`arborio: ${message}`), err);
    assert.doesNotMatch(err, /^\s+at /m);
  });
}

test("arborio serve: a copy of the request can be made, as frameworks do", async () => {
  using folder = new ModuleFolder();
  const text = "export default async (r) => new Response(await new Request(r).text());";
  const { command, url } = await served(folder, text);
  using _ = command;
  assert.equal(await (await fetch(url, { method: "POST", body: "copied" })).text(), "copied");
});

test("arborio serve: a port that is taken is a failure, and no stack", async () => {
  using folder = new ModuleFolder();
  folder.write("app.mjs", "export default () => new Response();");
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
  try {
    const { port } = taken.address() as { port: number };
    const options = ["--host", "127.0.0.1", "--port", String(port)];
    const { code, out, err } = await runCommand(["serve", ...options, "app.mjs"], {
      cwd: folder.path,
    });
    assert.deepEqual([code, out], [1, ""]);
    assert.match(err, new RegExp(`^arborio: listen on 127\\.0\\.0\\.1:${port}: .*EADDRINUSE.*\n$`));
  } finally {
    taken.close();
  }
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
