import assert from "node:assert/strict";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test as runnerTest } from "node:test";
import type { UnixAddress } from "../platform/wire.ts";
import { SystemError } from "../core/errors.ts";
import { cancelEverywhere } from "../testing/cancel-everywhere.ts";
import { sleep } from "../sync/timeouts.ts";
import { onEveryBackend } from "../testing/every-backend.ts";
import { testIf } from "../testing/test-if.test.kit.ts";
import { connectUnix } from "./connect-unix.ts";
import { listenUnix } from "./listen-unix.ts";
import type { SocketStream } from "./socket-stream.ts";

const test = onEveryBackend(runnerTest);
const onHost = { skip: { backend: "simulator", reason: "it has no file system" } } as const;

const folder = mkdtempSync(join(tmpdir(), "arborio-unix-"));
after(() => rmSync(folder, { recursive: true, force: true }));

let names = 0;
function freshPath(): string {
  return join(folder, `${++names}.sock`);
}

function hasCode(code: string): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof SystemError, String(error));
    assert.equal(error.systemCode, code);
    return true;
  };
}

async function echo(stream: SocketStream): Promise<void> {
  for await (const chunk of stream) await stream.send(chunk);
}

test("listenUnix, connectUnix: bytes go both ways, and the ends are known by the path", async (group) => {
  const path = freshPath();
  using listener = await listenUnix(path);
  assert.deepEqual(listener.addresses, [{ path }]);
  assert.throws(() => listener.port, /listens on a Unix socket/);
  group.startSoon(() => listener.serve(echo), { daemon: true });
  using stream = await connectUnix(path);
  await stream.send(new Uint8Array([4]));
  assert.deepEqual([...(await stream.receive())], [4]);
  await stream.sendEof();
  for await (const _chunk of stream) assert.fail("bytes after the end");
});

const onLinux = testIf(
  process.platform === "linux",
  `only Linux has abstract names, this is ${process.platform}`,
);
onEveryBackend(onLinux)("listenUnix, connectUnix: names in the abstract space", async (group) => {
  const name = `\0arborio-${process.pid}-${++names}`;
  using listener = await listenUnix(name);
  group.startSoon(() => listener.serve(echo), { daemon: true });
  using stream = await connectUnix(name);
  await stream.send(new Uint8Array([4]));
  assert.deepEqual([...(await stream.receive())], [4]);
});

test("connectUnix: nobody listens there, or there is nothing", async () => {
  const path = freshPath();
  await assert.rejects(connectUnix(path), hasCode("ENOENT"));
  const listener = await listenUnix(path);
  listener.close();
  await assert.rejects(connectUnix(path), hasCode("ENOENT"));
  using _again = await listenUnix(path);
  using _stream = await connectUnix(path);
});

test("listenUnix: a path where somebody listens is EADDRINUSE, and that one goes on", async () => {
  const path = freshPath();
  using listener = await listenUnix(path);
  await assert.rejects(listenUnix(path), hasCode("EADDRINUSE"));
  using _stream = await connectUnix(path);
  using _accepted = await listener.accept();
});

test(
  "listenUnix: mode sets the permission bits",
  async () => {
    const path = freshPath();
    using _listener = await listenUnix(path, { mode: 0o600 });
    assert.equal((statSync(path).mode & 0o777).toString(8), "600");
  },
  onHost,
);

test(
  "listenUnix: a file that is no socket stays",
  async () => {
    const path = freshPath();
    writeFileSync(path, "text");
    await assert.rejects(listenUnix(path), hasCode("EADDRINUSE"));
    assert.equal(statSync(path).size, 4);
  },
  onHost,
);

test("listenUnix, connectUnix: cancelled at every checkpoint, the path is free again", async () => {
  const path = freshPath();
  await cancelEverywhere(async () => {
    using listener = await listenUnix(path);
    using _stream = await connectUnix(path);
    using _accepted = await listener.accept();
  });
  using _listener = await listenUnix(path);
});

test("listenUnix, connectUnix: what cannot be a path is refused", async () => {
  const cases: [path: unknown, message: RegExp][] = [
    ["", /got ""/],
    ["\0", /needs a path/],
    ["a\0b", /needs a path without NUL/],
    ["a".repeat(108), /a path of 108 bytes .* needs at most 107/],
    ["ä".repeat(54), /a path of 108 bytes/],
    [undefined, /got undefined/],
    [new URL("file:///a"), /got an object of URL/],
  ];
  for (const [path, message] of cases) {
    await assert.rejects(connectUnix(path as string), message);
    await assert.rejects(listenUnix(path as string), message);
  }
  await assert.rejects(listenUnix(freshPath(), { mode: 0o1000 }), /mode.*got 0o1000/);
  await assert.rejects(listenUnix(freshPath(), { mode: "600" as never }), TypeError);
  await assert.rejects(listenUnix(freshPath(), { backlog: 0 }), /backlog/);
  await assert.rejects(
    connectUnix(freshPath(), { tls: {} as never }),
    /serverName.*needs the name/,
  );
});

test("listenUnix: whoever watches the machine's descriptors meanwhile does not disturb a listener that waits for long", async () => {
  using listener = await listenUnix(freshPath());
  // Longer than the second between two looks.
  await sleep(1200);
  using _stream = await connectUnix((listener.addresses[0] as UnixAddress).path);
  using _accepted = await listener.accept();
});
