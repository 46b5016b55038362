import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test as nodeTest } from "node:test";
import { gzipSync } from "node:zlib";
import { failAfter, run } from "arborio";
import { simulate } from "arborio/sim";
import { testClient } from "@arborio/http/testing";
import { browserTest } from "../testing/browser.ts";
import { ExampleProgram } from "../testing/example-program.ts";
import { createHandler } from "./handler.ts";

const TEXT = Array.from({ length: 500 }, (_, line) => `line ${line}\n`).join("");
const FILES: Readonly<Record<string, string | Uint8Array>> = {
  "a file.txt": TEXT,
  "page.html": "<p>plain",
  "page.html.gz": gzipSync("<p>plain"),
  "below/index.html": "<title>Below</title>",
  "tone.wav": wav(20),
};

const folder = mkdtempSync(join(tmpdir(), "arborio-files-"));
after(() => rmSync(folder, { recursive: true }));
mkdirSync(join(folder, "below"));
for (const [name, contents] of Object.entries(FILES)) writeFileSync(join(folder, name), contents);
symlinkSync("/etc", join(folder, "outside"));

/** Registers a test over the files of the host, and over those of the simulator. */
function test(title: string, body: (folder: string) => Promise<void>): void {
  nodeTest(`${title} [host]`, () => run(() => body(folder), { signals: [] }));
  nodeTest(`${title} [simulator]`, () =>
    simulate({ seed: 1 }, async ({ localhost: { files } }) => {
      for (const [name, contents] of Object.entries(FILES)) files.write(`/srv/${name}`, contents);
      files.link("/srv/outside", "/etc");
      await body("/srv");
    }),
  );
}

/** So many seconds of a tone, which a browser can wind. */
function wav(seconds: number): Uint8Array {
  const rate = 8000;
  const bytes = seconds * rate;
  const view = new DataView(new ArrayBuffer(44 + bytes));
  const ascii = (at: number, text: string): void => {
    for (let index = 0; index < text.length; index++)
      view.setUint8(at + index, text.charCodeAt(index));
  };
  ascii(0, "RIFF");
  view.setUint32(4, 36 + bytes, true);
  ascii(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  for (const [at, value] of [
    [20, 1],
    [22, 1],
    [32, 1],
    [34, 8],
  ] as const)
    view.setUint16(at, value, true);
  view.setUint32(24, rate, true);
  view.setUint32(28, rate, true);
  ascii(36, "data");
  view.setUint32(40, bytes, true);
  for (let at = 0; at < bytes; at++) view.setUint8(44 + at, 128 + 40 * Math.sin(at / 3));
  return new Uint8Array(view.buffer);
}

test("file-server: whole, in parts, only if it is another one", async (root) => {
  await using client = testClient(createHandler(root));
  const whole = await client.fetch("/a%20file.txt");
  assert.equal(await whole.text(), TEXT);
  const tag = whole.headers.get("etag") ?? "";
  const part = await client.fetch("/a%20file.txt", { headers: { range: "bytes=5-9" } });
  assert.deepEqual([part.status, await part.text()], [206, TEXT.slice(5, 10)]);
  assert.equal(part.headers.get("content-range"), `bytes 5-9/${TEXT.length}`);
  const headers = { "if-none-match": tag };
  assert.equal((await client.fetch("/a%20file.txt", { headers })).status, 304);
  const changed = { range: "bytes=5-9", "if-range": '"another"' };
  assert.equal((await client.fetch("/a%20file.txt", { headers: changed })).status, 200);
});

test("file-server: lists, indexes, compressed siblings", async (root) => {
  await using client = testClient(createHandler(root));
  const list = await (await client.fetch("/")).text();
  assert.match(list, /href="\.\/a%20file\.txt"/);
  assert.match(await (await client.fetch("/below/")).text(), /Below/);
  const headers = { "accept-encoding": "gzip" };
  const packed = await client.fetch("/page.html", { headers });
  assert.equal(packed.headers.get("content-encoding"), "gzip");
});

test("file-server: nothing outside is reached", async (root) => {
  await using client = testClient(createHandler(root));
  for (const path of ["/outside/passwd", "/..%2f..%2fetc/passwd", "/.%2e/x", "/missing"]) {
    assert.equal((await client.fetch(path)).status, 404, path);
  }
});

/** The program on the folder, and where it is. */
async function start(): Promise<{ program: ExampleProgram; url: string }> {
  const program = new ExampleProgram("file-server", [folder, "0"]);
  const [, url = ""] = await program.until(/ on (http.*)$/m);
  return { program, url };
}

nodeTest("file-server, the program: serves and logs; Ctrl-C ends it", () =>
  run(
    () =>
      failAfter(20_000, async () => {
        const { program, url } = await start();
        using _program = program;
        const response = await fetch(`${url}a%20file.txt`, { headers: { range: "bytes=-10" } });
        assert.deepEqual([response.status, await response.text()], [206, TEXT.slice(-10)]);
        await program.until(/"GET \/a%20file\.txt HTTP\/1\.1" 206 10 /);
        program.interrupt();
        assert.equal(await program.ended(), 0);
      }),
    { signals: [] },
  ),
);

nodeTest("file-server, the program: a folder that is none is an error that says so", () =>
  run(
    async () => {
      using program = new ExampleProgram("file-server", [join(folder, "page.html"), "0"]);
      assert.notEqual(await program.ended(), 0);
      assert.match(program.printed, /page\.html is no directory, needs one to serve/);
    },
    { signals: [] },
  ),
);

browserTest(
  "file-server, in a browser: from the list to a page, and winding in a recording",
  async (page) => {
    const { program, url } = await start();
    using _program = program;
    await page.goto(url);
    await page.click("text=below");
    assert.equal(await page.title(), "Below");
    const position = await page.evaluate(`new Promise((resolve, reject) => {
      const audio = new Audio("../tone.wav");
      audio.onerror = () => reject(new Error(audio.error.message));
      audio.onloadedmetadata = () => {
        audio.onseeked = () => resolve([Math.round(audio.duration), audio.currentTime]);
        audio.currentTime = 18;
      };
    })`);
    assert.deepEqual(position, [20, 18]);
    await program.until(/"GET \/tone\.wav HTTP\/1\.1" 206 /);
  },
);
