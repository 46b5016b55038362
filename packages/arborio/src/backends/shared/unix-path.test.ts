/** The files of Unix sockets, on the network of the runtime that runs the tests. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after } from "node:test";
import { hostBackend } from "../../platform/host.ts";
import type { Acceptor, ListenerHandle, ListenTarget, Network } from "../../platform/network.ts";
import { run } from "../../platform/run.ts";
import { sleep } from "../../sync/timeouts.ts";
import { Bench, settled } from "../../testing/network-contract/suite.ts";
import { asNobody } from "../../testing/as-nobody.test.kit.ts";
import { type RegisterTest, testIf } from "../../testing/test-if.test.kit.ts";
import { isListed } from "./unix-path.ts";

const folder = mkdtempSync(join(tmpdir(), "arborio-paths-"));
after(() => rmSync(folder, { recursive: true, force: true }));

let names = 0;
const makePath = (): string => join(folder, `${(names += 1)}.sock`);
const network = hostBackend.network as Network;

function test(
  title: string,
  body: (bench: Bench) => Promise<void>,
  register: RegisterTest = testIf(true, ""),
): void {
  register(`${title} [${hostBackend.name}]`, () =>
    run(
      async () => {
        const bench = new Bench(network, makePath, "connecting");
        try {
          await body(bench);
        } finally {
          await bench.close();
          for (const handle of handles.splice(0)) handle.close();
        }
        assert.deepEqual(
          readdirSync(folder).filter((name) => name.includes(".sock.")),
          [],
          "private folders",
        );
      },
      { signals: [] },
    ),
  );
}

const unix = (path: string, mode?: number): ListenTarget & { kind: "unix" } => ({
  kind: "unix",
  path,
  backlog: 8,
  mode,
});

/** What a test that fails leaves open would keep the process alive. */
const handles: ListenerHandle[] = [];
const nobody: Acceptor = { accepted: (wire) => wire.close(true), failed() {} };

async function listenAlone(target: ListenTarget): Promise<ListenerHandle> {
  const handle = await settled<ListenerHandle>("listen", (completion) =>
    network.listen(target, nobody, completion),
  );
  handles.push(handle);
  return handle;
}

/** Both ways to the place: bound there, and made elsewhere because of its permissions. */
const MODES = [undefined, 0o600] as const;

/** Leaves a socket's file that nobody listens on. */
async function leaveStale(path: string): Promise<void> {
  const elsewhere = `${path}-elsewhere`;
  const listener = await listenAlone(unix(elsewhere));
  renameSync(elsewhere, path);
  listener.close();
}

const codeIs = (systemCode: string, message: RegExp) => (error: unknown) => {
  assert.equal((error as { systemCode?: unknown }).systemCode, systemCode, String(error));
  assert.match((error as Error).message, message);
  return true;
};

test("Network.listen: a socket's file that nobody listens on is replaced", async (bench) => {
  for (const mode of MODES) {
    const path = makePath();
    await leaveStale(path);
    assert.ok(lstatSync(path).isSocket());
    const listener = await bench.listen(unix(path, mode));
    await bench.connect({ kind: "unix", path });
    await listener.next();
  }
});

test("Network.listen: a file that is no socket is left alone, and named", async () => {
  for (const mode of MODES) {
    const path = makePath();
    writeFileSync(path, "precious");
    await assert.rejects(listenAlone(unix(path, mode)), codeIs("EADDRINUSE", /no socket/));
    assert.ok(lstatSync(path).isFile());
    const room = makePath();
    mkdirSync(room);
    await assert.rejects(listenAlone(unix(room, mode)), codeIs("EADDRINUSE", /no socket/));
  }
});

test("Network.listen: a socket that somebody listens on is left alone, and goes on", async (bench) => {
  for (const mode of MODES) {
    const path = makePath();
    const listener = await bench.listen(unix(path, mode));
    for (const again of MODES)
      await assert.rejects(
        listenAlone(unix(path, again)),
        codeIs("EADDRINUSE", /somebody listens there/),
      );
    await bench.connect({ kind: "unix", path });
    while (listener.acceptedCount < 3) await listener.next();
  }
});

test("Network.listen: the file has the permissions asked for, and is gone after close", async () => {
  for (const mode of [0o600, 0o660, 0o777]) {
    const path = makePath();
    const listener = await listenAlone(unix(path, mode));
    assert.equal((lstatSync(path).mode & 0o777).toString(8), mode.toString(8));
    assert.deepEqual(listener.address, { path });
    listener.close();
    assert.ok(!existsSync(path));
  }
});

test("Network.listen: permissions also where the path leaves no room for a private folder", async () => {
  const path = join(folder, "x".repeat(104 - folder.length));
  assert.equal(path.length, 105);
  const listener = await listenAlone(unix(path, 0o640));
  assert.equal((lstatSync(path).mode & 0o777).toString(8), "640");
  listener.close();
  assert.ok(!existsSync(path));
});

test("ListenerHandle.close: what somebody else has put there meanwhile stays", async (bench) => {
  const path = makePath();
  const first = await listenAlone(unix(path, 0o600));
  rmSync(path);
  await bench.listen(unix(path, 0o600));
  first.close();
  assert.ok(lstatSync(path).isSocket());
  await bench.connect({ kind: "unix", path });
});

test("Network.listen: withdrawn at any moment of replacing, it listens nowhere and calls nobody", async (bench) => {
  for (const mode of MODES) {
    for (let turns = 0; turns < 12; turns++) {
      const path = makePath();
      await leaveStale(path);
      let calls = 0;
      const count = (): void => void (calls += 1);
      const withdraw = network.listen(unix(path, mode), nobody, {
        succeed(handle) {
          handles.push(handle);
          count();
        },
        fail: count,
      });
      for (let turn = 0; turn < turns && calls === 0; turn++)
        await new Promise((resolve) => process.nextTick(resolve));
      const callsBefore = calls;
      if (calls === 0) withdraw();
      await sleep(2);
      assert.equal(calls, callsBefore);
      for (const handle of handles.splice(0)) handle.close();
      await assert.rejects(bench.connect({ kind: "unix", path }), /ECONNREFUSED|ENOENT/);
    }
  }
});

test("Network.listen: withdrawn before it fails, it calls nobody", async () => {
  let calls = 0;
  const count = (): void => void (calls += 1);
  for (const mode of MODES) {
    const target = unix(join(folder, "missing", "s"), mode);
    network.listen(target, nobody, { succeed: count, fail: count })();
  }
  await sleep(5);
  assert.equal(calls, 0);
});

test("Network.listen: a folder that is missing, or that is none", async () => {
  const file = makePath();
  writeFileSync(file, "");
  for (const mode of MODES) {
    await assert.rejects(
      listenAlone(unix(join(folder, "missing", "s"), mode)),
      codeIs("ENOENT", /missing/),
    );
    await assert.rejects(listenAlone(unix(join(file, "s"), mode)), codeIs("ENOTDIR", /folder|dir/));
  }
});

test("Network.listen: a folder that is not ours", async () => {
  const closed = makePath();
  mkdirSync(closed);
  chmodSync(closed, 0o555);
  chmodSync(folder, 0o711);
  await asNobody(async () => {
    for (const mode of MODES)
      await assert.rejects(
        listenAlone(unix(join(closed, "s"), mode)),
        codeIs("EACCES", /permission/),
      );
  });
});

test(
  "Network.listen: a socket of datagrams is left alone",
  async () => {
    const path = makePath();
    const program =
      "use Socket; socket(S, AF_UNIX, SOCK_DGRAM, 0); bind(S, sockaddr_un(shift)); $| = 1; print 1; <STDIN>";
    const perl = spawn("perl", ["-e", program, path], { stdio: ["pipe", "pipe", "ignore"] });
    const ended = new Promise((resolve) => perl.on("close", resolve));
    await new Promise((resolve) => perl.stdout.once("data", resolve));
    try {
      await assert.rejects(listenAlone(unix(path)), codeIs("EADDRINUSE", /somebody/));
      assert.ok(lstatSync(path).isSocket());
    } finally {
      perl.stdin.end();
      await ended;
    }
  },
  testIf(spawnSync("perl", ["-e", "1"]).status === 0, "needs perl to make one"),
);

test(
  "isListed: names of sockets that somebody has",
  async (bench) => {
    const path = makePath();
    assert.equal(isListed(path), false);
    await bench.listen(unix(path));
    assert.equal(isListed(path), true);
    assert.equal(isListed(join(folder, ".", path.slice(folder.length))), true);
    assert.equal(isListed(`${path}x`), false);
  },
  testIf(process.platform === "linux", `only Linux has the list, this is ${process.platform}`),
);
