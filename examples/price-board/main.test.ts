import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { ChildProgram, type Finished, runProgram } from "./child-program.ts";

// These start processes on real time: about 100 to 300 ms each, and one sees the demo's own sources time out.

interface Document {
  readonly ending: string;
  readonly prices: number;
  readonly sources: readonly {
    readonly name: string;
    readonly state: string;
    readonly price?: number;
    readonly why?: string;
  }[];
  readonly busiest: { readonly tasks: number; readonly tree: readonly string[] };
}

/** A server whose `/held…` answer when told. */
class TestServer {
  readonly #server: Server = createServer((request, response) => {
    if (request.url?.startsWith("/held") === true) this.#held.push(response);
    else if (request.url === "/gold") response.end('{"price": 2000.5, "currency": "USD"}');
    else response.writeHead(404).end();
    this.#onRequest();
  });
  readonly #held: ServerResponse[] = [];
  #onRequest: () => void = () => {};

  async open(): Promise<void> {
    await new Promise<void>((listening) => this.#server.listen(0, "127.0.0.1", listening));
  }

  async close(): Promise<void> {
    await new Promise<void>((closed) => {
      this.#server.close(() => closed());
      this.#server.closeAllConnections();
    });
  }

  url(path: string): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}${path}`;
  }

  async holds(count: number): Promise<void> {
    while (this.#held.length < count)
      await new Promise<void>((resolve) => (this.#onRequest = resolve));
  }

  release(): void {
    for (const response of this.#held.splice(0)) response.end("7");
  }
}

const server: TestServer = new TestServer();
const folder: string = mkdtempSync(join(tmpdir(), "price-board-"));
before(() => server.open());
after(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

function list(name: string, ...lines: string[]): string {
  const path = join(folder, name);
  writeFileSync(path, `${lines.join("\n")}\n`);
  return path;
}

function parse({ stdout }: Finished): Document {
  return JSON.parse(stdout) as Document;
}

function states(document: Document): string[] {
  return document.sources.map(({ name, state }) => `${name}: ${state}`);
}

test("demo: piped, plain lines, the table, why there is no price, and the task tree; exit code 0", async () => {
  // All at once, so that nothing waits behind what hangs; patiently, so that a busy machine changes no answer.
  const options = "--concurrency 26 --timeout 3000 --retries 0 --deadline 30000".split(" ");
  const { code, stdout, stderr } = await runProgram(...options);
  assert.equal(stderr, "");
  assert.equal(code, 0);
  assert.match(stdout, /^cedar +230\.00 EUR \(\d+ ms\)$/m);
  assert.match(stdout, /^Prices: \d+ of 26 sources/m);
  assert.match(stdout, /^ {2}birch +timed out +no answer after 3000 ms/m);
  assert.match(stdout, /^ {2}hemlock +timed out +HTTP 200, body unfinished after 3000 ms/m);
  assert.match(stdout, /^ {2}elder +failed +HTTP 404/m);
  assert.match(stdout, /^The task tree at its busiest/m);
  assert.doesNotMatch(stdout, /\p{Cc}(?<!\n)/u, "control characters in piped output");
});

test("demo --fatal: the refusal ends the board, the rest is cancelled; exit code 1", async () => {
  const finished = await runProgram("--fatal", "--json");
  const document = parse(finished);
  assert.equal(finished.code, 1);
  assert.equal(document.ending, "fatal");
  assert.equal(states(document).at(-1), "yew: not asked");
  assert.match(
    document.sources.find(({ name }) => name === "birch")?.why ?? "",
    /hazel refused us/,
  );
});

test("demo --urls: real sources, as JSON", async () => {
  const path = list("ok.txt", "# metals", `gold ${server.url("/gold")}`, server.url("/tin"));
  const finished = await runProgram("--urls", path, "--json");
  const document = parse(finished);
  assert.deepEqual([finished.code, finished.stderr], [0, ""]);
  assert.equal(document.ending, "complete");
  assert.equal(document.prices, 1);
  assert.equal(document.sources[0]?.price, 2000.5);
  assert.match(document.sources[1]?.why ?? "", /HTTP 404/);
  assert.ok(document.busiest.tasks > 1);
});

test("demo: no price at all is exit code 1; a port where nobody listens says so", async () => {
  const closed = new TestServer();
  await closed.open();
  const url = closed.url("/gold");
  await closed.close();
  const finished = await runProgram("--urls", list("closed.txt", url), "--retries", "0", "--json");
  const [source] = parse(finished).sources;
  assert.equal(finished.code, 1);
  assert.equal(source?.state, "failed");
  assert.match(source.why ?? "", /refused|unable to connect/i);
});

test("demo: wrong usage is a clear message and exit code 2", async () => {
  const cases: [args: string[], message: RegExp][] = [
    [["--frobnicate"], /--frobnicate/],
    [["--urls", "/no/such/file"], /\/no\/such\/file: there is no such file/],
    [
      ["--urls", list("bad.txt", "http://a.example", "not-a-url")],
      /bad\.txt:2: not a URL: "not-a-url"/,
    ],
    [["--urls", list("ftp.txt", "ftp://a.example")], /ftp\.txt:1: not an http or https URL/],
    [["--urls", list("empty.txt", "# nothing")], /empty\.txt: there is no URL/],
    [["--concurrency", "many"], /--concurrency: got "many"/],
  ];
  for (const [args, message] of cases) {
    const { code, stdout, stderr } = await runProgram(...args);
    assert.equal(code, 2, `${args.join(" ")}: ${stderr}`);
    assert.match(stderr, message);
    assert.match(stderr, /--help/);
    assert.doesNotMatch(stderr, /^ +at /m, "a stack trace");
    assert.equal(stdout, "");
  }
});

test("demo --help: what it can do; exit code 0", async () => {
  const { code, stdout } = await runProgram("--help");
  assert.equal(code, 0);
  for (const option of ["urls", "json", "concurrency", "timeout", "deadline", "retries", "fatal"])
    assert.match(stdout, new RegExp(`--${option}\\b`));
});

/** Starts the program on three sources that do not answer, two at a time, and waits until it has asked two. */
async function startHeld(name: string): Promise<ChildProgram> {
  const urls = ["/held1", "/held2", "/held3"].map((path) => `${path.slice(1)} ${server.url(path)}`);
  const program = new ChildProgram(["--urls", list(name, ...urls), "--concurrency", "2", "--json"]);
  await server.holds(2);
  return program;
}

for (const [signal, code] of [
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const) {
  test(`demo: ${signal} once lets requests in flight end, prints the report; exit code ${code}`, async () => {
    const program = await startHeld(`${signal}.txt`);
    program.kill(signal);
    await program.said("Stopping");
    server.release();
    const finished = await program.finished();
    assert.equal(finished.code, code);
    const document = parse(finished);
    assert.equal(document.ending, "interrupted");
    assert.deepEqual(states(document), ["held1: price", "held2: price", "held3: not asked"]);
  });
}

test("demo: Ctrl-C twice stops at once; exit code 130", async () => {
  const program = await startHeld("twice.txt");
  program.kill("SIGINT");
  await program.said("Stopping");
  // As fast as a person presses twice.
  await new Promise((pressed) => setTimeout(pressed, 150));
  const began = performance.now();
  program.kill("SIGINT");
  const finished = await program.finished();
  assert.equal(finished.code, 130);
  // The grace of the first one is 3 s.
  assert.ok(performance.now() - began < 2000);
  assert.deepEqual(states(parse(finished)), [
    "held1: cut short",
    "held2: cut short",
    "held3: not asked",
  ]);
  server.release();
});

test("demo: a Ctrl-C that npm has passed on as well counts once", async () => {
  const program = await startHeld("passed-on.txt");
  program.kill("SIGINT");
  program.kill("SIGINT");
  await program.said("Stopping");
  server.release();
  const finished = await program.finished();
  assert.equal(finished.code, 130);
  assert.equal(parse(finished).prices, 2);
});

test("demo: whoever reads its output may stop reading", async () => {
  const program = new ChildProgram(["--deadline", "500"]);
  program.closeStdout();
  const { stderr } = await program.finished();
  assert.equal(stderr, "");
});
