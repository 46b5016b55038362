/** What holds for processes on every backend, the simulator included, where programs of the same names stand for the real ones. */
import assert from "node:assert/strict";
import process from "node:process";
import nodeTest from "node:test";
import {
  BrokenResourceError,
  EndOfStream,
  moveOnAfter,
  run,
  sleep,
  SystemError,
  taskGroup,
} from "../index.ts";
import {
  type ChildProcess,
  openProcess,
  OutputLimitError,
  ProcessFailedError,
  runProcess,
  standardInput,
  standardOutput,
} from "../process.ts";
import { Path } from "../fs.ts";
import { simulatedWorld, type SimulatedProgram, simulator } from "../sim.ts";
import { assertCheckpoints, cancelEverywhere } from "../testing.ts";
import { encode, textOf } from "./processes.test.kit.ts";

const TEST_MS_MAX = 30_000;

const programs: Readonly<Record<string, SimulatedProgram>> = {
  true: () => {},
  false: () => 1,
  async cat() {
    const output = standardOutput();
    for await (const chunk of standardInput()) await output.send(chunk);
  },
  async sleep({ command: [, seconds] }) {
    await sleep(Number(seconds) * 1000);
  },
  async yes() {
    const output = standardOutput();
    for (;;) await output.send(encode("y\n".repeat(1000)));
  },
  async env({ env }) {
    const lines = Object.entries(env).map(([name, value]) => `${name}=${value}\n`);
    await standardOutput().send(encode(lines.join("")));
  },
  async pwd({ cwd }) {
    await standardOutput().send(encode(`${cwd}\n`));
  },
};

function contractTest(title: string, body: () => Promise<void>): void {
  nodeTest(`${title}, on the host`, { timeout: TEST_MS_MAX }, () => run(body));
  nodeTest(`${title}, simulated`, { timeout: TEST_MS_MAX }, async () => {
    for (const seed of [1, 2, 3]) {
      const backend = simulator({ seed });
      await run(
        async () => {
          const { localhost } = simulatedWorld();
          for (const [name, program] of Object.entries(programs)) localhost.program(name, program);
          await body();
          assert.deepEqual(localhost.processes, []);
        },
        { backend },
      );
    }
  });
}

contractTest("openProcess: bytes go in and come out, then the end, and the exit", async () => {
  await using child = await openProcess(["cat"], { stdin: "pipe" });
  assert.ok(child.pid > 0);
  let text = "";
  await taskGroup((group) => {
    group.startSoon(async () => {
      for (const piece of ["a", "b".repeat(200_000), "c"]) await child.stdin.send(encode(piece));
      child.stdin.close();
    });
    group.startSoon(async () => {
      text = await textOf(child.stdout);
    });
  });
  assert.equal(text, `a${"b".repeat(200_000)}c`);
  assert.deepEqual(await child.wait(), { code: 0 });
  await assert.rejects(child.stdout.receive(), EndOfStream);
  await assert.rejects(child.stdin.send(encode("x")), /closed/);
});

contractTest("openProcess: what is missing is told", async () => {
  const codeOf = async (opening: Promise<unknown>): Promise<string> => {
    try {
      await opening;
      return "started";
    } catch (error) {
      assert.ok(error instanceof SystemError);
      return `${error.systemCode} ${error.message}`;
    }
  };
  assert.equal(
    await codeOf(openProcess(["no-such-program"])),
    'ENOENT start "no-such-program": there is no such program (ENOENT)',
  );
  assert.equal(
    await codeOf(openProcess(["true"], { cwd: "/no/such/directory" })),
    'ENOENT start "true" in "/no/such/directory": no such file or directory (ENOENT)',
  );
  assert.equal(
    await codeOf(openProcess(["true"], { stdin: 12_345 })),
    'EBADF start "true": a descriptor for one of its streams is not open (EBADF)',
  );
});

contractTest("openProcess: environment and directory", async () => {
  const said = async (command: "env" | "pwd", options: object): Promise<string> =>
    (await runProcess([command], options)).stdoutText;
  const whole = { clearEnv: true, env: { PATH: process.env["PATH"], A: "b" } };
  const lines = (await said("env", whole)).trim().split("\n").sort();
  assert.deepEqual(lines, ["A=b", `PATH=${process.env["PATH"]}`]);
  assert.match(await said("env", { env: { A: "c", B: undefined } }), /^A=c$/m);
  for (const cwd of ["/tmp", new URL("file:///tmp"), new Path("/tmp")])
    assert.equal(await said("pwd", { cwd }), "/tmp\n");
});

contractTest("ChildProcess: signals end it, and are told from exit codes", async () => {
  for (const signal of ["SIGTERM", "SIGKILL", "SIGUSR1", "SIGHUP"]) {
    await using child = await openProcess(["sleep", "1000"]);
    child.sendSignal("SIGCONT");
    assert.throws(() => child.sendSignal("SIGNOTHING"), RangeError);
    await sleep(20);
    assert.equal(child.exit, undefined);
    child.sendSignal(signal);
    assert.deepEqual(await child.wait(), { signal });
    child.sendSignal(signal);
  }
  await using failing = await openProcess(["false"]);
  assert.deepEqual(await failing.wait(), { code: 1 });
  await assertCheckpoints(() => failing.wait());
});

contractTest("ChildProcess: is ended at the end of its block, also by cancellation", async () => {
  const children: ChildProcess[] = [];
  {
    await using child = await openProcess(["sleep", "1000"]);
    children.push(child);
  }
  await moveOnAfter(200, async () => {
    await using child = await openProcess(["sleep", "1000"]);
    children.push(child);
    await child.wait();
  });
  assert.deepEqual(
    children.map(({ exit }) => exit),
    [{ signal: "SIGTERM" }, { signal: "SIGTERM" }],
  );
});

contractTest("ChildProcess.stdin: who reads no more breaks it", async () => {
  await using child = await openProcess(["true"], { stdin: "pipe" });
  await child.wait();
  await sleep(20);
  await assert.rejects(child.stdin.send(encode("x")), BrokenResourceError);
  await using other = await openProcess(["sleep", "0.1"], { stdin: "pipe" });
  await assert.rejects(other.stdin.send(new Uint8Array(10_000_000)), BrokenResourceError);
});

contractTest("ChildProcess.stdout: who is not read waits; closed, it ends who writes", async () => {
  await using child = await openProcess(["yes"], { stderr: "ignore" });
  await child.stdout.receive();
  await sleep(50);
  assert.equal(child.exit, undefined);
  child.stdout.close();
  assert.notDeepEqual(await child.wait(), { code: 0 });
});

contractTest("runProcess: gives, takes, checks, limits", async () => {
  const { stdoutText, exit } = await runProcess(["cat"], { input: "hello" });
  assert.deepEqual([stdoutText, exit], ["hello", { code: 0 }]);
  await assert.rejects(runProcess(["false"]), ProcessFailedError);
  assert.deepEqual((await runProcess(["false"], { check: false })).exit, { code: 1 });
  await assert.rejects(runProcess(["yes"], { outputBytesMax: 10_000 }), OutputLimitError);
  assert.deepEqual((await runProcess(["true"], { input: new Uint8Array(1_000_000) })).exit, {
    code: 0,
  });
  await moveOnAfter(50, () => runProcess(["sleep", "1000"]));
});

contractTest("openProcess, runProcess: cancelled at each checkpoint, nothing is left", async () => {
  await cancelEverywhere(async () => {
    await using child = await openProcess(["cat"], { stdin: "pipe" });
    await child.stdin.send(encode("hello"));
    assert.equal(new TextDecoder().decode(await child.stdout.receive(1)), "h");
    child.stdin.close();
    await child.wait();
    await child.stop();
    await runProcess(["cat"], { input: "text" });
  });
});
