import assert from "node:assert/strict";
import { test } from "node:test";
import {
  BrokenResourceError,
  failAfter,
  now,
  run,
  sleep,
  SystemError,
  taskGroup,
  TimeoutError,
} from "../index.ts";
import {
  type Command,
  OutputLimitError,
  ProcessFailedError,
  runProcess,
  type RunProcessOptions,
  shellCommand,
} from "../process.ts";
import { createMemoryPipe } from "../streams.ts";
import { encode, marked, markedEnv, zombies } from "./processes.test.kit.ts";

const TEST_MS_MAX = 30_000;

function hostTest(title: string, body: () => Promise<void>): void {
  test(title, { timeout: TEST_MS_MAX }, () => run(body));
}

hostTest("runProcess: tells how it ended, and what it wrote to which stream", async () => {
  const result = await runProcess(shellCommand("echo out; echo err >&2; echo ü"));
  assert.deepEqual(result.exit, { code: 0 });
  assert.deepEqual(result.command, ["/bin/sh", "-c", "echo out; echo err >&2; echo ü", "sh"]);
  assert.deepEqual(result.stdout, encode("out\nü\n"));
  assert.equal(result.stdoutText, "out\nü\n");
  assert.equal(result.stderrText, "err\n");
  const quiet = await runProcess(shellCommand("echo out; echo err >&2"), {
    stdout: "ignore",
    stderr: "ignore",
  });
  assert.deepEqual([quiet.stdout.length, quiet.stderr.length], [0, 0]);
});

hostTest(
  "runProcess: gives its input: text, bytes, a stream, an iterable, or nothing",
  async () => {
    const said = async (input?: RunProcessOptions["input"]): Promise<string> =>
      (await runProcess(["cat"], input === undefined ? {} : { input })).stdoutText;
    assert.equal(await said(), "");
    assert.equal(await said(""), "");
    assert.equal(await said("tëxt"), "tëxt");
    assert.equal(await said(encode("bytes")), "bytes");
    const [sender, receiver] = createMemoryPipe({ capacity: 100 });
    await sender.send(encode("a stream"));
    sender.close();
    assert.equal(await said(receiver), "a stream");
    const pieces = async function* (): AsyncGenerator<Uint8Array> {
      yield encode("piece ");
      await sleep(1);
      yield encode("by piece");
    };
    assert.equal(await said(pieces()), "piece by piece");
  },
);

hostTest(
  "runProcess: throws if it fails, with the end of what it said; not with check: false",
  async () => {
    const script = 'echo "wrong: $1" >&2; exit "$2"';
    await assert.rejects(runProcess(shellCommand(script, "this", "3")), (error) => {
      assert.ok(error instanceof ProcessFailedError);
      assert.equal(error.code, "ARBORIO_PROCESS_FAILED");
      assert.match(
        error.message,
        /^runProcess: \/bin\/sh -c ".*" sh this 3 ended with exit code 3; standard error:\nwrong: this$/,
      );
      assert.deepEqual(error.result.exit, { code: 3 });
      assert.equal(error.result.stderrText, "wrong: this\n");
      return true;
    });
    await assert.rejects(
      runProcess(shellCommand("kill -9 $$")),
      /^ProcessFailedError: runProcess: .* was ended by SIGKILL$/,
    );
    const long = "head -c 100000 /dev/zero | tr '\\0' x >&2; echo last >&2; exit 1";
    await assert.rejects(runProcess(shellCommand(long)), (error) => {
      const { message } = error as Error;
      assert.ok(message.length < 3000 && message.endsWith("xxxlast"));
      return true;
    });
    const { exit } = await runProcess(["false"], { check: false });
    assert.deepEqual(exit, { code: 1 });
    const killed = await runProcess(shellCommand("kill -9 $$"), { check: false });
    assert.deepEqual(killed.exit, { signal: "SIGKILL" });
    await assert.rejects(
      runProcess(["no-such-program"], { check: false }),
      (error) => error instanceof SystemError && error.systemCode === "ENOENT",
    );
  },
);

hostTest("runProcess: input that is not read, or not wholly, is no error", async () => {
  const large = new Uint8Array(1_000_000);
  assert.deepEqual((await runProcess(["true"], { input: large })).exit, { code: 0 });
  assert.equal((await runProcess(["head", "-c", "2"], { input: large })).stdout.length, 2);
  let left = false;
  const endless = async function* (): AsyncGenerator<Uint8Array> {
    try {
      for (;;) yield large;
    } finally {
      left = true;
    }
  };
  await runProcess(["head", "-c", "2"], { input: endless() });
  assert.ok(left, "the generator was told that nobody wants more");
  const never = async function* (): AsyncGenerator<Uint8Array> {
    await new Promise(() => {});
    yield large;
  };
  assert.deepEqual((await runProcess(["true"], { input: never() })).exit, { code: 0 });
});

hostTest("runProcess: input that fails fails it, and ends the process", async () => {
  const env = markedEnv();
  const failing = async function* (): AsyncGenerator<Uint8Array> {
    yield encode("a");
    throw new RangeError("the input failed");
  };
  await assert.rejects(
    runProcess(shellCommand("cat; sleep 1000"), { env, input: failing() }),
    (error) => error instanceof RangeError && error.message === "the input failed",
  );
  const [sender, receiver] = createMemoryPipe();
  sender.abort();
  await assert.rejects(runProcess(["cat"], { env, input: receiver }), BrokenResourceError);
  const wrong = async function* (): AsyncGenerator<Uint8Array> {
    yield "text" as unknown as Uint8Array;
  };
  await assert.rejects(runProcess(["cat"], { env, input: wrong() }), TypeError);
  assert.deepEqual(marked(env), []);
});

hostTest("runProcess: more output than allowed ends the process", async () => {
  const env = markedEnv();
  for (const [script, stream] of [
    ["yes", "stdout"],
    ["yes >&2", "stderr"],
  ] as const) {
    await assert.rejects(
      runProcess(shellCommand(script), { env, outputBytesMax: 100_000 }),
      (error) => {
        assert.ok(error instanceof OutputLimitError);
        assert.equal(error.stream, stream);
        assert.match(error.message, /wrote more than 100000 bytes to std(out|err) and was ended/);
        return true;
      },
    );
  }
  const exact = await runProcess(["head", "-c", "5", "/dev/zero"], { outputBytesMax: 5 });
  assert.equal(exact.stdout.length, 5);
  await assert.rejects(
    runProcess(["head", "-c", "5", "/dev/zero"], { outputBytesMax: 4 }),
    OutputLimitError,
  );
  await runProcess(["true"], { outputBytesMax: 0 });
  assert.deepEqual(marked(env), []);
});

hostTest("runProcess: a timeout ends it with all that it has started", async () => {
  const env = markedEnv();
  const family = shellCommand("sh -c 'sleep 1000 & sleep 1000' & sleep 1000");
  await assert.rejects(
    failAfter(100, () => runProcess(family, { env })),
    TimeoutError,
  );
  assert.deepEqual(marked(env), []);
  const deaf = shellCommand("trap '' TERM; while :; do sleep 0.05; done");
  let start = 0;
  await taskGroup(async (group) => {
    group.startSoon(() => runProcess(deaf, { env, graceMs: 200 }));
    // The shell and what it sleeps with: it ignores SIGTERM by now.
    while (marked(env).length < 2) await sleep(5);
    start = now();
    group.cancel();
  });
  assert.ok(now() - start >= 190);
  assert.deepEqual(marked(env), []);
  assert.deepEqual(zombies(), []);
});

hostTest(
  "runProcess: what is left running is ended when nothing comes from it; until then its output counts",
  async () => {
    const env = markedEnv();
    const script = "(sleep 0.1; echo late; sleep 1000) & echo early";
    const { stdoutText } = await runProcess(shellCommand(script), { env });
    assert.equal(stdoutText, "early\nlate\n");
    assert.deepEqual(marked(env), []);
  },
);

hostTest("runProcess: a program that closes its outputs and goes on is waited for", async () => {
  const start = now();
  const quiet = shellCommand("echo out; exec >&- 2>&-; sleep 0.3; exit 3");
  const { exit, stdoutText } = await runProcess(quiet, { check: false });
  assert.deepEqual([exit, stdoutText], [{ code: 3 }, "out\n"]);
  assert.ok(now() - start >= 290);
});

hostTest(
  "runProcess: a program that closes its input and goes on is no error, however much was to come",
  async () => {
    const { stdoutText } = await runProcess(shellCommand("exec <&-; sleep 0.1; echo done"), {
      input: new Uint8Array(5_000_000),
    });
    assert.equal(stdoutText, "done\n");
  },
);

test("runProcess: says what is wrong with a call", async () => {
  const cases: readonly [unknown, RegExp][] = [
    [{ input: 1 }, /\(\{ input \}\): got 1, needs a string, a Uint8Array/],
    [{ input: null }, /\(\{ input \}\): got null/],
    [{ input: ["a"] }, /\(\{ input \}\): got an object of Array/],
    [{ input: "a", stdin: "inherit" }, /got both/],
    [{ stdin: "pipe" }, /got "pipe", to which nobody could write/],
    [{ check: "no" }, /\(\{ check \}\): got "no"/],
    [{ outputBytesMax: -1 }, /\(\{ outputBytesMax \}\): got -1/],
    [{ outputBytesMax: 1.5 }, /\(\{ outputBytesMax \}\): got 1.5/],
    [{ cwd: 1 }, /runProcess\(\{ cwd \}\): got 1/],
    [{ graceMs: -5 }, /runProcess\(\{ graceMs \}\): got -5/],
    [
      { maxBuffer: 1 },
      /runProcess\(\{ maxBuffer \}\): there is no such option; use outputBytesMax/,
    ],
    [{ shell: true }, /runProcess\(\{ shell \}\): there is no such option; use shellCommand/],
    [{ timeoutMs: 1 }, /\(\{ timeoutMs \}\): there is no such option; use a scope .*failAfter/],
    [{ inputs: "" }, /there are cwd, .*, input, check, outputBytesMax$/],
    [null, /got null, needs an object/],
  ];
  for (const [options, message] of cases) {
    await assert.rejects(runProcess(["true"], options as RunProcessOptions), (error) => {
      assert.ok(error instanceof TypeError || error instanceof RangeError);
      assert.match(error.message, message);
      return true;
    });
  }
  await assert.rejects(
    runProcess("ls" as unknown as Command),
    /runProcess: got "ls", .*runProcess\(shellCommand/,
  );
});
