/**
 * A listener of a process that has no descriptors left. The process is this file too: it starts itself under a low limit, on the
 * runtime that runs the tests.
 */
import assert from "node:assert/strict";
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { closeSync, openSync, rmSync } from "node:fs";
import { devNull } from "node:os";
import process from "node:process";
import { test as nodeTest } from "node:test";
import { fileURLToPath } from "node:url";
import { SystemError } from "../../core/errors.ts";
import { hostBackend } from "../../platform/host.ts";
import type { ListenerHandle, ListenTarget, Network } from "../../platform/network.ts";
import { run } from "../../platform/run.ts";
import type { SocketAddress } from "../../platform/wire.ts";
import { Event } from "../../sync/event.ts";
import { failAfter, sleep } from "../../sync/timeouts.ts";
import { Bench, settled } from "../../testing/network-contract/suite.ts";

const PROGRAM = "ARBORIO_TEST_EXHAUSTION";
const PROGRAM_MS_MAX = 30_000;
/** Few enough to be filled soon, enough for a runtime to start. */
const DESCRIPTORS = 100;

const network = hostBackend.network as Network;
const say = (text: string): void => console.log(text);

/** Listens, fills its descriptors, frees them at the first word from outside, and ends at the second. */
async function program(target: ListenTarget): Promise<void> {
  const done = new Event();
  const files: number[] = [];
  process.stdin.on("data", () => {
    if (files.length === 0) {
      done.set();
      return;
    }
    for (const file of files.splice(0)) closeSync(file);
    say("freed");
  });
  const { address } = await settled<ListenerHandle>("listen", (completion) =>
    network.listen(
      target,
      {
        accepted(wire) {
          say("accepted");
          wire.open({ received() {}, ended() {}, written() {}, failed() {} });
          wire.write(new Uint8Array([1]));
        },
        failed: (error) => say(`failed ${error instanceof SystemError ? error.systemCode : error}`),
      },
      completion,
    ),
  );
  try {
    for (;;) files.push(openSync(devNull, "r"));
  } catch {
    say(`full ${JSON.stringify(address)}`);
  }
  await done.wait();
  process.exit();
}

function start(target: ListenTarget): ChildProcessWithoutNullStreams {
  const conditions = import.meta.url.endsWith(".ts") ? ["--conditions=@arborio/source"] : [];
  const command = process.versions["deno"] === undefined ? [] : ["run", "-A", "--no-check"];
  const { NODE_TEST_CONTEXT: _, NODE_EXTRA_CA_CERTS: _certificates, ...env } = process.env;
  const limited = `ulimit -n ${DESCRIPTORS} && exec "$0" "$@"`;
  const file = fileURLToPath(import.meta.url);
  return spawn("sh", ["-c", limited, process.execPath, ...command, ...conditions, file], {
    env: { ...env, [PROGRAM]: JSON.stringify(target), NO_COLOR: "1" },
    stdio: ["pipe", "pipe", "inherit"] as never,
    timeout: PROGRAM_MS_MAX,
  }) as ChildProcessWithoutNullStreams;
}

async function exhaust(target: ListenTarget): Promise<void> {
  const child = start(target);
  let output = "";
  child.stdout.on("data", (chunk: Uint8Array) => (output += new TextDecoder().decode(chunk)));
  const ended = new Promise((resolve) => child.on("close", resolve));
  const until = (pattern: RegExp): Promise<RegExpExecArray> =>
    failAfter(PROGRAM_MS_MAX / 3, async () => {
      for (;;) {
        const found = pattern.exec(output);
        if (found !== null) return found;
        await sleep(5);
      }
    });
  const bench = new Bench(network, () => "", "connecting");
  try {
    const address = JSON.parse((await until(/full (.*)\n/))[1] as string) as SocketAddress;
    const there =
      "path" in address
        ? ({ kind: "unix", path: address.path } as const)
        : ({ kind: "tcp", ...address } as const);
    for (let count = 0; count < 3; count++) await bench.connect(there);
    await until(/failed EMFILE/);
    assert.doesNotMatch(output, /accepted/);
    child.stdin.write("free\n");
    await until(/freed/);
    const client = bench.open(await bench.connect(there));
    client.onBytes = () => {};
    await client.until("a byte", () => client.bytes === 1);
  } catch (error) {
    throw new Error(`the program printed ${JSON.stringify(output)}`, { cause: error });
  } finally {
    child.stdin.end("end\n");
    await bench.close();
    child.kill();
    await ended;
  }
}

function defineTests(): void {
  const title =
    "Acceptor.failed: a process without descriptors is told, and its listener goes on when there are some again";
  if (process.platform === "win32") {
    console.log(`# skip ${title}: needs ulimit`);
    nodeTest(title, { skip: "needs ulimit" }, () => {});
    return;
  }
  nodeTest(`${title}, TCP [${hostBackend.name}]`, () =>
    run(
      () =>
        exhaust({
          kind: "tcp",
          host: "127.0.0.1",
          port: 0,
          backlog: 8,
          reusePort: false,
          ipv6Only: false,
        }),
      { signals: [] },
    ),
  );
  if (hostBackend.name === "deno") {
    console.log(`# skip ${title}, Unix: Deno 2.9.5 never accepts again on a Unix socket`);
    nodeTest(
      `${title}, Unix`,
      { skip: "Deno 2.9.5 never accepts again on a Unix socket" },
      () => {},
    );
    return;
  }
  nodeTest(`${title}, Unix [${hostBackend.name}]`, async () => {
    const path = `/tmp/arborio-exhaustion-${process.pid}`;
    await run(() => exhaust({ kind: "unix", path, backlog: 8, mode: undefined }), { signals: [] });
    rmSync(path, { force: true });
  });
}

const target = process.env[PROGRAM];
if (target === undefined) defineTests();
else await run(() => program(JSON.parse(target) as ListenTarget));
