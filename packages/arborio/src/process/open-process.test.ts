import assert from "node:assert/strict";
import {
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, test } from "node:test";
import { pathToFileURL } from "node:url";
import {
  InvalidStateError,
  NotSupportedError,
  run,
  sleep,
  SystemError,
  taskGroup,
} from "../index.ts";
import type { Backend } from "../lowlevel.ts";
import { type Command, openProcess, type OpenProcessOptions, shellCommand } from "../process.ts";
import { simulator } from "../sim.ts";
import { assertCheckpoints } from "../testing.ts";
import {
  encode,
  marked,
  markedEnv,
  statOf,
  textOf,
  untilSaid,
  zombies,
} from "./processes.test.kit.ts";

const TEST_MS_MAX = 30_000;
const folder = realpathSync(mkdtempSync(join(tmpdir(), "arborio process ")));
after(() => rmSync(folder, { recursive: true }));

function hostTest(title: string, body: () => Promise<void>): void {
  test(title, { timeout: TEST_MS_MAX }, () => run(body));
}

hostTest(
  "openProcess: what is sent to its input is read, what it writes is received, then it has ended",
  async () => {
    await using child = await openProcess(["tr", "a-z", "A-Z"], { stdin: "pipe" });
    assert.deepEqual(child.command, ["tr", "a-z", "A-Z"]);
    assert.ok(statOf(child.pid) !== undefined);
    assert.equal(child.exit, undefined);
    await child.stdin.send(encode("hello, "));
    await child.stdin.send(encode("world"));
    child.stdin.close();
    assert.equal(await textOf(child.stdout), "HELLO, WORLD");
    assert.deepEqual(await child.wait(), { code: 0 });
    assert.deepEqual(child.exit, { code: 0 });
    assert.equal(statOf(child.pid), undefined);
  },
);

hostTest("ChildProcess.wait: tells exit codes from signals", async () => {
  for (const code of [0, 1, 255]) {
    await using child = await openProcess(shellCommand('exit "$1"', String(code)));
    assert.deepEqual(await child.wait(), { code });
  }
  for (const signal of ["SIGKILL", "SIGTERM", "SIGSEGV", "SIGUSR1"]) {
    await using child = await openProcess(shellCommand('kill -s "$1" $$', signal.slice(3)));
    assert.deepEqual(await child.wait(), { signal });
  }
});

hostTest(
  "ChildProcess.wait: for several tasks, again after the end, and without what holds the pipes",
  async () => {
    await using child = await openProcess(shellCommand("sleep 1000 & read line; exit 3"), {
      stdin: "pipe",
    });
    const exits: unknown[] = [];
    await taskGroup(async (group) => {
      for (let task = 0; task < 3; task++)
        group.startSoon(async () => void exits.push(await child.wait()));
      await sleep(1);
      child.stdin.close();
    });
    assert.deepEqual(exits, [{ code: 3 }, { code: 3 }, { code: 3 }]);
    await assertCheckpoints(() => child.wait());
  },
);

hostTest("openProcess: the error says why nothing was started", async () => {
  const script = join(folder, "not-executable");
  closeSync(openSync(script, "w", 0o644));
  const missing = join(folder, "missing");
  const orphan = join(folder, "orphan");
  writeFileSync(orphan, "#!/no/such/interpreter\n", { mode: 0o755 });
  const cases: readonly [Command, OpenProcessOptions, string, string][] = [
    [
      ["no-such-program"],
      {},
      "ENOENT",
      'start "no-such-program": there is no such program (ENOENT)',
    ],
    [
      [missing],
      {},
      "ENOENT",
      `start ${JSON.stringify(missing)}: there is no such program (ENOENT)`,
    ],
    [
      [script],
      {},
      "EACCES",
      `start ${JSON.stringify(script)}: this user may not run it, or it is no program (EACCES)`,
    ],
    [
      [orphan],
      {},
      "ENOENT",
      `start ${JSON.stringify(orphan)}: the interpreter that it names, or its loader, does not exist (ENOENT)`,
    ],
    [
      ["./orphan"],
      { cwd: folder },
      "ENOENT",
      'start "./orphan": the interpreter that it names, or its loader, does not exist (ENOENT)',
    ],
    [
      ["true"],
      { cwd: missing },
      "ENOENT",
      `start "true" in ${JSON.stringify(missing)}: no such file or directory (ENOENT)`,
    ],
    [
      ["true"],
      { cwd: script },
      "ENOTDIR",
      `start "true" in ${JSON.stringify(script)}: a part of the path is not a directory (ENOTDIR)`,
    ],
    [
      ["true", "x".repeat(300_000)],
      {},
      "E2BIG",
      'start "true": the arguments and the environment are too large together (E2BIG)',
    ],
  ];
  for (const [command, options, systemCode, message] of cases) {
    for (const streams of [{}, { stdin: "pipe", stderr: "pipe" }] as const) {
      await assert.rejects(openProcess(command, { ...options, ...streams }), (error) => {
        assert.ok(error instanceof SystemError);
        assert.deepEqual([error.systemCode, error.message], [systemCode, message]);
        return true;
      });
    }
  }
  assert.deepEqual(zombies(), []);
});

test("openProcess: says what is wrong with a call", async () => {
  const wrong = (command: unknown, options: unknown = {}): Promise<unknown> =>
    openProcess(command as Command, options as OpenProcessOptions);
  const cases: readonly [unknown, unknown, RegExp][] = [
    ["ls -l", {}, /got "ls -l", needs an array .*openProcess\(shellCommand\("…"\)\)/],
    [undefined, {}, /got undefined, needs an array/],
    [[], {}, /got a command without a program/],
    [["", "x"], {}, /got a command without a program/],
    [["ls", 1], {}, /got 1 at 1 of the command/],
    [["ls", "a\0b"], {}, /a part of the command: got "a\\u0000b", which contains a zero byte/],
    [["ls"], null, /got null, needs an object/],
    [["ls"], { cwd: 1 }, /\(\{ cwd \}\): got 1/],
    [["ls"], { cwd: "" }, /\(\{ cwd \}\): got ""/],
    [["ls"], { cwd: "a\0" }, /zero byte/],
    [["ls"], { cwd: new URL("http://host/") }, /needs a file: URL/],
    [["ls"], { cwd: new URL("file:///a%2fb") }, /a name contains "\/"/],
    [["ls"], { env: { A: 1 } }, /\(\{ env: \{ A \} \}\): got 1/],
    [["ls"], { env: { "A=B": "" } }, /cannot be empty or contain "="/],
    [["ls"], { env: { A: "\0" } }, /zero byte/],
    [["ls"], { env: null }, /\(\{ env \}\): got null/],
    [["ls"], { clearEnv: 1 }, /\(\{ clearEnv \}\): got 1/],
    [["ls"], { stdin: "none" }, /\(\{ stdin \}\): got "none", needs "pipe"/],
    [["ls"], { stdout: -1 }, /\(\{ stdout \}\): got -1/],
    [["ls"], { stderr: 1.5 }, /\(\{ stderr \}\): got 1.5/],
    [["ls"], { group: "none" }, /\(\{ group \}\): got "none", needs "own" or "inherit"/],
    [["ls"], { graceMs: "1" }, /\(\{ graceMs \}\): got "1"/],
    [["ls"], { graceMs: Number.NaN }, /\(\{ graceMs \}\): got NaN/],
    [["ls"], { graceMs: -1 }, /\(\{ graceMs \}\): got -1, needs at least 0 milliseconds/],
    [["ls", "\uD83D"], {}, /which contains half a character, a lone surrogate/],
    [["ls"], { env: { A: "\uDE00" } }, /which contains half a character/],
    [["ls"], { cwd: "/\uD83D" }, /which contains half a character/],
  ];
  for (const [command, options, message] of cases) {
    await assert.rejects(wrong(command, options), (error) => {
      assert.ok(error instanceof TypeError || error instanceof RangeError);
      assert.match(error.message, message);
      return true;
    });
  }
  assert.throws(() => shellCommand(1 as unknown as string), TypeError);
  assert.throws(() => shellCommand("ls", 1 as unknown as string), TypeError);
  const backend = { ...simulator().createBackend(), processes: undefined } as unknown as Backend;
  await run(() => assert.rejects(openProcess(["ls"]), NotSupportedError), { backend });
});

test("openProcess, ChildProcess.stop: an option that does not exist is refused, and what is known from elsewhere is named", async () => {
  const cases: readonly [object, string][] = [
    [
      { shell: true },
      '({ shell }): there is no such option; use shellCommand("a line of the shell", ...args) as the command',
    ],
    [
      { timeout: 1000 },
      "({ timeout }): there is no such option; use a scope around the call, such as failAfter(5000, () => runProcess(…))",
    ],
    [
      { stdio: "inherit" },
      "({ stdio }): there is no such option; use stdin, stdout and stderr, each by itself",
    ],
    [
      { signal: AbortSignal.abort() },
      "({ signal }): there is no such option; use a scope: withSignal(signal, () => …)",
    ],
    [
      { check: true },
      "({ check }): there is no such option; use runProcess, or look at the code that process.wait() returns",
    ],
    [
      { CWD: "/" },
      "({ CWD }): there is no such option; there are cwd, env, clearEnv, group, graceMs, stdin, stdout, stderr",
    ],
  ];
  for (const [options, message] of cases) {
    await assert.rejects(openProcess(["ls"], options), {
      name: "TypeError",
      message: `openProcess${message}`,
    });
  }
  await using child = await openProcess(["true"], { shell: undefined } as object);
  await assert.rejects(child.stop({ timeout: 1 } as object), /stop\(\{ timeout \}\): there is no/);
  await assert.rejects(child.stop({ graceMs: -1 }), RangeError);
  await assert.rejects(child.stop(1000 as never), TypeError);
});

hostTest("openProcess: the environment is inherited, added to, taken from, or whole", async () => {
  const variable = "ARBORIO_TEST_VARIABLE";
  process.env[variable] = "inherited";
  const print = ["/bin/sh", "-c", `echo "$${variable}-$HOME-$ADDED"`] as const;
  const home = process.env["HOME"] ?? "";
  const said = async (options: OpenProcessOptions): Promise<string> => {
    await using child = await openProcess(print, options);
    return (await textOf(child.stdout)).trim();
  };
  assert.equal(await said({}), `inherited-${home}-`);
  assert.equal(await said({ env: { ADDED: "a ü" } }), `inherited-${home}-a ü`);
  assert.equal(await said({ env: { [variable]: "other" } }), `other-${home}-`);
  assert.equal(await said({ env: { [variable]: undefined } }), `-${home}-`);
  assert.equal(await said({ clearEnv: true, env: { ADDED: "a", HOME: undefined } }), "--a");
  assert.equal(await said({ clearEnv: true }), "--");
  delete process.env[variable];
});

hostTest("openProcess: works in cwd, a path or a URL", async () => {
  for (const cwd of [folder, pathToFileURL(folder)]) {
    await using child = await openProcess(["pwd"], { cwd });
    assert.equal((await textOf(child.stdout)).trim(), folder);
  }
});

hostTest("openProcess: arguments arrive as they are, also through shellCommand", async () => {
  const args = ["a b", "$HOME", "\"'\\", "", "*", "ü\n"];
  for (const command of [
    ["printf", "%s|", ...args],
    shellCommand('printf "%s|" "$@"', ...args),
  ] as const) {
    await using child = await openProcess(command);
    assert.equal(await textOf(child.stdout), `${args.join("|")}|`);
  }
});

hostTest(
  "openProcess: streams may be descriptors, or nothing; what is no pipe has no stream",
  async () => {
    const path = join(folder, "output");
    const descriptor = openSync(path, "w+");
    {
      await using child = await openProcess(shellCommand("echo out; echo err >&2"), {
        stdout: descriptor,
        stderr: descriptor,
      });
      assert.deepEqual(await child.wait(), { code: 0 });
      for (const name of ["stdin", "stdout", "stderr"] as const)
        assert.throws(() => child[name], InvalidStateError);
    }
    assert.equal(readFileSync(path, "utf8"), "out\nerr\n");
    closeSync(descriptor);
    const input = openSync(path, "r");
    {
      await using child = await openProcess(["cat"], { stdin: input, stderr: "ignore" });
      closeSync(input);
      assert.equal(await textOf(child.stdout), "out\nerr\n");
    }
    {
      await using child = await openProcess(["cat"], { stdout: "ignore" });
      assert.deepEqual(await child.wait(), { code: 0 });
    }
    {
      await using child = await openProcess(shellCommand("echo out; echo err >&2"), {
        stderr: "pipe",
      });
      assert.equal(await textOf(child.stderr), "err\n");
      assert.equal(await textOf(child.stdout), "out\n");
    }
  },
);

hostTest(
  "openProcess: leads a group of its own, unless it shares this one's or its input",
  async () => {
    const groupOf = async (options: OpenProcessOptions): Promise<unknown> => {
      await using child = await openProcess(["sleep", "1000"], { stdout: "ignore", ...options });
      const group = statOf(child.pid)?.group;
      return group === child.pid ? "own" : group === statOf(process.pid)?.group ? "ours" : group;
    };
    assert.equal(await groupOf({}), "own");
    assert.equal(await groupOf({ group: "inherit" }), "ours");
    assert.equal(await groupOf({ stdin: "inherit" }), "ours");
    assert.equal(await groupOf({ stdin: "inherit", group: "own" }), "own");
  },
);

hostTest(
  "ChildProcess.sendSignal: to the process alone, and without effect after its end",
  async () => {
    const env = markedEnv();
    await using child = await openProcess(
      shellCommand(
        "trap 'echo hup' HUP; sh -c 'trap \"echo no\" HUP; echo ready; while :; do sleep 0.01; done' & while :; do sleep 0.01; done",
      ),
      { env },
    );
    await untilSaid(child.stdout, "ready");
    child.sendSignal("SIGHUP");
    assert.equal(await untilSaid(child.stdout, "\n"), "hup\n");
    assert.throws(() => child.sendSignal("SIGNOTHING"), RangeError);
    assert.throws(() => child.sendSignal("toString"), RangeError);
    assert.throws(() => child.sendSignal(1 as unknown as string), TypeError);
    child.sendSignal("SIGKILL");
    assert.deepEqual(await child.wait(), { signal: "SIGKILL" });
    assert.ok(marked(env).length > 0, "the other process of the group lives on");
    child.sendSignal("SIGTERM");
    assert.throws(() => child.sendSignal("SIGNOTHING"), RangeError);
    await child.stop();
    assert.deepEqual(marked(env), []);
    child.terminate();
    child.kill();
  },
);
