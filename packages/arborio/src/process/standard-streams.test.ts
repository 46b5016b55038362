/**
 * The standard streams of real processes. The programs are in this file too: it starts itself with the name of one, on the
 * runtime that runs the tests, in a shell that says what its streams are.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import {
  BrokenResourceError,
  BusyResourceError,
  ClosedResourceError,
  EndOfStream,
  moveOnAfter,
  NotSupportedError,
  run,
  sleep,
  SystemError,
  taskGroup,
} from "../index.ts";
import { standardError, standardInput, standardOutput } from "../process.ts";
import { simulator } from "../sim.ts";

const PROGRAM = "ARBORIO_TEST_PROGRAM";
/** A program that has not ended by then hangs. */
const PROGRAM_S_MAX = "20";
/** More than any pipe holds. */
const LARGE_BYTES = 2_000_000;

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
/** To the parent, whatever standard output is. */
const say = (text: string): void => console.error(text);

const programs: Readonly<Record<string, () => Promise<void>>> = {
  copy: () =>
    run(async () => {
      const output = standardOutput();
      for await (const chunk of standardInput()) await output.send(chunk);
      say("copied");
    }),
  /** Ends though its input is open: nobody reads any more. */
  inParts: () =>
    run(async () => {
      using first = standardInput();
      say(decode(await first.receive(3)));
      using second = standardInput();
      const view = new Uint8Array(5);
      say(decode(view.subarray(0, await second.receiveInto(view))));
      await moveOnAfter(20, () => second.receive());
      const waiting = assert.rejects(first.receive(), ClosedResourceError);
      await sleep(5);
      first.close();
      await waiting;
      say("no more");
    }),
  neverRead: () =>
    run(async () => {
      const input = standardInput();
      await sleep(5);
      input.close();
    }),
  async outsideOfRun() {
    say(decode(await standardInput().receive()));
  },
  /** Cancels all the time; still gets everything, in order. */
  impatient: () =>
    run(async () => {
      using input = standardInput();
      let got = 0;
      let cancelled = 0;
      let ended = false;
      for (let round = 0; !ended; round++) {
        await moveOnAfter(round % 3, async (scope) => {
          try {
            for (const byte of await input.receive(1000)) assert.equal(byte, got++ % 251);
          } catch (error) {
            if (!(error instanceof EndOfStream)) throw error;
            ended = true;
          }
          if (scope.cancelCalled) cancelled += 1;
        });
      }
      say(cancelled > 0 ? `got ${got}` : "never cancelled");
    }),
  busy: () =>
    run(async () => {
      const [one, two] = [standardInput(), standardInput()];
      const waiting = one.receive();
      await assert.rejects(two.receive(), BusyResourceError);
      assert.equal(decode(await waiting), "in");
      await assert.rejects(two.receive(), EndOfStream);
      await assert.rejects(two.receive(), EndOfStream);
      for await (const chunk of one) assert.fail(decode(chunk));
      say("ended");
    }),
  /** What is left of the process's own stream when it was borrowed. */
  givesBack: () =>
    run(async () => {
      const listeners = (): string =>
        ["data", "end", "close"].map((event) => process.stdin.listenerCount(event)).join(" ");
      const before = listeners();
      using input = standardInput();
      say(decode(await input.receive(1)));
      for (let round = 0; round < 3; round++) await moveOnAfter(20, () => input.receive());
      await sleep(5);
      assert.equal(listeners(), before);
      say(`paused: ${process.stdin.isPaused()}`);
    }),
  unreadable: () =>
    run(() =>
      standardInput()
        .receive()
        .then(
          (bytes) => say(`got ${bytes.length}`),
          (error: Error) => say(error.name),
        ),
    ),
  /** While it waits for the slow reader, other tasks go on. */
  large: () =>
    run(async () => {
      let ticks = 0;
      await taskGroup((group) => {
        group.startSoon(
          async () => {
            for (;;) {
              await sleep(5);
              ticks += 1;
            }
          },
          { daemon: true },
        );
        group.startSoon(() => standardOutput().send(new Uint8Array(LARGE_BYTES).fill(97)));
      });
      say(ticks >= 10 ? "ticked" : `only ${ticks} ticks`);
      console.log("last");
    }),
  brokenPipe: () =>
    run(async () => {
      const output = standardOutput();
      await untilBroken(output);
      await assert.rejects(output.send(encode("x")), BrokenResourceError);
      await assert.rejects(standardOutput().send(encode("x")), BrokenResourceError);
      await sleep(20);
      say("alive");
    }),
  full: () =>
    run(async () => {
      await untilBroken(standardOutput());
      await sleep(20);
      say("alive");
    }),
  closing: () =>
    run(async () => {
      const output = standardOutput();
      await output.send(encode("sent, "));
      output.close();
      output.close();
      await assert.rejects(output.send(encode("x")), ClosedResourceError);
      console.log("printed");
      {
        await using again = standardOutput();
        await again.send(encode("sent again\n"));
      }
      await standardError().send(encode("to the error stream\n"));
    }),
  together: () =>
    run(async () => {
      await taskGroup((group) => {
        for (const letter of "abc")
          group.startSoon(() => standardOutput().send(encode(letter.repeat(LARGE_BYTES))));
      });
    }),
  cutSend: () =>
    run(async () => {
      const output = standardOutput();
      const bytes = new Uint8Array(LARGE_BYTES).fill(97);
      await moveOnAfter(20, () => output.send(bytes));
      bytes.fill(98);
      await assert.rejects(output.send(encode("x")), BrokenResourceError);
      await standardOutput().send(encode("c"));
      say("sent");
    }),
};

async function untilBroken(output: { send(bytes: Uint8Array): Promise<void> }): Promise<void> {
  const { error } = await (async (): Promise<{ error: unknown }> => {
    try {
      for (;;) await output.send(new Uint8Array(10_000));
    } catch (thrown) {
      return { error: thrown };
    }
  })();
  const { name, cause } = error as Error;
  say(`${name} ${cause instanceof SystemError ? cause.systemCode : String(cause)}`);
}

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Starts this file as one of the programs. In `shell` it is `"$0" "$@"`. Its input is open until it has ended, or has `input`. */
async function runProgram(
  name: string,
  shell = 'exec "$0" "$@"',
  input?: string | Uint8Array,
): Promise<Ended> {
  const conditions = import.meta.url.endsWith(".ts") ? ["--conditions=@arborio/source"] : [];
  const start = process.versions["deno"] === undefined ? [] : ["run", "-A", "--no-check"];
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  // Which also ends what the shell has started.
  const child = spawn(
    "timeout",
    [
      "-s",
      "KILL",
      PROGRAM_S_MAX,
      "sh",
      "-c",
      shell,
      process.execPath,
      ...start,
      ...conditions,
      fileURLToPath(import.meta.url),
    ],
    { env: { ...env, [PROGRAM]: name, NO_COLOR: "1" } },
  );
  child.stdin.on("error", () => {});
  if (input !== undefined) child.stdin.write(input);
  let out = "";
  let err = "";
  child.stdout.setEncoding("latin1").on("data", (text: string) => void (out += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    err += text;
    if (text.includes("end my input")) child.stdin.end();
  });
  return await new Promise((resolve) => {
    child.on("exit", () => child.stdin.destroy());
    child.on("close", (code) => resolve({ code, out, err: err.trim() }));
  });
}

function defineTests(): void {
  const folder = mkdtempSync(join(tmpdir(), "arborio-stdio-"));
  after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "input");
  const contents = Uint8Array.from({ length: 600_000 }, (_, index) => index % 251);
  writeFileSync(file, contents);

  test("standardInput, standardOutput: a file goes through pipes unchanged, to its end", async () => {
    const ended = await runProgram("copy", `cat '${file}' | "$0" "$@" | cat`);
    assert.deepEqual([ended.code, ended.err], [0, "copied"]);
    assert.ok(Buffer.from(ended.out, "latin1").equals(contents), `${ended.out.length} bytes`);
  });

  test("standardInput, standardOutput: files as both", async () => {
    const copied = await runProgram(
      "copy",
      `"$0" "$@" < '${file}' > '${file}.copy'; cmp '${file}' '${file}.copy'`,
    );
    assert.deepEqual(copied, { code: 0, out: "", err: "copied" });
  });

  test("standardInput: /dev/null and a closed descriptor have ended at once", async () => {
    for (const redirection of ["< /dev/null", "<&-"]) {
      const ended = await runProgram("copy", `exec "$0" "$@" ${redirection}`);
      assert.deepEqual(ended, { code: 0, out: "", err: "copied" }, redirection);
    }
  });

  test("standardInput: a terminal is read by lines, and left when nobody reads", async () => {
    const ended = await runProgram("inParts", terminal, "one, two\n");
    assert.equal(ended.code, 0, ended.err);
    assert.match(ended.out, /one\r\n, two\r\n.*no more/s);
  });

  test("standardInput: handles share the input; the program ends though the input is open", async () => {
    const ended = await runProgram("inParts", undefined, "one, two");
    assert.deepEqual(ended, { code: 0, out: "", err: "one\n, two\nno more" });
  });

  test("standardInput: opened and never read it does not keep the program alive", async () => {
    assert.deepEqual(await runProgram("neverRead"), { code: 0, out: "", err: "" });
  });

  test("standardInput: outside of run, who waits for bytes keeps the program alive", async () => {
    const ended = await runProgram("outsideOfRun", '(sleep 0.3; echo late) | "$0" "$@"');
    assert.deepEqual(ended, { code: 0, out: "", err: "late" });
    // Its input stays open, but nobody waits any more.
    const early = await runProgram("outsideOfRun", undefined, "early");
    assert.deepEqual(early, { code: 0, out: "", err: "early" });
  });

  test("standardInput: cancelled again and again, it loses nothing", async () => {
    const ended = await runProgram(
      "impatient",
      `(head -c 300000 '${file}'; sleep 0.1; tail -c +300001 '${file}') | "$0" "$@"`,
    );
    assert.deepEqual(ended, { code: 0, out: "", err: "got 600000" });
  });

  test("standardInput: one task at a time; the end stays the end", async () => {
    const ended = await runProgram("busy", 'printf in | "$0" "$@"');
    assert.deepEqual(ended, { code: 0, out: "", err: "ended" });
  });

  test("standardInput: gives the process's own stream back paused, without listeners", async () => {
    const ended = await runProgram("givesBack", undefined, "in");
    assert.deepEqual(ended, { code: 0, out: "", err: "i\npaused: true" });
  });

  test("standardInput: what cannot be read is an end or an error, and ends nothing else", async () => {
    const ended = await runProgram("unreadable", `exec "$0" "$@" < '${folder}'`);
    assert.equal(ended.code, 0, ended.err);
    assert.match(ended.err, /^(BrokenResourceError|EndOfStream)$/);
  });

  test("standardOutput: a slow reader holds up only who sends, and all comes before the program ends", async () => {
    const ended = await runProgram(
      "large",
      '"$0" "$@" | (head -c 1 > /dev/null; sleep 0.2; wc -c)',
    );
    assert.deepEqual(
      [ended.out.trim(), ended.err],
      [String(LARGE_BYTES + "last\n".length - 1), "ticked"],
    );
  });

  test("standardOutput: when nobody reads, send throws BrokenResourceError (EPIPE) and nothing else happens", async () => {
    const ended = await runProgram("brokenPipe", '"$0" "$@" | true');
    assert.equal(ended.err, "BrokenResourceError EPIPE\nalive");
  });

  test("standardOutput: an error of the system is a BrokenResourceError with its code", async () => {
    const ended = await runProgram("full", '"$0" "$@" > /dev/full');
    assert.deepEqual(ended, { code: 0, out: "", err: "BrokenResourceError ENOSPC\nalive" });
  });

  test("standardOutput: closing a handle closes neither the console nor other handles", async () => {
    const ended = await runProgram("closing");
    assert.deepEqual(ended, {
      code: 0,
      out: "sent, printed\nsent again\n",
      err: "to the error stream",
    });
  });

  test("standardOutput: what several tasks send does not mix", async () => {
    const { code, out } = await runProgram("together", '"$0" "$@" | tr -s abc');
    assert.deepEqual([code, out.split("").sort().join("")], [0, "abc"]);
  });

  test("standardOutput: a cancelled send breaks its handle only, and what goes out is not changed", async () => {
    const ended = await runProgram(
      "cutSend",
      '"$0" "$@" | (head -c 1 > /dev/null; sleep 0.2; tr -s abc)',
    );
    assert.deepEqual(ended, { code: 0, out: "ac", err: "sent" });
  });

  test("standardInput, standardOutput: on a backend without them they say so", async () => {
    await run(
      () => {
        for (const open of [standardInput, standardOutput, standardError])
          assert.throws(open, NotSupportedError);
      },
      { backend: { ...simulator().createBackend(), standardStreams: undefined } as never },
    );
  });
}

/** A new terminal, in which the program's messages come out of standard output. */
const terminal = 'exec script -qec "$0 $*" /dev/null';

const program = process.env[PROGRAM];
if (program === undefined) defineTests();
else await (programs[program] as () => Promise<void>)();
