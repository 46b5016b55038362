import assert from "node:assert/strict";
import { test } from "node:test";
import { now, sleep, SystemError } from "../../index.ts";
import { openFile, readDirectory, readFile, readTextFile, realPath, stat } from "../../fs.ts";
import { listenUnix } from "../../net.ts";
import { currentBackend, requireCapability } from "../../platform/capabilities.ts";
import type { FileHandle } from "../../platform/files.ts";
import { hostOperation } from "../../platform/host-operation.ts";
import { simulate } from "../../sim.ts";
import { cancelEverywhere } from "../../testing.ts";

function hasCode(code: string): (error: unknown) => boolean {
  return (error) => error instanceof SystemError && error.systemCode === code;
}

const SOME_BYTES = Uint8Array.from({ length: 50_000 }, (_, index) => (index * 7) & 255);

test("simulated files: what a test writes, programs of that host read, and of no other", async () => {
  await simulate({}, async (world) => {
    world.localhost.files.write("/etc/app.conf", "port = 80");
    assert.equal(await readTextFile("/etc/app.conf"), "port = 80");
    assert.equal(await readTextFile("etc/../etc/./app.conf"), "port = 80");
    const other = world.host("other");
    await assert.rejects(
      other.run(() => readTextFile("/etc/app.conf")),
      hasCode("ENOENT"),
    );
  });
});

test("simulated files: whole files come whole, whatever reads give", async () => {
  for (let seed = 0; seed < 10; seed++) {
    await simulate({ seed }, async (world) => {
      world.localhost.files.write("/data", SOME_BYTES);
      assert.deepEqual(await readFile("/data"), SOME_BYTES);
    });
  }
});

test("simulated files: a read may give less than there is, but never nothing before the end", async () => {
  const counts = new Set<number>();
  for (let seed = 0; seed < 40; seed++) {
    await simulate({ seed }, async (world) => {
      world.localhost.files.write("/data", SOME_BYTES);
      using file = await openFile("/data");
      counts.add(await file.readInto(new Uint8Array(100), 49_950));
      assert.equal(await file.readInto(new Uint8Array(100), 50_000), 0);
    });
  }
  assert.deepEqual(
    [...counts].sort((a, b) => a - b),
    [1, 25, 50],
  );
});

test("simulated files: stat tells kind, size, mode and time; replaced contents are seen by who has the file open", async () => {
  await simulate({}, async (world) => {
    const { files } = world.localhost;
    files.write("/a/b", "1234", { mode: 0o600, modifiedMs: 1234.5 });
    const known = await stat("/a/b");
    assert.deepEqual(
      { ...known, inode: 0 },
      {
        kind: "file",
        size: 4,
        modifiedMs: 1234,
        accessedMs: 1234,
        mode: 0o600,
        user: 1000,
        group: 1000,
        names: 1,
        inode: 0,
        device: 1,
      },
    );
    assert.equal((await stat("/a")).kind, "directory");
    using file = await openFile("/a/b");
    files.write("/a/b", "123456");
    assert.equal((await file.stat()).size, 6);
    assert.equal((await file.stat()).inode, known.inode);
    assert.equal((await file.stat()).modifiedMs, 946_684_800_000 + Math.floor(now()));
    assert.equal(files.remove("/a"), true);
    assert.equal((await file.stat()).size, 6);
    await assert.rejects(stat("/a/b"), hasCode("ENOENT"));
    assert.equal(files.remove("/a"), false);
  });
});

test("simulated files: the system's refusals", async () => {
  await simulate({}, async (world) => {
    const { files } = world.localhost;
    files.write("/file", "x");
    files.write("/secret", "x", { mode: 0 });
    for (const [path, code] of [
      ["/none", "ENOENT"],
      ["", "ENOENT"],
      ["/none/below", "ENOENT"],
      ["/file/below", "ENOTDIR"],
      ["/file/", "ENOTDIR"],
      ["/tmp", "EISDIR"],
      ["/secret", "EACCES"],
      [`/${"a".repeat(256)}`, "ENAMETOOLONG"],
    ] as const)
      await assert.rejects(openFile(path), hasCode(code), path);
    assert.throws(() => files.write("/file/below", "x"), hasCode("ENOTDIR"));
    assert.throws(() => files.write("/tmp", "x"), hasCode("EISDIR"));
    assert.throws(() => files.write("/x", 1 as unknown as string), TypeError);
  });
});

test("simulated files: sockets have names among them", async () => {
  await simulate({}, async (world) => {
    const { files } = world.localhost;
    files.write("/taken", "x");
    await assert.rejects(listenUnix("/taken"), hasCode("EADDRINUSE"));
    const listener = await listenUnix("/run/app.sock", { mode: 0o600 });
    const { kind, mode } = await stat("/run/app.sock");
    assert.deepEqual([kind, mode], ["socket", 0o600]);
    await assert.rejects(openFile("/run/app.sock"), hasCode("ENXIO"));
    assert.equal(files.remove("/run/app.sock"), true);
    await assert.rejects(stat("/run/app.sock"), hasCode("ENOENT"));
    listener.close();
  });
});

test("simulated files: cancelled at every checkpoint, no file stays open", async () => {
  await simulate({ seed: 5 }, async (world) => {
    world.localhost.files.write("/data", SOME_BYTES);
    await cancelEverywhere(async (round) => {
      round.after(() => assert.equal(world.localhost.openFiles, 0));
      using file = await openFile("/data");
      await file.stat();
      await file.readRange(0, 10_000);
    });
    assert.equal(world.localhost.openFiles, 0);
  });
});

test("simulated files: a read that is withdrawn writes into its memory all the same, as on a host", async () => {
  await simulate({}, async (world) => {
    world.localhost.files.write("/data", "abc");
    const files = requireCapability(currentBackend(), "files", "the test");
    const handle = await hostOperation<FileHandle>({
      name: "open",
      resource: "/data",
      begin: (_backend, completion) =>
        files.open(
          {
            path: "/data",
            access: "read",
            create: "never",
            truncate: false,
            append: false,
            mode: 0,
          },
          completion,
        ),
    });
    const view = new Uint8Array(3);
    handle.read(view, 0, { succeed: () => assert.fail("withdrawn"), fail: assert.fail })();
    await sleep(1);
    assert.equal(view[0], 97);
    handle.close(() => {});
    handle.close(() => {});
    assert.equal(world.localhost.openFiles, 0);
  });
});

test("simulated files: what changes something happens though it is withdrawn, as on a host", async () => {
  await simulate({}, async ({ localhost }) => {
    const files = requireCapability(currentBackend(), "files", "the test");
    const never = { succeed: () => assert.fail("withdrawn"), fail: assert.fail };
    files.change({ kind: "make-directory", path: "/made", mode: 0o755 }, never)();
    const target = { path: "/file", access: "write", create: "new" } as const;
    files.open({ ...target, truncate: false, append: false, mode: 0o644 }, never)();
    files.stat("/none", true, never)();
    await sleep(1);
    assert.deepEqual(localhost.files.list("/"), ["file", "made", "tmp"]);
    assert.equal(localhost.openFiles, 0);
  });
});

test("simulated files: links lead where they say, and realPath tells where that is", async () => {
  await simulate({}, async (world) => {
    const { files } = world.localhost;
    files.write("/data/v2/page", "two");
    files.link("/data/current", "v2");
    files.link("/data/v2/up", "../v2/page");
    files.link("/away", "/data/current/up");
    files.link("/circle", "/circle");
    files.link("/nowhere", "/none");
    assert.equal(await readTextFile("/data/current/page"), "two");
    assert.equal(await realPath("/data/current/./../current/page"), "/data/v2/page");
    assert.equal(await realPath("/away"), "/data/v2/page");
    assert.equal(await realPath("tmp/"), "/tmp");
    assert.equal((await stat("/data/current")).kind, "directory");
    for (const [path, code] of [
      ["/circle", "ELOOP"],
      ["/nowhere", "ENOENT"],
      ["/none/../tmp", "ENOENT"],
      ["/away/", "ENOTDIR"],
    ] as const) {
      await assert.rejects(realPath(path), hasCode(code), path);
      await assert.rejects(stat(path), hasCode(code), path);
    }
    using file = await openFile("/away");
    assert.equal(await file.realPath(), "/data/v2/page");
    files.write("/data/current/page", "new");
    assert.equal(await readTextFile("/data/v2/page"), "new");
    assert.throws(() => files.link("/away", "x"), hasCode("EEXIST"));
    assert.equal(files.remove("/away"), true);
    await assert.rejects(stat("/away"), hasCode("ENOENT"));
    assert.equal(await file.realPath(), "/data/v2/page");
    files.remove("/data/v2/page");
    assert.notEqual(await file.realPath(), "/data/v2/page");
  });
});

test("simulated files: readDirectory gives what is in a directory, and no more", async () => {
  await simulate({}, async (world) => {
    const { files } = world.localhost;
    files.write("/d/b", "");
    files.write("/d/a/deep", "");
    files.link("/d/link", "b");
    files.link("/other", "/d");
    const listener = await listenUnix("/d/socket");
    const names = [
      { name: "a", kind: "directory" },
      { name: "b", kind: "file" },
      { name: "link", kind: "link" },
      { name: "socket", kind: "other" },
    ];
    assert.deepEqual(await readDirectory("/d"), names);
    assert.deepEqual(await readDirectory("/other/"), names);
    assert.deepEqual(
      (await readDirectory("/")).map(({ name }) => name),
      ["d", "other", "tmp"],
    );
    await assert.rejects(readDirectory("/d/b"), hasCode("ENOTDIR"));
    await assert.rejects(readDirectory("/none"), hasCode("ENOENT"));
    listener.close();
  });
});
