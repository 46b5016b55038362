/** The server with a browser: Debian's Chromium, without a window. */
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { type Browser, chromium, type Page } from "playwright-core";
import { Event, sleep, type TaskGroup } from "arborio";
import {
  compress,
  eventStreamResponse,
  type Handler,
  HttpResponse,
  openServer,
  serveDirectory,
  upgradeWebSocket,
  type WebSocketClosedError,
} from "@arborio/http";
import { CHROMIUM, peerTest } from "./peer-test.test.kit.ts";

let browser: Promise<Browser> | undefined;
after(async () => (await browser)?.close());

const HTML = { headers: { "content-type": "text/html;charset=utf-8" } };

/** A page of its own, with all that it found wrong. */
async function openPage(): Promise<{ page: Page; errors: string[] } & AsyncDisposable> {
  browser ??= chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
  const context = await (await browser).newContext();
  const page = await context.newPage();
  const errors: string[] = [];
  page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("requestfailed", (request) =>
    errors.push(`${request.url()}: ${request.failure()?.errorText}`),
  );
  return { page, errors, [Symbol.asyncDispose]: () => context.close() };
}

function browserTest(title: string, body: (group: TaskGroup) => Promise<void>): void {
  peerTest([CHROMIUM], `chromium: ${title}`, body);
}

const open = (group: TaskGroup, handler: Handler) =>
  openServer(handler, { port: 0, host: "127.0.0.1", group, graceMs: 0 });

browserTest("a page with its parts, over few connections", async (group) => {
  const ports = new Set<number>();
  await using server = await open(group, (request, { peer }) => {
    ports.add((peer as { port: number }).port);
    const { pathname } = new URL(request.url);
    if (pathname === "/favicon.ico") return new HttpResponse(null, { status: 204 });
    if (pathname === "/style.css") {
      return new HttpResponse("h1 { color: rgb(1, 2, 3) }", {
        headers: { "content-type": "text/css" },
      });
    }
    if (pathname.startsWith("/part")) {
      const type = { "content-type": "text/javascript" };
      return new HttpResponse(`globalThis.parts = (globalThis.parts ?? 0) + 1;`, { headers: type });
    }
    const parts = Array.from({ length: 30 }, (_, part) => `<script src="part${part}.js"></script>`);
    return new HttpResponse(
      `<!doctype html><title>Größe</title><link rel="stylesheet" href="style.css"><h1>Hi</h1>${parts.join("")}`,
      HTML,
    );
  });
  await using opened = await openPage();
  const { page, errors } = opened;
  await page.goto(server.url);
  assert.equal(await page.title(), "Größe");
  assert.equal(await page.evaluate("globalThis.parts"), 30);
  assert.equal(
    await page.evaluate("getComputedStyle(document.querySelector('h1')).color"),
    "rgb(1, 2, 3)",
  );
  assert.deepEqual(errors, []);
  // A browser opens six to a host; one of them may be a spare.
  assert.ok(ports.size <= 7, `${ports.size} connections for 32 requests`);
});

browserTest("a form, a redirect after it, and a cookie", async (group) => {
  await using server = await open(group, async (request) => {
    if (request.method === "POST") {
      const form = await request.formData();
      const answer = HttpResponse.redirect("/done?a=b", 303);
      const name = encodeURIComponent(String(form.get("name")));
      answer.headers.append("set-cookie", `name=${name}; Path=/; HttpOnly; SameSite=Strict`);
      answer.headers.append("set-cookie", `lines=${encodeURIComponent(String(form.get("text")))}`);
      return answer;
    }
    if (new URL(request.url).pathname === "/done") {
      return new HttpResponse(`<p>${request.headers.get("cookie")}</p>`, HTML);
    }
    return new HttpResponse(
      `<!doctype html><form method="post"><input name="name"><textarea name="text"></textarea><button>Go</button></form>`,
      HTML,
    );
  });
  await using opened = await openPage();
  const { page } = opened;
  await page.goto(server.url);
  await page.fill("input", "Ünï & +cödé");
  await page.fill("textarea", "one\ntwo");
  await page.click("button");
  await page.waitForURL("**/done?a=b");
  assert.equal(
    decodeURIComponent((await page.textContent("p")) ?? ""),
    "name=Ünï & +cödé; lines=one\r\ntwo",
  );
});

browserTest("an upload of files", async (group) => {
  const files = [
    { name: "größe.bin", mimeType: "application/x-test", buffer: randomBytes(500_000) },
    { name: "b.txt", mimeType: "text/x-test", buffer: Buffer.from("line\r\n") },
  ];
  const digest = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
  await using server = await open(group, async (request) => {
    if (request.method === "GET") {
      return new HttpResponse(
        `<!doctype html><form method="post" enctype="multipart/form-data"><input name="title" value="ü">
         <input type="file" name="file" multiple><button>Go</button></form>`,
        HTML,
      );
    }
    const form = await request.formData();
    const seen: unknown[] = [form.get("title")];
    for (const file of form.getAll("file") as File[]) {
      seen.push([file.name, file.type, digest(new Uint8Array(await file.arrayBuffer()))]);
    }
    return HttpResponse.json(seen);
  });
  await using opened = await openPage();
  const { page } = opened;
  await page.goto(server.url);
  await page.setInputFiles("input[type=file]", files);
  await page.click("button");
  await page.waitForSelector("pre");
  assert.deepEqual(JSON.parse((await page.textContent("pre")) ?? ""), [
    "ü",
    ...files.map(({ name, mimeType, buffer }) => [name, mimeType, digest(buffer)]),
  ]);
});

browserTest(
  "server-sent events, again from where they broke off, until the page is left",
  async (group) => {
    const [streaming, cleaned] = [new Event(), new Event()];
    const lastIds: (string | undefined)[] = [];
    await using server = await open(group, (request) => {
      if (new URL(request.url).pathname !== "/events")
        return new HttpResponse("<!doctype html>", HTML);
      return eventStreamResponse(
        request,
        async (events) => {
          lastIds.push(events.lastEventId);
          const next = Number(events.lastEventId ?? 0) + 1;
          await events.send({ id: `${next}`, event: "tick", data: `ü\n${next}` });
          if (next < 3) return;
          streaming.set();
          try {
            await sleep(60_000);
          } finally {
            cleaned.set();
          }
        },
        { retryMs: 20 },
      );
    });
    await using opened = await openPage();
    const { page } = opened;
    await page.goto(server.url);
    await page.evaluate(`globalThis.seen = [];
    new EventSource("/events").addEventListener("tick", ({ data, lastEventId }) => seen.push([lastEventId, data]))`);
    await streaming.wait();
    await page.waitForFunction("seen.length >= 3");
    assert.deepEqual(await page.evaluate("seen"), [
      ["1", "ü\n1"],
      ["2", "ü\n2"],
      ["3", "ü\n3"],
    ]);
    assert.deepEqual(lastIds, [undefined, "1", "2"]);
    await page.goto("about:blank");
    await cleaned.wait();
  },
);

browserTest("fetch reads a body as it is made, and its abort ends the handler", async (group) => {
  const [seen, cleaned] = [new Event(), new Event()];
  await using server = await open(group, (request) => {
    if (new URL(request.url).pathname !== "/stream")
      return new HttpResponse("<!doctype html>", HTML);
    return new HttpResponse(async (sink) => {
      try {
        await sink.send("first");
        await seen.wait();
        await sink.send("second");
        await sleep(60_000);
      } finally {
        cleaned.set();
      }
    });
  });
  await using opened = await openPage();
  const { page } = opened;
  await page.goto(server.url);
  await page.evaluate(`(async () => {
    globalThis.controller = new AbortController();
    const { body } = await fetch("/stream", { signal: controller.signal });
    globalThis.reader = body.pipeThrough(new TextDecoderStream()).getReader();
  })()`);
  assert.deepEqual(await page.evaluate("reader.read()"), { done: false, value: "first" });
  seen.set();
  assert.deepEqual(await page.evaluate("reader.read()"), { done: false, value: "second" });
  await page.evaluate("controller.abort()");
  await cleaned.wait();
});

browserTest("a compressed page, a download, and a part of a file", async (group) => {
  const folder = mkdtempSync(join(tmpdir(), "arborio-chromium-"));
  using _folder = { [Symbol.dispose]: () => rmSync(folder, { recursive: true }) };
  const bytes = randomBytes(3_000_000);
  writeFileSync(join(folder, "large.bin"), bytes);
  const filler = `<!-- ${"compressible ".repeat(500)} -->`;
  writeFileSync(
    join(folder, "index.html"),
    `${filler}<a href="large.bin" download="ö.bin">get</a>`,
  );
  await using server = await open(group, compress(serveDirectory(folder)));
  await using opened = await openPage();
  const { page } = opened;
  const response = await page.goto(server.url);
  assert.equal(response?.headers()["content-encoding"], "br");
  const coming = page.waitForEvent("download");
  await page.click("a");
  const download = await coming;
  assert.equal(download.suggestedFilename(), "ö.bin");
  const to = join(folder, "downloaded");
  await download.saveAs(to);
  assert.ok(readFileSync(to).equals(bytes));
  const part = await page.evaluate(`fetch("large.bin", { headers: { range: "bytes=1000-1002" } })
    .then(async (response) => [response.status, ...new Uint8Array(await response.arrayBuffer())])`);
  assert.deepEqual(part, [206, ...bytes.subarray(1000, 1003)]);
});

browserTest("a WebSocket with compression: texts, bytes, and both ways to close", async (group) => {
  const lines: string[] = [];
  let closed: WebSocketClosedError | undefined;
  await using server = await open(group, (request, context) => {
    if (request.headers.get("upgrade") === null) return new HttpResponse("<h1>page</h1>", HTML);
    return upgradeWebSocket(
      request,
      context,
      async (socket) => {
        for await (const message of socket) {
          lines.push(typeof message === "string" ? message.slice(0, 20) : `${message.length}`);
          await socket.send(message);
          if (message === "close me") await socket.close(4001, "as you like");
        }
        closed = socket.closed;
      },
      { compression: true, protocols: ["lines"] },
    );
  });
  await using opened = await openPage();
  const { page, errors } = opened;
  await page.goto(server.url);
  await page.evaluate(`(() => {
    globalThis.open = () => new Promise((resolve) => {
      const socket = new WebSocket(location.href.replace("http", "ws"), ["other", "lines"]);
      socket.binaryType = "arraybuffer";
      const waiting = [], came = [];
      const put = (value) => waiting.length > 0 ? waiting.shift()(value) : came.push(value);
      socket.onmessage = ({ data }) => put(data);
      socket.onclose = ({ code, reason, wasClean }) => put([code, reason, wasClean]);
      socket.onopen = () => resolve([socket.protocol, socket.extensions]);
      globalThis.socket = socket;
      globalThis.next = () => came.length > 0 ? came.shift() : new Promise((take) => waiting.push(take));
    });
  })()`);
  assert.deepEqual(await page.evaluate("open()"), ["lines", "permessage-deflate"]);
  const before = server.statistics();
  const text = "arborio ü ".repeat(20_000);
  await page.evaluate(`socket.send(${JSON.stringify(text)})`);
  assert.equal(await page.evaluate("next()"), text);
  const after = server.statistics();
  assert.ok(after.bytesReceived - before.bytesReceived < 20_000, "the page compresses");
  assert.ok(after.bytesSent - before.bytesSent < 20_000, "the server compresses");
  await page.evaluate("socket.send(new Uint8Array(70000).fill(7))");
  assert.deepEqual(
    await page.evaluate(
      "Promise.resolve(next()).then((data) => [data.byteLength, new Uint8Array(data)[69999]])",
    ),
    [70_000, 7],
  );
  await page.evaluate('socket.send("close me")');
  assert.equal(await page.evaluate("next()"), "close me");
  assert.deepEqual(await page.evaluate("next()"), [4001, "as you like", true]);
  await page.evaluate("open()");
  await page.evaluate('socket.close(4002, "enough")');
  assert.deepEqual(await page.evaluate("next()"), [4002, "", true]);
  while (closed?.code !== 4002) await sleep(10);
  assert.equal(closed.reason, "enough");
  assert.deepEqual(lines, ["arborio ü arborio ü ", "70000", "close me"]);
  assert.deepEqual(errors, []);
});
