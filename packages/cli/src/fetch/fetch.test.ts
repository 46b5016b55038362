import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { HttpResponse } from "@arborio/http";
import { authority, identity } from "../testing/certificates.test.kit.ts";
import { ModuleFolder, runCommand } from "../testing/command.test.kit.ts";
import {
  assertBytes,
  BIG,
  originOf,
  sha256,
  shortly,
  SMALL,
} from "../testing/downloads.test.kit.ts";
import { commandLine } from "../testing/fake-shell.test.kit.ts";
import { serving } from "../testing/origin.test.kit.ts";

test("arborio fetch: several files, under the names that their URLs give, with a line for each", () => {
  const origin = originOf({ "/a/big.bin": BIG, "/small.txt": SMALL, "/b/small.txt": SMALL });
  return serving(origin.handler, async (url) => {
    using folder = new ModuleFolder();
    const urls = ["a/big.bin?x=1", "small.txt", "b/small.txt"].map((path) => url + path);
    const { code, out, err } = await runCommand(["fetch", ...urls], { cwd: folder.path });
    assert.deepEqual([code, err], [0, ""]);
    assert.deepEqual(readdirSync(folder.path).sort(), ["big.bin", "small-2.txt", "small.txt"]);
    assertBytes(folder, "big.bin", BIG);
    assertBytes(folder, "small-2.txt", SMALL);
    const lines = out.trimEnd().split("\n");
    assert.equal(lines.pop(), "3 of 3 downloaded");
    assert.deepEqual(lines.map((line) => line.replace(/ in \d+\.\d s$/, "")).sort(), [
      "big.bin: 300 kB",
      "small-2.txt: 6 B",
      "small.txt: 6 B",
    ]);
  });
});

test("arborio fetch --input-file -: URLs from standard input", () => {
  const origin = originOf({ "/big.bin": BIG, "/small.txt": SMALL });
  return serving(origin.handler, async (url) => {
    using folder = new ModuleFolder();
    const shell = `printf '%s\\n' ${url}big.bin ${url}small.txt | "$0" "$@"`;
    const options = { cwd: folder.path, shell };
    const { code, out, err } = await runCommand(["fetch", "-i", "-"], options);
    assert.deepEqual([code, err], [0, ""]);
    assert.match(out, /\n2 of 2 downloaded\n$/);
    assertBytes(folder, "big.bin", BIG);
    assertBytes(folder, "small.txt", SMALL);
  });
});

test("arborio fetch: what fails is said on standard error, the rest is there, and the exit code is 1", () => {
  const origin = originOf({ "/small.txt": SMALL });
  return serving(origin.handler, async (url) => {
    using folder = new ModuleFolder();
    const args = ["fetch", `${url}nothing`, `${url}small.txt`];
    const { code, out, err } = await commandLine([...args, "-d", folder.path]);
    assert.deepEqual([code, err], [1, "arborio: nothing: the server answered 404 Not Found\n"]);
    assert.match(out, /^small\.txt: 6 B in .*\n1 of 2 downloaded, 1 failed\n$/);
    assert.deepEqual(readdirSync(folder.path), ["small.txt"]);
  });
});

test("arborio fetch --json: a line of JSON for each event", () => {
  const origin = originOf({ "/small.txt": SMALL });
  return serving(origin.handler, async (url) => {
    using folder = new ModuleFolder();
    const { href } = Object.assign(new URL(`${url}small.txt`), {
      username: "u",
      password: "secret",
    });
    const { code, out, err } = await commandLine(["fetch", "--json", href, "-d", folder.path]);
    assert.deepEqual([code, err], [0, ""]);
    const events = out
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    assert.deepEqual(
      events.map(({ event }) => event),
      ["connecting", "receiving", "verifying", "done", "end"],
    );
    const { elapsedMs, ...done } = events[3] as Record<string, unknown>;
    assert.equal(typeof elapsedMs, "number");
    assert.deepEqual(done, {
      event: "done",
      name: "small.txt",
      url: `${url}small.txt`,
      path: join(folder.path, "small.txt"),
      receivedBytes: 6,
      totalBytes: 6,
      resumedBytes: 0,
    });
    assert.deepEqual(events[4], { event: "end", done: 1, existing: 0, failed: 0, unfinished: 0 });
  });
});

test("arborio fetch --checksum: right, wrong, and of a file that is there already", () => {
  const origin = originOf({ "/small.txt": SMALL });
  return serving(origin.handler, async (url) => {
    using folder = new ModuleFolder();
    const fetched = (checksum: string, ...options: string[]): ReturnType<typeof commandLine> =>
      commandLine([
        "fetch",
        "--checksum",
        `sha256:${checksum}`,
        ...options,
        `${url}small.txt`,
        "-d",
        folder.path,
      ]);
    const wrong = await fetched("0".repeat(64));
    assert.equal(wrong.code, 1);
    assert.equal(
      wrong.err,
      `arborio: small.txt: its sha-256 checksum is ${sha256(SMALL)}, and should be ${"0".repeat(64)}; what came was thrown away\n`,
    );
    assert.deepEqual(readdirSync(folder.path), []);
    assert.equal((await fetched(sha256(SMALL))).code, 0);
    assert.equal((await fetched(sha256(SMALL))).out, "small.txt: is there already\n");
    const other = await fetched("0".repeat(64));
    assert.equal(other.code, 1);
    assert.match(
      other.err,
      /^arborio: small\.txt: is there already, but its sha-256 checksum is .*; --overwrite replaces it\n$/,
    );
    origin.files.set("/small.txt", BIG);
    assert.equal((await fetched(sha256(BIG), "--overwrite")).code, 0);
    assertBytes(folder, "small.txt", BIG);
  });
});

test("arborio fetch --checksums: as sha256sum prints them; all files have to be listed", () => {
  const origin = originOf({ "/a": SMALL, "/b": BIG });
  return serving(origin.handler, async (url) => {
    using folder = new ModuleFolder();
    const list = folder.write("SHA256SUMS", `${sha256(SMALL)}  a\n${sha256(SMALL)} *b\n`);
    const args = ["fetch", "--checksums", list, "-d", join(folder.path, "files")];
    const { code, err } = await commandLine([...args, `${url}a`, `${url}b`]);
    assert.equal(code, 1);
    assert.match(err, /^arborio: b: its sha-256 checksum is .*\n$/);
    assert.deepEqual(readdirSync(join(folder.path, "files")), ["a"]);
    const missing = await commandLine([...args, `${url}c`]);
    assert.deepEqual(
      [missing.code, missing.err],
      [2, `arborio: --checksums: ${list} has none for c\n`],
    );
  });
});

test("arborio fetch: files that are there are left, and replaced with --overwrite", () => {
  const origin = originOf({ "/small.txt": SMALL });
  return serving(origin.handler, async (url) => {
    using folder = new ModuleFolder();
    folder.write("small.txt", "mine");
    const args = ["fetch", `${url}small.txt`];
    const left = await commandLine([...args, "-d", folder.path]);
    assert.deepEqual(left, { code: 0, out: "small.txt: is there already\n", err: "" });
    assert.equal(readFileSync(join(folder.path, "small.txt"), "utf8"), "mine");
    assert.equal(origin.requests.length, 0);
    const replaced = await commandLine([...args, "--overwrite", "-d", folder.path]);
    assert.equal(replaced.code, 0);
    assertBytes(folder, "small.txt", SMALL);
  });
});

test("arborio fetch --output: another name; a folder of that name is an error", () => {
  const origin = originOf({ "/small.txt": SMALL });
  return serving(origin.handler, async (url) => {
    using folder = new ModuleFolder();
    const args = ["fetch", `${url}small.txt`, "-d", folder.path, "-o"];
    assert.equal((await commandLine([...args, "a/b"])).code, 0);
    assertBytes(folder, "a/b", SMALL);
    const { code, err } = await commandLine([...args, "a"]);
    assert.deepEqual([code, err], [1, "arborio: a: is there already, and is no file\n"]);
  });
});

test("arborio fetch --limit-per-host, --header: kept to, and sent with each request", () => {
  const origin = originOf({});
  const names = ["a", "b", "c", "d", "e", "f"];
  for (const name of names) origin.files.set(`/${name}`, SMALL);
  const slow: typeof origin.handler = async (request, context) => {
    const response = await origin.handler(request, context);
    await shortly();
    return response;
  };
  return serving(slow, async (url) => {
    using folder = new ModuleFolder();
    const options = ["--limit-per-host", "2", "-H", "X-One: 1", "--header", "x-two:  a: b "];
    const args = ["fetch", ...options, ...names.map((name) => url + name)];
    const { code, err } = await commandLine([...args, "-d", folder.path]);
    assert.deepEqual([code, err], [0, ""]);
    assert.equal(origin.runningMax, 2);
    for (const { headers } of origin.requests)
      assert.deepEqual([headers.get("x-one"), headers.get("x-two")], ["1", "a: b"]);
  });
});

test("arborio fetch --limit-per-host: kept to on the host that redirects lead to", () => {
  const origin = originOf({ "/a": SMALL, "/b": SMALL, "/c": SMALL });
  const handler: typeof origin.handler = async (request, context) => {
    const { pathname, port } = new URL(request.url);
    const [, name] = /^\/elsewhere(\/.*)$/.exec(pathname) ?? [];
    if (name !== undefined) return Response.redirect(`http://localhost:${port}${name}`);
    const response = await origin.handler(request, context);
    await shortly();
    return response;
  };
  return serving(handler, async (url) => {
    using folder = new ModuleFolder();
    const here = url.replace("127.0.0.1", "localhost");
    const urls = [`${url}elsewhere/a`, `${here}b`, `${here}c`, `${url}elsewhere/c`];
    const args = ["fetch", "--limit-per-host", "1", ...urls, "-d", folder.path];
    const { code, err } = await commandLine(args);
    assert.deepEqual([code, err], [0, ""]);
    assert.deepEqual([origin.requests.length, origin.runningMax], [4, 1]);
  });
});

test("arborio fetch: HTTPS, trusted by --ca-certificate only", () => {
  const origin = originOf({ "/small.txt": SMALL });
  const body = async (url: string): Promise<void> => {
    using folder = new ModuleFolder();
    const args = ["fetch", url.replace("127.0.0.1", "localhost") + "small.txt"];
    const untrusted = await commandLine([...args, "-d", folder.path]);
    assert.equal(untrusted.code, 1);
    assert.match(untrusted.err, /^arborio: small\.txt: .*certificate/);
    const trusted = ["--ca-certificate", folder.write("ca.pem", authority)];
    assert.equal((await commandLine([...args, ...trusted, "-d", folder.path])).code, 0);
    assertBytes(folder, "small.txt", SMALL);
  };
  return serving(origin.handler, body, { tls: { identity } });
});

test("arborio fetch: it asks for the bytes as they are, and stores what comes", () => {
  const zipped = gzipSync("small\n");
  let asked: string | null = "";
  const handler = (request: Request): Response => {
    asked = request.headers.get("accept-encoding");
    return new HttpResponse(zipped, { headers: { "content-encoding": "gzip" } });
  };
  return serving(handler, async (url) => {
    using folder = new ModuleFolder();
    const { code, err } = await commandLine(["fetch", `${url}a.gz`, "-d", folder.path]);
    assert.deepEqual([code, err, asked], [0, "", "identity"]);
    assertBytes(folder, "a.gz", zipped);
  });
});

test("arborio fetch: options that cannot be are errors of the command line", async () => {
  using folder = new ModuleFolder();
  const hello = folder.write("hello.pem", "hello");
  const broken = folder.write("broken.pem", authority.replace(/^MII.*$/m, "xxxx"));
  for (const [options, message] of [
    [["--ca-certificate", hello], `--ca-certificate: ${hello}: it needs certificates in PEM`],
    [["--ca-certificate", broken], `--ca-certificate: ${broken}: it needs certificates in PEM`],
    [["--proxy", "ftp://h"], /^proxy: got a URL of ftp:, needs one of http, https, /],
  ] as const) {
    const args = ["fetch", "http://127.0.0.1:9/x", ...options, "-d", folder.path];
    const { code, out, err } = await commandLine(args);
    assert.deepEqual([code, out], [2, ""], err);
    if (typeof message === "string") assert.equal(err, `arborio: ${message}\n`);
    else assert.match(err.replace("arborio: ", ""), message);
  }
});

test("arborio fetch: a proxy of the environment that is none fails the download, in words", async () => {
  using folder = new ModuleFolder();
  const env = { http_proxy: "ftp://h:1", no_proxy: "" };
  const { code, err } = await runCommand(["fetch", "http://127.0.0.1:9/x"], {
    cwd: folder.path,
    env,
  });
  assert.equal(code, 1);
  assert.match(err, /^arborio: x: .*ftp.*\n$/);
});
