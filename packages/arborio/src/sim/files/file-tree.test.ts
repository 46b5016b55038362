import assert from "node:assert/strict";
import { test } from "node:test";
import { now } from "../../index.ts";
import {
  openFile,
  PartialWriteError,
  Path,
  readFile,
  readTextFile,
  stat,
  writeFile,
} from "../../fs.ts";
import { change, hasSystemCode, pattern } from "../../fs/files.test.kit.ts";
import { runProcess } from "../../process.ts";
import { simulate } from "../../sim.ts";

test("host.files: what programs made, a test reads and lists; what a test made, programs read", async () => {
  await simulate({}, async ({ localhost: { files } }) => {
    await writeFile("/tmp/made", "grün");
    assert.equal(files.readText("/tmp/made"), "grün");
    assert.deepEqual(files.read("tmp/made"), new TextEncoder().encode("grün"));
    files.link("/link", "tmp/made");
    files.write("/link", "blau");
    assert.equal(await readTextFile("/tmp/made"), "blau");
    assert.deepEqual(files.list("/"), ["link", "tmp"]);
    assert.equal(files.stat("/link").kind, "link");
    assert.equal(
      files.stat("/tmp/made").mode,
      0o666,
      "programs have no umask here, and its bits stay",
    );
    for (const [call, code] of [
      [() => files.read("/none"), "ENOENT"],
      [() => files.read("/tmp"), "EISDIR"],
      [() => files.list("/link"), "ENOTDIR"],
      [() => files.stat("/link/x"), "ENOTDIR"],
      [() => files.link("/link", "x"), "EEXIST"],
      [() => files.link("/x", ""), "ENOENT"],
      [() => files.remove("/"), "EBUSY"],
    ] as const)
      assert.throws(call, hasSystemCode(code), String(call));
    files.write("/odd", Uint8Array.of(255));
    assert.throws(() => files.readText("/odd"), TypeError);
  });
});

test("host.files.write: directories above it are made, also those that a link names; through a link that leads nowhere", async () => {
  await simulate({}, ({ localhost: { files } }) => {
    files.write("/a/b/../c/d", "1");
    assert.equal(files.readText("/a/c/d"), "1");
    files.link("/away", "a/c");
    files.write("/away/new/file", "2");
    assert.equal(files.readText("/a/c/new/file"), "2");
    files.link("/nowhere", "a/later");
    files.write("/nowhere", "3");
    assert.equal(files.readText("/a/later"), "3");
    files.link("/far", "/not/there");
    assert.throws(() => files.write("/far", "x"), hasSystemCode("ENOENT"));
    files.link("/circle", "circle");
    assert.throws(() => files.write("/circle/x", "x"), hasSystemCode("ELOOP"));
  });
});

test("host.files.setMode, setOwner: what others own asks for its bits for others", async () => {
  await simulate({}, async ({ localhost: { files } }) => {
    files.write("/shared/theirs", "x", { mode: 0o640 });
    assert.equal(await readTextFile("/shared/theirs"), "x");
    files.setOwner("/shared/theirs", 0, 1000);
    assert.equal(await readTextFile("/shared/theirs"), "x", "by the group");
    files.setOwner("/shared/theirs", 0, 0);
    await assert.rejects(readTextFile("/shared/theirs"), hasSystemCode("EACCES"));
    await assert.rejects(
      change({ kind: "mode", path: "/shared/theirs", mode: 0o666 }),
      hasSystemCode("EPERM"),
    );
    files.setOwner("/shared", 0, 0);
    files.setMode("/shared", 0o777);
    await change({ kind: "rename", path: "/shared/theirs", target: "/shared/other" });
    files.setMode("/shared", 0o1777);
    await assert.rejects(
      change({ kind: "remove-file", path: "/shared/other" }),
      hasSystemCode("EPERM"),
    );
    await writeFile("/shared/mine", "x");
    await change({ kind: "remove-file", path: "/shared/mine" });
    assert.equal(files.exists("/shared/mine"), false);
    assert.throws(() => files.setMode("/none", 0), hasSystemCode("ENOENT"));
    assert.throws(() => files.write("/x", "", { owner: 1 } as never), TypeError);
  });
});

test("host.files.remove: a tree goes as a whole, a link without what it leads to", async () => {
  await simulate({}, async ({ localhost: { files } }) => {
    files.write("/d/a/b", "1");
    files.write("/kept/file", "2");
    files.link("/d/link", "/kept");
    using file = await openFile("/d/a/b");
    assert.equal(files.remove("/d"), true);
    assert.equal(files.remove("/d"), false);
    assert.equal(files.readText("/kept/file"), "2");
    assert.deepEqual(await file.read(1), new TextEncoder().encode("1"));
  });
});

test("host.files.capacityBytes: a write fits partly, then ENOSPC; what is removed makes room when it is closed", async () => {
  for (let seed = 0; seed < 10; seed++) {
    await simulate({ seed }, async ({ localhost: { files } }) => {
      files.capacityBytes = 3 * 4096;
      await using file = await openFile("/tmp/data", { flags: "w+" });
      await assert.rejects(file.write(pattern(20_000)), (error) => {
        assert.ok(error instanceof PartialWriteError, String(error));
        assert.equal(error.systemCode, "ENOSPC");
        assert.equal(error.writtenBytes, 3 * 4096);
        return true;
      });
      assert.deepEqual(files.read("/tmp/data"), pattern(20_000).subarray(0, 3 * 4096));
      assert.equal(files.usedBytes, 3 * 4096);
      await assert.rejects(writeFile("/tmp/other", "x"), hasSystemCode("ENOSPC"));
      assert.equal(files.readText("/tmp/other"), "");
      await assert.rejects(
        change({ kind: "copy-file", path: "/tmp/data", target: "/tmp/copy", replace: false }),
        hasSystemCode("ENOSPC"),
      );
      assert.deepEqual(files.list("/tmp"), ["data", "other"]);
      await file.setSize(4096);
      assert.equal(files.usedBytes, 4096);
      await writeFile("/tmp/other", "x");
      files.remove("/tmp/data");
      assert.equal(files.usedBytes, 2 * 4096);
      await file[Symbol.asyncDispose]();
      assert.equal(files.usedBytes, 4096);
      files.remove("/tmp/other");
      assert.equal(files.usedBytes, 0);
    });
  }
});

test("host.files.mount: another disk, with room of its own; nothing is renamed or linked across, but moved it is", async () => {
  await simulate({}, async ({ localhost: { files } }) => {
    files.mount("/mnt/usb", { capacityBytes: 4096 });
    await writeFile("/mnt/usb/file", "text");
    const [here, there] = ["/tmp/file", "/mnt/usb/file"];
    for (const [wanted, code] of [
      [{ kind: "rename", path: there, target: here }, "EXDEV"],
      [{ kind: "rename", path: "/mnt/usb", target: "/mnt/other" }, "EBUSY"],
      [{ kind: "hard-link", path: here, target: there }, "EXDEV"],
      [{ kind: "remove-directory", path: "/mnt/usb" }, "EBUSY"],
    ] as const)
      await assert.rejects(change(wanted), hasSystemCode(code));
    assert.notEqual((await stat(there)).device, (await stat("/tmp")).device);
    assert.equal(files.usedBytes, 0);
    await assert.rejects(writeFile("/mnt/usb/more", "x"), hasSystemCode("ENOSPC"));
    await new Path(there).move(here);
    assert.equal(files.readText(here), "text");
    assert.deepEqual(files.list("/mnt/usb"), ["more"]);
    assert.throws(() => files.mount("/mnt/usb"), hasSystemCode("EEXIST"));
    assert.throws(() => files.mount("/x", { capacity: 1 } as never), TypeError);
    assert.equal(files.remove("/mnt"), true);
  });
});

test("host.files.remove: a tree deeper than the stack", async () => {
  await simulate({}, async ({ localhost: { files } }) => {
    files.makeDirectory("/d");
    for (let depth = 0; depth < 20_000; depth++) {
      await change({ kind: "make-directory", path: "/e", mode: 0o755 });
      await change({ kind: "rename", path: "/d", target: "/e/d" });
      await change({ kind: "rename", path: "/e", target: "/d" });
    }
    assert.equal(files.remove("/d"), true);
    assert.deepEqual(files.list("/"), ["tmp"]);
  });
});

test("host.files: a file of a terabyte with one byte takes one page", async () => {
  await simulate({}, async ({ localhost: { files } }) => {
    const far = 2 ** 40;
    await using file = await openFile("/tmp/sparse", { flags: "w+" });
    await file.write(Uint8Array.of(7), far);
    assert.equal((await file.stat()).size, far + 1);
    assert.equal(files.usedBytes, 4096);
    const view = new Uint8Array(3);
    assert.equal(await file.readInto(view.subarray(0, 1), far - 1), 1);
    assert.equal(await file.readInto(view.subarray(1, 2), far), 1);
    assert.deepEqual([...view], [0, 7, 0]);
    await file.setSize(2 ** 44);
    await assert.rejects(file.write(Uint8Array.of(1), 2 ** 44), hasSystemCode("EFBIG"));
    await assert.rejects(file.setSize(2 ** 44 + 1), hasSystemCode("EFBIG"));
  });
});

test("host.files.damage: reading, writing, syncing and closing fail with EIO, until it is repaired", async () => {
  await simulate({}, async ({ localhost: { files } }) => {
    files.write("/data", "x");
    const file = await openFile("/data", { flags: "r+" });
    await file.write("y");
    files.damage("/data");
    await assert.rejects(readFile("/data"), hasSystemCode("EIO"));
    await assert.rejects(file.write("z"), hasSystemCode("EIO"));
    await assert.rejects(file.setSize(0), hasSystemCode("EIO"));
    await assert.rejects(file.sync(), hasSystemCode("EIO"));
    await assert.rejects(writeFile("/data", "new"), hasSystemCode("EIO"));
    await assert.rejects(file[Symbol.asyncDispose](), hasSystemCode("EIO"));
    files.repair("/data");
    assert.equal(await readTextFile("/data"), "y");
    files.write("/dir/below/file", "");
    files.damage("/dir");
    await assert.rejects(stat("/dir/below"), hasSystemCode("EIO"));
    assert.equal((await stat("/dir")).kind, "directory");
    files.repair("/dir");
    assert.equal((await stat("/dir/below")).kind, "directory");
    assert.throws(() => files.damage("/none"), hasSystemCode("ENOENT"));
  });
});

test("host.files.latencyMs: a slow disk is slow", async () => {
  await simulate({}, async ({ localhost: { files } }) => {
    files.write("/data", "x");
    files.latencyMs = [1000, 2000];
    const startMs = now();
    await stat("/data");
    const tookMs = now() - startMs;
    assert.ok(tookMs >= 1000 && tookMs <= 2000, String(tookMs));
    files.latencyMs = [5, 5];
    assert.deepEqual(files.latencyMs, [5, 5]);
    const then = now();
    await stat("/data");
    assert.equal(now() - then, 5);
    for (const range of [
      [2, 1],
      [-1, 1],
      [0, Infinity],
    ] as const)
      assert.throws(() => (files.latencyMs = range), RangeError);
    assert.throws(() => (files.latencyMs = ["1", 2] as never), TypeError);
    assert.throws(() => (files.capacityBytes = -1), RangeError);
  });
});

test("host.files: each process has its own working directory, and what it has open is closed at its end", async () => {
  await simulate({}, async ({ localhost: host }) => {
    host.files.makeDirectory("/work");
    host.program("writer", async () => {
      const file = await openFile("made", { flags: "w" });
      await file.write("x");
      assert.equal(host.openFiles, 1);
      await file.lock();
      return 0;
    });
    host.program("outer", async () => {
      await runProcess(["writer"], { cwd: "below" });
      await assert.rejects(runProcess(["writer"], { cwd: "none" }), /ENOENT/);
    });
    host.files.makeDirectory("/home/below");
    await runProcess(["outer"], { cwd: "/home" });
    assert.equal(host.files.readText("/home/below/made"), "x");
    await runProcess(["writer"], { cwd: "home" });
    assert.equal(host.openFiles, 0);
    assert.equal(host.files.readText("/home/made"), "x");
    using file = await openFile("/home/made");
    using _lock = await file.lock({ wait: false });
  });
});
