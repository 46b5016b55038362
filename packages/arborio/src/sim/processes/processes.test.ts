import assert from "node:assert/strict";
import { test } from "node:test";
import {
  BrokenResourceError,
  DeadlockError,
  moveOnAfter,
  NotSupportedError,
  now,
  shielded,
  sleep,
  sleepForever,
} from "../../index.ts";
import { connectTcp, listenTcp } from "../../net.ts";
import {
  openProcess,
  openSignalReceiver,
  runProcess,
  shellCommand,
  standardError,
  standardInput,
  standardOutput,
} from "../../process.ts";
import { simulate, type SimulatedProgram, simulatedWorld } from "../../sim.ts";
import { assertCheckpoints } from "../../testing.ts";

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

async function textOf(stream: AsyncIterable<Uint8Array>): Promise<string> {
  let text = "";
  for await (const chunk of stream) text += new TextDecoder().decode(chunk);
  return text;
}

/** On a world whose host has these programs; afterwards none of them runs. */
function simulatedTest(
  title: string,
  programs: Readonly<Record<string, SimulatedProgram>>,
  body: () => Promise<void>,
): void {
  test(title, async () => {
    for (const seed of [1, 2, 3, 4, 5]) {
      await simulate({ seed }, async ({ localhost }) => {
        for (const [name, program] of Object.entries(programs)) localhost.program(name, program);
        await body();
        assert.deepEqual(localhost.processes, []);
      });
    }
  });
}

simulatedTest(
  "host.program: a program sees its command, environment, directory and number, and its code is its exit",
  {
    async show({ command, env, cwd, pid }) {
      await sleep(1);
      assert.deepEqual(command, ["show", "a", "b"]);
      assert.deepEqual([env, cwd], [{ A: "1" }, "/tmp"]);
      return pid;
    },
  },
  async () => {
    const options = { env: { A: "1", B: undefined }, cwd: "/tmp" };
    await using child = await openProcess(["show", "a", "b"], options);
    const { processes } = simulatedWorld().localhost;
    assert.deepEqual(
      processes.map(({ pid, command }) => [pid, command.join(" ")]),
      [[child.pid, "show a b"]],
    );
    assert.deepEqual(await child.wait(), { code: child.pid });
  },
);

simulatedTest(
  "host.program: what it throws is on its standard error, and the exit code is 1",
  {
    crash: () => Promise.reject(new TypeError("a mistake")),
    crashAtOnce() {
      throw new TypeError("a mistake");
    },
    wrongCode: () => 256,
  },
  async () => {
    for (const name of ["crash", "crashAtOnce"]) {
      const { exit, stderrText } = await runProcess([name], { check: false });
      assert.deepEqual([exit, stderrText], [{ code: 1 }, "TypeError: a mistake\n"]);
    }
    const { exit, stderrText } = await runProcess(["wrongCode"], { check: false });
    assert.deepEqual(exit, { code: 1 });
    assert.match(stderrText, /got the exit code 256, needs 0 to 255/);
  },
);

simulatedTest(
  "host.program: gets signals that it listens for; others end it, and SIGKILL does in any case",
  {
    async patient() {
      using signals = openSignalReceiver(["SIGHUP", "SIGTERM"]);
      await standardOutput().send(encode("ready "));
      for await (const name of signals) await standardOutput().send(encode(`${name} `));
    },
  },
  async () => {
    await using child = await openProcess(["patient"], { graceMs: 60_000 });
    assert.equal(await receiveText(child.stdout, 6), "ready ");
    child.sendSignal("SIGHUP");
    child.sendSignal("SIGCONT");
    child.sendSignal("SIGWINCH");
    assert.equal(await receiveText(child.stdout, 7), "SIGHUP ");
    assert.throws(() => child.sendSignal("SIGSTOP"), NotSupportedError);
    const start = now();
    assert.deepEqual(await child.stop(), { signal: "SIGKILL" });
    assert.equal(now() - start, 60_000);
    assert.equal(await textOf(child.stdout), "SIGTERM ");
    await using other = await openProcess(["patient"]);
    assert.equal(await receiveText(other.stdout, 6), "ready ");
    other.sendSignal("SIGUSR1");
    assert.deepEqual(await other.wait(), { signal: "SIGUSR1" });
  },
);

async function receiveText(
  stream: { receive(bytes: number): Promise<Uint8Array> },
  length: number,
): Promise<string> {
  let text = "";
  while (text.length < length)
    text += new TextDecoder().decode(await stream.receive(length - text.length));
  return text;
}

let cleanedUp = 0;
simulatedTest(
  "host.program: one that was ended can still clean up, but nobody hears of it",
  {
    async stubborn() {
      const output = standardOutput();
      try {
        await output.send(encode("ready"));
        await sleepForever();
      } finally {
        await shielded(async () => {
          await output.send(encode("too late"));
          await standardOutput().send(encode("much too late"));
        });
        cleanedUp += 1;
      }
    },
  },
  async () => {
    cleanedUp = 0;
    await using child = await openProcess(["stubborn"]);
    assert.equal(await receiveText(child.stdout, 5), "ready");
    child.kill();
    assert.deepEqual(await child.wait(), { signal: "SIGKILL" });
    assert.equal(await textOf(child.stdout), "");
    await sleep(1);
    assert.equal(cleanedUp, 1);
  },
);

test("host.program: may start others; they share its group if they are to, and end with it", async () => {
  await simulate({ seed: 3 }, async ({ localhost }) => {
    const running = (): string[] => localhost.processes.map(({ command }) => command.join(" "));
    localhost.program("child", () => sleepForever());
    localhost.program("parent", async () => {
      await openProcess(["child", "in its group"], { group: "inherit", stdout: "inherit" });
      await openProcess(["child", "in another"], { stdout: "ignore" });
      return 7;
    });
    let text: string | undefined;
    {
      await using parent = await openProcess(["parent"]);
      assert.deepEqual(await parent.wait(), { code: 7 });
      assert.deepEqual(running(), ["child in its group", "child in another"]);
      text = await moveOnAfter(1000, () => textOf(parent.stdout));
    }
    assert.equal(text, undefined, "the child that inherited the pipe keeps it open");
    assert.deepEqual(running(), ["child in another"]);
  });
});

simulatedTest(
  "host.program: standard input goes to whoever inherits it",
  {
    async outer() {
      await using inner = await openProcess(["cat"], { stdin: "inherit", stdout: "inherit" });
      return (await inner.wait()).code ?? 99;
    },
    async cat() {
      for await (const chunk of standardInput()) await standardOutput().send(chunk);
    },
  },
  async () => {
    const { stdoutText } = await runProcess(["outer"], { input: "through both" });
    assert.equal(stdoutText, "through both");
  },
);

simulatedTest(
  "host.program: has its host's files and network, and simulatedWorld",
  {
    async server() {
      assert.equal(simulatedWorld().localhost.name, "localhost");
      await using listener = await listenTcp(80);
      await standardOutput().send(encode("ready"));
      await listener.serve((stream) => stream.send(encode("hello")));
    },
  },
  async () => {
    await using server = await openProcess(["server"]);
    assert.equal(await receiveText(server.stdout, 5), "ready");
    using stream = await connectTcp("localhost", 80);
    assert.equal(await textOf(stream), "hello");
  },
);

simulatedTest(
  "host.program: standard error, and output that nobody reads any more",
  {
    async chatty() {
      await standardError().send(encode("to the error stream"));
      await assert.rejects(async () => {
        for (;;) await standardOutput().send(new Uint8Array(10_000));
      }, BrokenResourceError);
      return 4;
    },
    "/bin/sh": ({ command }) => {
      assert.deepEqual(command, ["/bin/sh", "-c", 'echo "$1"', "sh", "a"]);
    },
  },
  async () => {
    await using child = await openProcess(["chatty"], { stderr: "pipe" });
    assert.equal(await receiveText(child.stderr, 19), "to the error stream");
    await child.stdout.receive();
    child.stdout.close();
    assert.deepEqual(await child.wait(), { code: 4 });
    await runProcess(shellCommand('echo "$1"', "a"));
  },
);

test("simulated processes: a supervisor's minutes take no time, and the same seed gives the same run", async () => {
  const story = async (seed: number): Promise<string[]> => {
    const lines: string[] = [];
    await simulate({ seed }, async ({ localhost }) => {
      localhost.program("steady", async () => {
        for (let line = 0; line < 20; line++) {
          await sleep(1000);
          await standardOutput().send(encode(`line ${line};`));
        }
        return 1;
      });
      for (let restart = 0; restart < 5; restart++) {
        await using child = await openProcess(["steady"]);
        for await (const chunk of child.stdout)
          lines.push(`${now()} ${child.pid} ${new TextDecoder().decode(chunk)}`);
        lines.push(JSON.stringify(await child.wait()));
        await sleep(10_000);
      }
      assert.ok(now() > 150_000);
    });
    return lines;
  };
  const [first, second, other] = [await story(7), await story(7), await story(8)];
  assert.deepEqual(first, second);
  assert.notDeepEqual(first, other);
  assert.ok(first.length >= 105);
});

test("simulated processes: one that waits for what never comes is a deadlock, and the report says who waits", async () => {
  await assert.rejects(
    simulate({}, async ({ localhost }) => {
      localhost.program("cat", async () => {
        for await (const _chunk of standardInput());
      });
      await using child = await openProcess(["cat"], { stdin: "pipe" });
      await child.wait();
    }),
    (error) => {
      assert.ok(error instanceof DeadlockError);
      assert.match(error.message, /process\.wait/);
      assert.match(error.message, /cat \(1\)/);
      return true;
    },
  );
});

test("simulated processes: end with the run", async () => {
  let ended = false;
  await simulate({}, async ({ localhost }) => {
    localhost.program("forever", async () => {
      try {
        await sleepForever();
      } finally {
        ended = true;
      }
    });
    await openProcess(["forever"]);
    await sleep(1);
  });
  assert.ok(ended);
});

test("host.program: says what is wrong with a call", async () => {
  await simulate({}, async ({ localhost }) => {
    assert.throws(() => localhost.program("", () => 0), TypeError);
    assert.throws(() => localhost.program(1 as unknown as string, () => 0), TypeError);
    assert.throws(() => localhost.program("x", 1 as unknown as SimulatedProgram), TypeError);
    localhost.program("x", () => 1);
    localhost.program("x", () => 2);
    assert.deepEqual((await runProcess(["x"], { check: false })).exit, { code: 2 });
    await assertCheckpoints(() => openProcess(["x"]));
    await sleep(10);
  });
});
