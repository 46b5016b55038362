/** `serveFile` and what the simulator's files cannot be: FIFOs, sockets, devices, without rights, cut while they are read. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, truncateSync, utimesSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, test } from "node:test";
import { BrokenResourceError, failAfter, run } from "arborio";
import { pattern, request } from "./places.test.kit.ts";
import { serveFile } from "./serve-file.ts";

/** A user without rights. */
const NOBODY = 65_534;

/** More than is read at once. */
const LARGE = 200_000;

const folder = mkdtempSync(join(tmpdir(), "arborio-http-special-"));
after(() => rmSync(folder, { recursive: true, force: true }));

test("serveFile: FIFOs, sockets and devices are 403, never opened, and nothing waits", async () => {
  const fifo = join(folder, "fifo");
  execFileSync("mkfifo", [fifo]);
  const socket = join(folder, "socket");
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  try {
    await run(() =>
      failAfter(5000, async () => {
        for (const path of [fifo, socket, "/dev/zero", "/dev/tty", "/dev/null"])
          assert.equal((await serveFile(request("/"), path)).status, 403, path);
      }),
    );
  } finally {
    server.close();
  }
});

test("serveFile: a file that may not be read is 403", async () => {
  const path = join(folder, "secret");
  writeFileSync(path, "x");
  chmodSync(folder, 0o711);
  chmodSync(path, 0);
  const user = process.geteuid?.() ?? NOBODY;
  // Root may read everything.
  if (user === 0) process.seteuid?.(NOBODY);
  try {
    const response = await run(() => serveFile(request("/"), path));
    assert.equal(response.status, 403);
    assert.ok(!(await response.text()).includes("secret"));
  } finally {
    if (user === 0) process.seteuid?.(user);
  }
});

test("serveFile: a file that became shorter breaks the body off, and is closed", async () => {
  const path = join(folder, "shrinking");
  writeFileSync(path, pattern(LARGE));
  await run(async () => {
    const response = await serveFile(request("/"), path);
    truncateSync(path, 1000);
    await assert.rejects(response.arrayBuffer(), (error) => {
      assert.ok(error instanceof BrokenResourceError, String(error));
      assert.match(error.message, /became shorter while it was sent: 199000 of 200000 bytes/);
      return true;
    });
  });
});

test("serveFile: a time that is yet to come is not told", async () => {
  const path = join(folder, "future");
  writeFileSync(path, "x");
  utimesSync(path, 4_000_000_000, 4_000_000_000);
  await run(async () => {
    const response = await serveFile(request("/"), path);
    assert.equal(response.headers.get("last-modified"), null);
    assert.notEqual(response.headers.get("etag"), null);
  });
});
