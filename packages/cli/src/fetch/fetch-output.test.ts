import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { test } from "node:test";
import { ModuleFolder, runCommand } from "../testing/command.test.kit.ts";
import { assertBytes, BIG, originOf, sha256, SMALL } from "../testing/downloads.test.kit.ts";
import { serving } from "../testing/origin.test.kit.ts";

test("arborio fetch --output -: the bytes alone on standard output, also when they break off", () => {
  const origin = originOf({ "/big.bin": BIG });
  return serving(origin.handler, async (url) => {
    using folder = new ModuleFolder();
    origin.fault = { kind: "break", afterBytes: 200_000 };
    const shell = '"$0" "$@" > out.bin';
    const args = ["fetch", "--checksum", `sha256:${sha256(BIG)}`, "-o", "-", `${url}big.bin`];
    const { code, err } = await runCommand(args, { cwd: folder.path, shell });
    assert.equal(code, 0, err);
    assert.match(err, /it is tried again\n(-: goes on behind .* kB\n)?-: 300 kB.* in /);
    assertBytes(folder, "out.bin", BIG);
    assert.deepEqual(readdirSync(folder.path), ["out.bin"]);
  });
});

test("arborio fetch … | head: ends quietly", () => {
  const origin = originOf({ "/big.bin": new Uint8Array(20_000_000), "/small.txt": SMALL });
  return serving(origin.handler, async (url) => {
    using folder = new ModuleFolder();
    const shell = '{ "$0" "$@"; echo "code $?" >&2; } | head -c 5 | wc -c';
    const args = ["fetch", "-o", "-", `${url}big.bin`];
    const { out, err } = await runCommand(args, { cwd: folder.path, shell });
    assert.deepEqual([out.trim(), err], ["5", "code 141\n"]);
    origin.fault = { kind: "stall", afterBytes: 3 };
    const json = { cwd: folder.path, shell: shell.replace("head -c 5 | wc -c", "head -1") };
    const lines = await runCommand(["fetch", "--json", `${url}small.txt`], json);
    assert.match(lines.out, /^\{"event":"connecting".*\}\n$/);
    assert.equal(lines.err, "code 141\n");
  });
});
