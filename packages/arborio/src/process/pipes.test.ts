/** The pipes to processes: much through them, in their own time, and what happens when one side goes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  BrokenResourceError,
  ClosedResourceError,
  EndOfStream,
  moveOnAfter,
  run,
  sleep,
  taskGroup,
} from "../index.ts";
import { openProcess, runProcess, shellCommand } from "../process.ts";
import { encode, marked, markedEnv, residentBytes, textOf } from "./processes.test.kit.ts";

const TEST_MS_MAX = 60_000;
const MB = 1_000_000;
const LARGE_BYTES = 100 * MB;
/** More than any runtime leaves to its garbage collector, to see that it is not held. */
const HUGE_BYTES = 400 * MB;
/** Room for garbage that nobody has collected yet. */
const MEMORY_BYTES_MAX = 200 * MB;

function hostTest(title: string, body: () => Promise<void>): void {
  test(title, { timeout: TEST_MS_MAX }, () => run(body));
}

hostTest("ChildProcess.stdout: 400 MB come whole, and are not held in memory", async () => {
  await using child = await openProcess(["head", "-c", String(HUGE_BYTES), "/dev/zero"]);
  const before = residentBytes();
  let count = 0;
  let most = 0;
  for await (const chunk of child.stdout) {
    count += chunk.length;
    most = Math.max(most, residentBytes() - before);
  }
  assert.equal(count, HUGE_BYTES);
  assert.ok(most < MEMORY_BYTES_MAX, `${most} bytes more`);
  assert.deepEqual(await child.wait(), { code: 0 });
});

hostTest("ChildProcess: 100 MB go in and come out again, each byte in its place", async () => {
  await using child = await openProcess(["cat"], { stdin: "pipe" });
  const piece = new Uint8Array(MB).map((_, index) => index % 251);
  let count = 0;
  await taskGroup((group) => {
    group.startSoon(async () => {
      for (let sent = 0; sent < LARGE_BYTES; sent += MB) await child.stdin.send(piece);
      child.stdin.close();
    });
    group.startSoon(async () => {
      for await (const chunk of child.stdout) {
        // The first and the last of each chunk: all would take long.
        for (const at of [0, chunk.length - 1])
          assert.equal(chunk[at], ((count + at) % MB) % 251, `at ${count + at}`);
        count += chunk.length;
      }
    });
  });
  assert.equal(count, LARGE_BYTES);
});

hostTest(
  "ChildProcess.stdout: what nobody receives makes the process wait, also when its parent has ended",
  async () => {
    const env = markedEnv();
    await using child = await openProcess(
      shellCommand(
        'head -c 10 /dev/zero; head -c "$1" /dev/zero & sleep 0.2; exit 3',
        String(LARGE_BYTES),
      ),
      { env },
    );
    assert.deepEqual(await child.wait(), { code: 3 });
    // Long enough to read it all, if anything did.
    await sleep(1000);
    assert.equal(marked(env).length, 1, "it still waits for somebody to read");
    let count = 0;
    for await (const chunk of child.stdout) count += chunk.length;
    assert.equal(count, LARGE_BYTES + 10);
  },
);

hostTest(
  "ChildProcess.stdout: can be read after the end; then EndOfStream, again and again",
  async () => {
    await using child = await openProcess(shellCommand("echo one; echo two"));
    await child.wait();
    await sleep(20);
    assert.equal(await textOf(child.stdout), "one\ntwo\n");
    await assert.rejects(child.stdout.receive(), EndOfStream);
    await assert.rejects(child.stdout.receiveInto(new Uint8Array(1)), EndOfStream);
  },
);

hostTest("ChildProcess.stdout: chunks are the receiver's own, with their memory", async () => {
  await using child = await openProcess(["head", "-c", "300000", "/dev/zero"]);
  let count = 0;
  for await (const chunk of child.stdout) {
    assert.equal(chunk.constructor, Uint8Array);
    const { byteLength } = structuredClone(chunk, { transfer: [chunk.buffer] });
    count += byteLength;
  }
  assert.equal(count, 300_000);
});

hostTest("ChildProcess.stdout: a cancelled receive lost nothing", async () => {
  await using child = await openProcess(
    shellCommand("for i in 1 2 3 4 5 6 7 8 9; do echo $i; sleep 0.01; done"),
  );
  let text = "";
  for (let round = 0; !text.includes("9"); round++) {
    await moveOnAfter(round % 7, async () => {
      text += new TextDecoder().decode(await child.stdout.receive(1));
    });
  }
  assert.equal(text, "1\n2\n3\n4\n5\n6\n7\n8\n9");
});

hostTest("ChildProcess.stdout: closed, it makes the process that writes on end", async () => {
  await using child = await openProcess(["yes"], { stderr: "ignore" });
  await child.stdout.receive();
  child.stdout.close();
  // By the signal, or, where that is ignored or the pipe was reset, because of the error.
  const { code, signal } = await child.wait();
  assert.ok(signal === "SIGPIPE" || code === 1, `${signal} ${code}`);
});

hostTest(
  "ChildProcess.stdin: a process that reads no more makes send fail, and nothing else",
  async () => {
    await using child = await openProcess(shellCommand("exec <&-; echo ready; sleep 0.3; exit 3"), {
      stdin: "pipe",
    });
    await child.stdout.receive();
    await assert.rejects(child.stdin.send(encode("hello")), (error) => {
      assert.ok(error instanceof BrokenResourceError);
      assert.match(error.message, /process\.stdin\.send: write to the process: .*EPIPE/);
      return true;
    });
    await assert.rejects(child.stdin.send(encode("hello")), BrokenResourceError);
    child.stdin.close();
    assert.deepEqual(await child.wait(), { code: 3 });
  },
);

hostTest("ChildProcess.stdin: a send that waits fails when the process ends", async () => {
  await using child = await openProcess(["sleep", "0.1"], { stdin: "pipe" });
  await assert.rejects(child.stdin.send(new Uint8Array(10 * MB)), BrokenResourceError);
  assert.deepEqual(await child.wait(), { code: 0 });
  await assert.rejects(child.stdin.send(new Uint8Array(1)), BrokenResourceError);
});

hostTest(
  "ChildProcess.stdin: a send that waits fails when the process is killed, and when it is disposed of here",
  async () => {
    for (const end of ["kill", "dispose"] as const) {
      await taskGroup(async (group) => {
        await using child = await openProcess(["sleep", "1000"], { stdin: "pipe" });
        const sending = group.startSoon(() =>
          assert.rejects(
            child.stdin.send(new Uint8Array(10 * MB)),
            end === "kill" ? BrokenResourceError : ClosedResourceError,
          ),
        );
        await sleep(20);
        if (end === "dispose") return;
        child.kill();
        assert.deepEqual(await child.wait(), { signal: "SIGKILL" });
        await sending.wait();
      });
    }
  },
);

hostTest(
  "ChildProcess.stdin: send waits until the process has room; what was sent before close arrives",
  async () => {
    await using child = await openProcess(shellCommand("read line; wc -c"), { stdin: "pipe" });
    let sent = false;
    await moveOnAfter(100, async () => {
      await child.stdin.send(new Uint8Array(MB));
      sent = true;
    });
    assert.equal(sent, false);
    await assert.rejects(child.stdin.send(new Uint8Array(1)), BrokenResourceError);
    await using other = await openProcess(shellCommand("sleep 0.1; wc -c"), { stdin: "pipe" });
    await other.stdin.send(new Uint8Array(1000));
    await other.stdin.send(new Uint8Array(MB));
    other.stdin.close();
    assert.equal((await textOf(other.stdout)).trim(), String(MB + 1000));
  },
);

hostTest("runProcess: collects 100 MB if it may", async () => {
  const { stdout } = await runProcess(["head", "-c", String(LARGE_BYTES), "/dev/zero"], {
    outputBytesMax: LARGE_BYTES,
  });
  assert.equal(stdout.length, LARGE_BYTES);
});
