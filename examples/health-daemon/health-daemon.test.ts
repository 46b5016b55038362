import assert from "node:assert/strict";
import { test as nodeTest } from "node:test";
import { CancelScope, failAfter, now, run, sleep, taskGroup } from "arborio";
import { connectTcp, type Listener, listenTcp } from "arborio/net";
import { onEveryBackend } from "arborio/testing";
import { ExampleProgram } from "../testing/example-program.ts";
import { runDaemon } from "./daemon.ts";

const test = onEveryBackend((title, body) => nodeTest(title, { timeout: 20_000 }, body));
const ON_VIRTUAL_TIME = { skip: { backend: "host", reason: "waits in virtual time" } } as const;

/** Asks on a connection of its own; gives status and body. */
async function ask(port: number, path: string): Promise<[status: number, body: string]> {
  using stream = await connectTcp("127.0.0.1", port);
  const request = `GET ${path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n`;
  await stream.send(new TextEncoder().encode(request));
  let text = "";
  for await (const chunk of stream) text += new TextDecoder().decode(chunk);
  const [, status, body = ""] = /^HTTP\/1\.1 (\d+) [^]*?\r\n\r\n([^]*)$/.exec(text) ?? [];
  return [Number(status), body];
}

/** Runs `body` beside a daemon that needs something, in a scope that it may shut down. */
async function withDaemon(
  body: (port: number, scope: CancelScope, needed: Listener) => Promise<void>,
): Promise<void> {
  const scope = new CancelScope();
  using needed = await listenTcp(0, { host: "127.0.0.1" });
  await taskGroup(async (group) => {
    group.startSoon(() => needed.serve(() => {}), { daemon: true });
    const listener = await listenTcp(0, { host: "127.0.0.1" });
    const needs = { host: "127.0.0.1", port: needed.port };
    const options = { listener, needs, drainMs: 300, graceMs: 5000, log: () => {} };
    group.startSoon(() => scope.run(() => runDaemon(options)));
    await body(listener.port, scope, needed);
  });
  assert.equal(scope.cancelledCaught, false);
}

test("health-daemon: ready while what it needs is there, alive all the time", () =>
  withDaemon(async (port, scope, needed) => {
    assert.equal((await ask(port, "/readyz"))[0], 200);
    needed.close();
    await sleep(150); // longer than an answer is kept
    const [status, body] = await ask(port, "/readyz");
    assert.equal(status, 503);
    const { checks } = JSON.parse(body) as { checks: Record<string, string> };
    assert.deepEqual(checks, { [`127.0.0.1:${needed.port}`]: "failed" });
    assert.equal((await ask(port, "/healthz"))[0], 200);
    assert.deepEqual(await ask(port, "/work?ms=1"), [200, "done\n"]);
    assert.equal((await ask(port, "/work?ms=x"))[0], 400);
    assert.equal((await ask(port, "/other"))[0], 404);
    scope.shutdown({ graceMs: 5000 });
  }));

test(
  "health-daemon: a shutdown is not ready at once, takes requests for a while, then none, and finishes its work",
  () =>
    withDaemon(async (port, scope) => {
      assert.equal((await ask(port, "/readyz"))[0], 200);
      await taskGroup(async (group) => {
        let finished = 0;
        group.startSoon(async () => {
          assert.deepEqual(await ask(port, "/work?ms=2000"), [200, "done\n"]);
          finished = now();
        });
        await sleep(50);
        const asked = now();
        scope.shutdown({ graceMs: 5000 });
        const [status, body] = await ask(port, "/readyz");
        assert.deepEqual([status, JSON.parse(body)], [503, { status: "shutting-down" }]);
        await sleep(asked + 250 - now());
        assert.deepEqual(await ask(port, "/work?ms=1"), [200, "done\n"]);
        await sleep(asked + 350 - now());
        await assert.rejects(ask(port, "/healthz"));
        assert.equal(finished, 0);
      });
    }),
  ON_VIRTUAL_TIME,
);

nodeTest("health-daemon, the program: Ctrl-C lets work end that has begun", () =>
  run(
    () =>
      failAfter(20_000, async () => {
        using program = new ExampleProgram("health-daemon", "--port 0 --drain 200".split(" "));
        const [, port] = await program.until(/^daemon on .*:(\d+)/m);
        assert.equal((await fetch(`http://localhost:${port}/readyz`)).status, 200);
        using stream = await connectTcp("localhost", Number(port));
        const request = (path: string): string => `GET ${path} HTTP/1.1\r\nhost: localhost\r\n\r\n`;
        await stream.send(
          new TextEncoder().encode(`${request("/healthz")}${request("/work?ms=1000")}`),
        );
        // When the first is answered, the second has begun.
        let text = new TextDecoder().decode(await stream.receive());
        program.interrupt();
        for await (const chunk of stream) text += new TextDecoder().decode(chunk);
        stream.close();
        assert.ok(text.endsWith("\r\n\r\ndone\n"), text);
        assert.equal(await program.ended(), 0);
        assert.match(program.printed, /^daemon on [^\n]*\nall work is done\n$/);
      }),
    { signals: [] },
  ),
);

nodeTest("health-daemon, the program: wrong usage is a clear message and exit code 2", () =>
  run(
    async () => {
      using program = new ExampleProgram("health-daemon", ["--needs", "nothing"]);
      assert.equal(await program.ended(), 2);
      assert.match(program.printed, /^--needs: got "nothing", needs HOST:PORT\nUsage: main\.ts /);
    },
    { signals: [] },
  ),
);
