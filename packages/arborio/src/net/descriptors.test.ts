/**
 * Sockets that another program has opened. This file starts itself through Perl, which opens a socket and becomes the runtime
 * that runs the tests, with the descriptor as its inheritance.
 */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import process from "node:process";
import { test as nodeTest } from "node:test";
import { fileURLToPath } from "node:url";
import { NotSupportedError, SystemError } from "../core/errors.ts";
import type { IpAddress } from "../platform/wire.ts";
import { run } from "../platform/run.ts";
import { failAfter, sleep } from "../sync/timeouts.ts";
import { onEveryBackend } from "../testing/every-backend.ts";
import { connectTcp } from "./connect-tcp.ts";
import { listenDescriptor, streamFromDescriptor } from "./descriptors.ts";
import { listenTcp } from "./listen-tcp.ts";

const PERL = "perl";
const PROGRAM = "ARBORIO_TEST_DESCRIPTOR";
const PROGRAM_MS_MAX = 20_000;

/** Opens a socket, and becomes its arguments and the descriptor's number. */
const OPEN = `use Socket; $^F = 99; socket(S, AF_INET, SOCK_STREAM, 0) or die;`;
const LISTEN = `${OPEN} bind(S, sockaddr_in(0, INADDR_LOOPBACK)) or die; listen(S, 9) or die;`;
const CONNECT = `${OPEN} connect(S, sockaddr_in(shift @ARGV, INADDR_LOOPBACK)) or die;`;
const BECOME = `$ENV{${PROGRAM}_FD} = fileno(S); exec(@ARGV) or die;`;

const programs: Readonly<Record<string, (descriptor: number) => Promise<void>>> = {
  async echo(descriptor) {
    using stream = streamFromDescriptor(descriptor);
    for await (const chunk of stream) await stream.send(chunk);
  },
  async serve(descriptor) {
    using listener = await listenDescriptor(descriptor);
    console.log(`port ${(listener.addresses[0] as IpAddress).port}`);
    using stream = await listener.accept();
    for await (const chunk of stream) await stream.send(chunk);
  },
};

/** Starts a program of this file with a socket that Perl opens; what it printed. */
function start(
  name: string,
  perl: string,
  args: readonly string[],
  seen: (text: string) => void,
): Promise<number | null> {
  const conditions = import.meta.url.endsWith(".ts") ? ["--conditions=@arborio/source"] : [];
  const command = process.versions["deno"] === undefined ? [] : ["run", "-A", "--no-check"];
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const file = fileURLToPath(import.meta.url);
  const child = spawn(
    PERL,
    ["-e", perl + BECOME, ...args, process.execPath, ...command, ...conditions, file],
    {
      env: { ...env, [PROGRAM]: name, NO_COLOR: "1" },
      stdio: ["ignore", "pipe", "inherit"],
      timeout: PROGRAM_MS_MAX,
    },
  );
  child.stdout.on("data", (chunk: Uint8Array) => seen(new TextDecoder().decode(chunk)));
  return new Promise((resolve) => child.on("close", resolve));
}

function defineTests(): void {
  const test = onEveryBackend(nodeTest);

  test("listenDescriptor, streamFromDescriptor: what cannot be a descriptor is refused", async () => {
    for (const descriptor of [-1, 1.5, Infinity, "1", undefined]) {
      const expected = typeof descriptor === "number" ? RangeError : TypeError;
      assert.throws(() => streamFromDescriptor(descriptor as number), expected);
      await assert.rejects(listenDescriptor(descriptor as number), expected);
    }
    await assert.rejects(listenDescriptor(1_000_000), (error) => {
      assert.ok(error instanceof SystemError || error instanceof NotSupportedError, String(error));
      return true;
    });
  });

  test(
    "streamFromDescriptor: not in the simulator, whose sockets have none",
    () => {
      assert.throws(() => streamFromDescriptor(3), NotSupportedError);
    },
    { skip: { backend: "host", reason: "it has descriptors" } },
  );

  const hasPerl = spawnSync(PERL, ["-e", "1"]).status === 0;
  const title = "streamFromDescriptor, listenDescriptor: sockets that another program opened";
  if (!hasPerl) {
    console.log(`# skip ${title}: needs perl`);
    nodeTest(title, { skip: "needs perl" }, () => {});
    return;
  }

  nodeTest("streamFromDescriptor: a connected socket that another program opened", async () => {
    await run(async () => {
      using listener = await listenTcp(0, { host: "127.0.0.1" });
      const ended = start("echo", CONNECT, [String(listener.port)], () => {});
      await failAfter(PROGRAM_MS_MAX, async () => {
        using stream = await listener.accept();
        await stream.send(new Uint8Array([1, 2, 3]));
        const received: number[] = [];
        while (received.length < 3) received.push(...(await stream.receive()));
        assert.deepEqual(received, [1, 2, 3]);
        await stream.sendEof();
        for await (const _chunk of stream) assert.fail("bytes after the end");
      });
      assert.equal(await ended, 0);
    });
  });

  nodeTest("listenDescriptor: a listening socket that another program opened", async () => {
    await run(async () => {
      let output = "";
      const ended = start("serve", LISTEN, [], (text) => (output += text));
      await failAfter(PROGRAM_MS_MAX, async () => {
        let port: string | undefined;
        while (port === undefined) {
          [, port] = /port (\d+)/.exec(output) ?? [];
          await sleep(5);
        }
        using stream = await connectTcp("127.0.0.1", Number(port));
        await stream.send(new Uint8Array([1, 2, 3]));
        await stream.sendEof();
        const received: number[] = [];
        for await (const chunk of stream) received.push(...chunk);
        assert.deepEqual(received, [1, 2, 3]);
      });
      assert.equal(await ended, 0);
    });
  });
}

const program = programs[process.env[PROGRAM] ?? ""];
if (program === undefined) defineTests();
else await run(() => program(Number(process.env[`${PROGRAM}_FD`])));
