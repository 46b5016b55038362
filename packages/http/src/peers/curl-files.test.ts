/** Files and compression with curl: ranges, downloads that go on, conditions, and what it unpacks. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import type { TaskGroup } from "arborio";
import { compress, type Handler, HttpResponse, openServer, serveDirectory } from "@arborio/http";
import { curl, parted } from "./curl.test.kit.ts";
import { CURL, peerTest } from "./peer-test.test.kit.ts";
import { runProgram } from "./program.test.kit.ts";

const TEXT = Array.from({ length: 20_000 }, (_, line) => `line ${line}\n`).join("");
const LARGE = new Uint8Array(5_000_000).map((_, index) => (index * 11 + index / 253) & 255);

const folder = mkdtempSync(join(tmpdir(), "arborio-curl-files-"));
const files = join(folder, "files");
mkdirSync(files);
writeFileSync(join(folder, "secret.txt"), "secret");
writeFileSync(join(files, "text.txt"), TEXT);
writeFileSync(join(files, "large.bin"), LARGE);
symlinkSync(join(folder, "secret.txt"), join(files, "link.txt"));
after(() => rmSync(folder, { recursive: true }));

/** Runs `body` beside a server with the files. */
function fileTest(title: string, body: (url: string, group: TaskGroup) => Promise<void>): void {
  peerTest([CURL], `curl with files: ${title}`, async (group) => {
    const options = { port: 0, host: "127.0.0.1", group, graceMs: 0 };
    await using server = await openServer(serveDirectory(files), options);
    await body(server.url, group);
  });
}

fileTest("ranges: from the beginning, from the end, to the end, beyond it", async (url) => {
  const text = `${url}text.txt`;
  assert.equal((await curl(["-r", "0-9", text])).stdout, TEXT.slice(0, 10));
  assert.equal((await curl(["-r", "-20", text])).stdout, TEXT.slice(-20));
  assert.equal((await curl(["-r", "100000-", text])).stdout, TEXT.slice(100_000));
  const [head] = parted((await curl(["-i", "-r", "5-5", text])).stdout);
  assert.match(head, /^HTTP\/1\.1 206 /);
  assert.match(head, new RegExp(`content-range: bytes 5-5/${TEXT.length}`));
  const [beyond] = parted((await curl(["-i", "-r", "9999999-", text])).stdout);
  assert.match(beyond, /^HTTP\/1\.1 416 /);
  assert.match(beyond, new RegExp(`content-range: bytes \\*/${TEXT.length}`));
});

fileTest("several ranges are the parts of one body", async (url) => {
  const [head, body] = parted((await curl(["-i", "-r", "0-4,100-104", `${url}text.txt`])).stdout);
  const [, boundary = ""] = /multipart\/byteranges; boundary="?([^"\r]+)/.exec(head) ?? [];
  const parts = body.split(`--${boundary}`).slice(1, -1);
  assert.deepEqual(
    parts.map((part) => parted(part)[1].slice(0, 5)),
    [TEXT.slice(0, 5), TEXT.slice(100, 105)],
  );
  const [, length] = /content-length: (\d+)/.exec(head) ?? [];
  assert.equal(Number(length), body.length);
});

fileTest("a download that broke off goes on, and is whole", async (url) => {
  const to = join(folder, "large.part");
  writeFileSync(to, LARGE.subarray(0, 1_234_567));
  await curl(["-C", "-", "-o", to, `${url}large.bin`]);
  assert.ok(readFileSync(to).equals(LARGE));
});

fileTest("what the client has is not sent again, by tag and by date", async (url) => {
  const tag = join(folder, "tag");
  const format = ["-w", "%{http_code} %{size_download}", "-o", "/dev/null"];
  await curl(["--etag-save", tag, ...format, `${url}text.txt`]);
  const again = await curl(["--etag-compare", tag, ...format, `${url}text.txt`]);
  assert.equal(again.stdout, "304 0");
  const dated = await curl(["-z", join(files, "text.txt"), ...format, `${url}text.txt`]);
  assert.equal(dated.stdout, "304 0");
  const older = await curl(["-z", "2001-01-01", ...format, `${url}text.txt`]);
  assert.equal(older.stdout, `200 ${TEXT.length}`);
});

fileTest("HEAD tells what GET would, and reads nothing", async (url) => {
  const [head, body] = parted((await curl(["-I", `${url}large.bin`])).stdout);
  assert.match(head, new RegExp(`content-length: ${LARGE.length}`));
  assert.match(head, /accept-ranges: bytes/);
  assert.equal(body, "");
});

fileTest("no path leads out of the folder", async (url) => {
  for (const path of [
    "../secret.txt",
    "..%2fsecret.txt",
    "%2e%2e/secret.txt",
    "./../secret.txt",
    "/etc/passwd",
    "link.txt",
    "text.txt%00",
    "..\\secret.txt",
  ]) {
    const args = ["-q", "-sS", "--path-as-is", "-w", "%{http_code}", "-o", "-", url + path];
    const { stdout } = await runProgram("curl", args);
    assert.match(stdout, /40[04]$/, path);
    assert.doesNotMatch(stdout, /secret/, path);
  }
});

for (const coding of ["gzip", "br", "zstd"] as const) {
  peerTest([CURL], `curl: unpacks what compress has packed as ${coding}`, async (group) => {
    const handler: Handler = (request) =>
      request.url.endsWith("/stream")
        ? new HttpResponse(
            async (sink) => {
              for (let at = 0; at < TEXT.length; at += 10_000)
                await sink.send(TEXT.slice(at, at + 10_000));
            },
            { headers: { "content-type": "text/plain" } },
          )
        : new HttpResponse(TEXT);
    await using server = await openServer(compress(handler, { formats: [coding] }), {
      port: 0,
      host: "127.0.0.1",
      group,
      graceMs: 0,
    });
    for (const path of ["", "stream"]) {
      const { stdout } = await curl(["-i", "--compressed", server.url + path]);
      const [head, body] = parted(stdout);
      assert.match(head, new RegExp(`content-encoding: ${coding}`));
      assert.equal(body, TEXT);
    }
    assert.equal((await curl([server.url])).stdout, TEXT);
  });
}
