import assert from "node:assert/strict";
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { CommandProcess, ModuleFolder } from "../testing/command.test.kit.ts";
import { assertBytes, BIG, originOf, shortly } from "../testing/downloads.test.kit.ts";
import { commandLine } from "../testing/fake-shell.test.kit.ts";
import { serving } from "../testing/origin.test.kit.ts";

for (const [signal, code] of [
  ["SIGKILL", null],
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const) {
  test(`arborio fetch: after ${signal} the same command goes on where it ended`, () => {
    const origin = originOf({ "/big.bin": BIG });
    return serving(origin.handler, async (url) => {
      using folder = new ModuleFolder();
      const args = ["fetch", "--directory", join(folder.path, "new"), `${url}big.bin`];
      origin.fault = { kind: "stall", afterBytes: 200_000 };
      const part = join(folder.path, "new", "big.bin.part");
      using command = new CommandProcess(args);
      while (!existsSync(part) || statSync(part).size < 200_000) await shortly();
      command.signal(signal);
      const ended = await command.ended();
      assert.ok(
        code === null ? ended.code === null || ended.code === 137 : ended.code === code,
        String(ended.code),
      );
      const warning = "arborio: interrupted; the same command goes on where this one has ended\n";
      assert.deepEqual([ended.out, ended.err], ["", code === null ? "" : warning]);
      assert.deepEqual(readdirSync(join(folder.path, "new")).sort(), [
        "big.bin.part",
        "big.bin.part.json",
      ]);

      origin.fault = null;
      const again = await commandLine(args);
      assert.deepEqual([again.code, again.err], [0, ""]);
      assert.match(
        again.out,
        /^big\.bin: goes on behind 200 kB\nbig\.bin: 300 kB, of which 100 kB now in .*\n$/,
      );
      const { headers } = origin.requests[1] as { headers: Headers };
      assert.equal(headers.get("range"), "bytes=200000-");
      assert.match(headers.get("if-range") ?? "", /^"300007-/);
      assertBytes(folder, "new/big.bin", BIG);
      assert.deepEqual(readdirSync(join(folder.path, "new")), ["big.bin"]);
    });
  });
}

test("arborio fetch: a file that has changed since then is begun anew; so is any with --no-resume", () => {
  const origin = originOf({ "/big.bin": BIG });
  return serving(origin.handler, async (url) => {
    for (const change of [true, false]) {
      using folder = new ModuleFolder();
      const args = ["fetch", "--retry", "0", `${url}big.bin`];
      origin.files.set("/big.bin", BIG);
      origin.fault = { kind: "break", afterBytes: 100_000 };
      const broken = await commandLine([...args, "-d", folder.path]);
      assert.equal(broken.code, 1);
      assert.match(broken.err, /^arborio: big\.bin: .*\n$/);
      origin.fault = null;
      const bytes = change ? BIG.slice(1) : BIG;
      origin.files.set("/big.bin", bytes);
      const options = change ? [] : ["--no-resume"];
      const again = await commandLine([...args, ...options, "-d", folder.path]);
      assert.deepEqual([again.code, again.err], [0, ""]);
      assertBytes(folder, "big.bin", bytes);
      assert.deepEqual(readdirSync(folder.path), ["big.bin"]);
    }
  });
});

test("arborio fetch: what breaks off, or is not available, is asked for again", () => {
  const origin = originOf({ "/big.bin": BIG });
  return serving(origin.handler, async (url) => {
    using folder = new ModuleFolder();
    origin.unavailable = 1;
    origin.fault = { kind: "break", afterBytes: 200_000 };
    const { code, err } = await commandLine(["fetch", `${url}big.bin`, "-d", folder.path]);
    assert.equal(code, 0, err);
    const again = "; it is tried again\n";
    const [first, second, ...more] = err.split(/(?<=again\n)/);
    assert.equal(first, `arborio: big.bin: the server answered 503 Service Unavailable${again}`);
    assert.ok(second?.startsWith("arborio: big.bin: ") && second.endsWith(again), err);
    assert.deepEqual(more, []);
    // What had arrived when the connection broke may be less than what was sent, or nothing.
    const ranges = origin.requests.map(({ headers }) => headers.get("range"));
    assert.match(String(ranges[2]), /^(bytes=[1-9]\d*-|null)$/);
    assert.deepEqual([ranges[0], ranges[1], ranges.length], [null, null, 3]);
    assertBytes(folder, "big.bin", BIG);
  });
});
