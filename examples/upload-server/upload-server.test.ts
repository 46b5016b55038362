import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test as nodeTest } from "node:test";
import { failAfter, now, run, sleep, taskGroup } from "arborio";
import { connectTcp } from "arborio/net";
import type { ByteStream } from "arborio/streams";
import { onEveryBackend } from "arborio/testing";
import { testClient } from "@arborio/http/testing";
import { browserTest } from "../testing/browser.ts";
import { ExampleProgram } from "../testing/example-program.ts";
import { createHandler } from "./handler.ts";
import { safeName, type Store } from "./store.ts";
import type { Progress } from "./uploads.ts";

const test = onEveryBackend((title, body) => nodeTest(title, { timeout: 20_000 }, body));
const ON_VIRTUAL_TIME = { skip: { backend: "host", reason: "waits in virtual time" } } as const;

/** Files in memory, each piece of which takes a while. */
class MemoryStore implements Store {
  readonly kept: Map<string, number> = new Map();
  readonly #writeMs: number;
  open = 0;

  constructor(writeMs: number) {
    this.#writeMs = writeMs;
  }

  create(wish: string): ReturnType<Store["create"]> {
    let bytes = 0;
    this.open += 1;
    return Promise.resolve({
      name: safeName(wish),
      write: async (piece) => {
        await sleep(this.#writeMs);
        bytes += piece.length;
      },
      keep: async () => {
        this.open -= 1;
        this.kept.set(safeName(wish), bytes);
      },
      discard: async () => void (this.open -= 1),
    });
  }
}

const FORM_TYPE = "multipart/form-data; boundary=b";

function formOf(...files: readonly (readonly [name: string, bytes: number])[]): string {
  const parts = files.map(
    ([name, bytes]) =>
      `--b\r\ncontent-disposition: form-data; name="f"; filename="${name}"\r\n\r\n${"x".repeat(bytes)}\r\n`,
  );
  return `${parts.join("")}--b--\r\n`;
}

function post(form: string): RequestInit {
  return { method: "POST", body: form, headers: { "content-type": FORM_TYPE } };
}

/** Asks by hand, and reads until the server ends the connection. */
async function readAll(stream: ByteStream, path: string): Promise<string> {
  const request = `GET ${path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n`;
  await stream.send(new TextEncoder().encode(request));
  let text = "";
  for await (const chunk of stream) text += new TextDecoder().decode(chunk);
  return text;
}

test("upload-server: the files of a form are stored; what is no form, or comes twice, is refused", async () => {
  const store = new MemoryStore(0);
  await using client = testClient(createHandler(store));
  const response = await client.fetch("/uploads/one", post(formOf(["a.txt", 100], ["b.txt", 0])));
  assert.equal(response.status, 201);
  assert.deepEqual(
    [...store.kept],
    [
      ["a.txt", 100],
      ["b.txt", 0],
    ],
  );
  const { state, files } = (await response.json()) as Progress;
  assert.deepEqual([state, files.length], ["done", 2]);
  assert.equal((await client.fetch("/uploads/one", post(formOf()))).status, 409);
  assert.equal((await client.fetch("/uploads/two", { method: "POST", body: "x" })).status, 415);
  assert.equal((await client.fetch("/uploads/three")).status, 405);
  assert.equal((await client.fetch("/uploads/../x")).status, 404);
});

test(
  "upload-server: who watches sees it grow at the pace of the store, from before it begins until it is done",
  async () => {
    const store = new MemoryStore(100);
    await using client = testClient(createHandler(store));
    await taskGroup(async (group) => {
      group.startSoon(async () => {
        await sleep(500);
        await client.fetch("/uploads/x", post(formOf(["large", 900_000])));
      });
      const text = await readAll(client.connect(), "/uploads/x/progress");
      const seen = [...text.matchAll(/^data: (.*)$/gm)].map(
        ([, data = ""]) => JSON.parse(data) as Progress,
      );
      assert.deepEqual([seen[0]?.state, seen.at(-1)?.state], ["waiting", "done"]);
      assert.ok(seen.length > 5, `${seen.length} events`);
      const received = seen.map(({ receivedBytes }) => receivedBytes);
      assert.deepEqual(
        received,
        received.toSorted((a, b) => a - b),
      );
      assert.equal(received.at(-1), 900_000);
      assert.ok(now() > 1500);
    });
  },
  ON_VIRTUAL_TIME,
);

test(
  "upload-server: of a file whose client leaves nothing stays",
  async () => {
    const store = new MemoryStore(1);
    await using client = testClient(createHandler(store));
    const form = formOf(["whole", 1000], ["cut", 100_000]);
    const head = `POST /uploads/x HTTP/1.1\r\nhost: a\r\ncontent-type: ${FORM_TYPE}\r\ncontent-length: ${form.length}\r\n\r\n`;
    {
      using stream = client.connect();
      await stream.send(new TextEncoder().encode(head + form.slice(0, 50_000)));
      await sleep(1000);
      assert.equal(store.open, 1);
    }
    await sleep(1000);
    assert.equal(store.open, 0);
    assert.deepEqual([...store.kept], [["whole", 1000]]);
    assert.match(await readAll(client.connect(), "/uploads/x/progress"), /"state":"failed"/);
  },
  ON_VIRTUAL_TIME,
);

nodeTest("safeName: a name of a client is never a path", () => {
  for (const [wish, name] of [
    ["../../etc/passwd", "passwd"],
    ["..\\..\\x", "x"],
    [".bashrc", "bashrc"],
    ["größe 1.txt", "größe 1.txt"],
    ["a\u0000b\u001b[2J", "a_b__2J"],
    ["..", "file"],
    ["", "file"],
  ] as const)
    assert.equal(safeName(wish), name);
  assert.equal(safeName("x".repeat(500)).length, 80);
});

const folder = mkdtempSync(join(tmpdir(), "arborio-uploads-"));
after(() => rmSync(folder, { recursive: true }));

/** The program, storing in a folder of its own, and where it is. */
async function start(name: string): Promise<{ program: ExampleProgram; url: string; to: string }> {
  const to = join(folder, name);
  const program = new ExampleProgram("upload-server", [to, "0"]);
  const [, url = ""] = await program.until(/ on (http.*)$/m);
  return { program, url, to };
}

nodeTest("upload-server, the program: a file arrives as it is; Ctrl-C lets an upload end", () =>
  run(
    () =>
      failAfter(20_000, async () => {
        const { program, url, to } = await start("program");
        using _program = program;
        const form = formOf(["../größe.txt", 3_000_000]);
        const bytes = new TextEncoder().encode(form);
        const head = `POST /uploads/x HTTP/1.1\r\nhost: a\r\ncontent-type: ${FORM_TYPE}\r\ncontent-length: ${bytes.length}\r\n\r\n`;
        const { hostname, port } = new URL(url);
        using stream = await connectTcp(hostname, Number(port));
        await stream.send(new TextEncoder().encode(head));
        await stream.send(bytes.subarray(0, 1_000_000));
        while (!existsSync(to) || readdirSync(to).length === 0) await sleep(5);
        program.interrupt();
        await sleep(100);
        await stream.send(bytes.subarray(1_000_000));
        let response = "";
        for await (const chunk of stream) response += new TextDecoder().decode(chunk);
        assert.match(response, /^HTTP\/1\.1 201 [^]*"state":"done"/);
        stream.close();
        assert.equal(await program.ended(), 0);
        const [name = ""] = readdirSync(to);
        assert.match(name, /^[0-9a-f]{8}-größe\.txt$/);
        assert.equal(readFileSync(join(to, name), "latin1"), "x".repeat(3_000_000));
      }),
    { signals: [] },
  ),
);

browserTest(
  "upload-server, in a browser: the bar is full when the files are stored",
  async (page) => {
    const { program, url, to } = await start("browser");
    using _program = program;
    const paths = ["one.bin", "zwei.bin"].map((name) => join(folder, name));
    for (const path of paths) writeFileSync(path, randomBytes(5_000_000));
    await page.goto(url);
    await page.setInputFiles("input", paths);
    await page.click("text=Upload >> nth=-1");
    await page.waitForSelector("li >> nth=1");
    while (!((await page.textContent("#state")) ?? "").startsWith("done, 10.0 MB")) await sleep(20);
    assert.equal(await page.getAttribute("progress", "max"), "1");
    assert.equal(await page.evaluate("document.querySelector('progress').value"), 1);
    const digest = (path: string): string =>
      createHash("sha256").update(readFileSync(path)).digest("hex");
    assert.deepEqual(
      readdirSync(to)
        .map((name) => digest(join(to, name)))
        .sort(),
      paths.map(digest).sort(),
    );
  },
);
