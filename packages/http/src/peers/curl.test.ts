/** The server with curl: what its options make of a connection, and what it makes of ours. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Event, sleep, sleepForever, type TaskGroup } from "arborio";
import { type Handler, HttpError, HttpRequest, HttpResponse, openServer } from "@arborio/http";
import type { Server, ServerOptions } from "@arborio/http";
import { curl, parted } from "./curl.test.kit.ts";
import { CURL, OPENSSL, peerTest } from "./peer-test.test.kit.ts";
import { Program, runProgram } from "./program.test.kit.ts";

/** More than any buffer on the way holds. */
const LARGE_BYTES = 12_000_000;
const LARGE: Uint8Array = new Uint8Array(LARGE_BYTES).map(
  (_, index) => (index * 7 + index / 251) & 255,
);

/** More than the buffers of both systems hold of what nobody reads. */
const SLOW_BYTES_MAX = 30_000_000;

const sha = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

function open(group: TaskGroup, handler: Handler, options: ServerOptions = {}): Promise<Server> {
  return openServer(handler, { port: 0, host: "127.0.0.1", group, graceMs: 0, ...options });
}

const hello: Handler = () => new HttpResponse("hello\n");

peerTest([CURL], "curl: HTTP/1.1, two requests on one connection", async (group) => {
  await using server = await open(
    group,
    (request) => new HttpResponse(new URL(request.url).pathname),
  );
  const format = ["-w", " %{http_version} %{num_connects}\n"];
  const { stdout } = await curl([...format, `${server.url}a`, `${server.url}b`]);
  assert.equal(stdout, "/a 1.1 1\n/b 1.1 0\n");
});

peerTest(
  [CURL],
  "curl: HTTP/1.0 gets one response, and the end of the connection",
  async (group) => {
    await using server = await open(group, (request) =>
      request.url.endsWith("/stream")
        ? new HttpResponse(async (sink) => {
            await sink.send("one\n");
            await sink.send("two\n");
          })
        : new HttpResponse("whole\n"),
    );
    const [wholeHead, whole] = parted((await curl(["-0", "-i", server.url])).stdout);
    assert.match(wholeHead, /^HTTP\/1\.1 200 OK\r\n/);
    assert.match(wholeHead, /\r\ncontent-length: 6(\r\n|$)/);
    assert.equal(whole, "whole\n");
    const [head, body] = parted((await curl(["-0", "-i", `${server.url}stream`])).stdout);
    assert.doesNotMatch(head, /transfer-encoding|content-length/i);
    assert.match(head, /\r\nconnection: close/);
    assert.equal(body, "one\ntwo\n");
  },
);

peerTest([CURL], "curl: HTTP/1.0 with keep-alive keeps the connection", async (group) => {
  await using server = await open(group, hello);
  const args = ["-0", "-H", "Connection: keep-alive", "-i", "-w", "%{num_connects}\n"];
  const { stdout } = await curl([...args, server.url, server.url]);
  assert.match(stdout, /connection: keep-alive\r\n[^]*hello\n1\n[^]*hello\n0\n$/);
});

peerTest([CURL], "curl: HEAD gets the head of GET, and no body", async (group) => {
  await using server = await open(group, hello);
  const { stdout } = await curl(["-I", "-w", "%{num_connects}\n", server.url, server.url]);
  const [, first, second] = /^([^]*?\r\n\r\n)1\n([^]*?\r\n\r\n)0\n$/.exec(stdout) ?? [];
  assert.match(first ?? stdout, /^HTTP\/1\.1 200 OK\r\n[^]*content-length: 6\r\n/);
  assert.match(second ?? stdout, /^HTTP\/1\.1 200 OK\r\n/);
});

peerTest([CURL], "curl: Expect: 100-continue is answered when the body is read", async (group) => {
  await using server = await open(group, async (request) => new HttpResponse(await request.text()));
  const body = ["-H", "Expect: 100-continue", "--expect100-timeout", "20", "--data", "wanted"];
  const { stdout, stderr } = await curl(["-v", ...body, server.url]);
  assert.equal(stdout, "wanted");
  assert.match(stderr, /< HTTP\/1\.1 100 Continue[^]*< HTTP\/1\.1 200 OK/);
});

peerTest([CURL], "curl: a body that is refused before it is read is not sent", async (group) => {
  await using server = await open(group, () => {
    throw new HttpError(403, "not yours");
  });
  const body = ["-H", "Expect: 100-continue", "--expect100-timeout", "20", "--data-binary", "@-"];
  const format = ["-v", "-w", "%{http_code} %{size_upload}\n"];
  const { stdout, stderr } = await curl([...format, ...body, server.url], { input: LARGE });
  assert.match(stdout, /403 0\n$/);
  assert.doesNotMatch(stderr, /100 Continue/);
});

peerTest([CURL], "curl: a chunked upload of any length, and a response as long", async (group) => {
  await using server = await open(group, (request) => {
    assert.ok(request instanceof HttpRequest);
    assert.equal(request.headers.get("transfer-encoding"), "chunked");
    request.bodyBytesMax = LARGE_BYTES;
    return new HttpResponse(request.bodyStream);
  });
  const { bytes } = await curl(["-T", "-", "-H", "Expect:", server.url], { input: LARGE });
  assert.equal(bytes.length, LARGE_BYTES);
  assert.equal(sha(bytes), sha(LARGE));
});

peerTest([CURL], "curl: a body beyond the limit is 413, announced or not", async (group) => {
  await using server = await open(
    group,
    async (request) => new HttpResponse(await request.text()),
    {
      limits: { bodyBytesMax: 1000 },
    },
  );
  for (const upload of [
    ["-T", "-", "-H", "Expect:"],
    ["--data-binary", "@-", "-H", "Expect:"],
  ]) {
    // It may see the connection end while it still sends: then its code is not 0, and the response is there all the same.
    const args = ["-q", "-sS", "-w", "%{http_code}\n", ...upload, server.url];
    const { stdout } = await runProgram("curl", args, { input: LARGE });
    assert.match(stdout, /413\n$/, upload.join(" "));
  }
});

peerTest([CURL], "curl: chunks and trailers as they are on the wire", async (group) => {
  await using server = await open(
    group,
    () =>
      new HttpResponse(
        async (sink) => {
          await sink.send("hello");
          await sink.send(" there");
        },
        { headers: { trailer: "checksum" }, trailers: () => ({ checksum: "abc" }) },
      ),
  );
  const [, raw] = parted((await curl(["-i", "--raw", "-H", "TE: trailers", server.url])).stdout);
  assert.equal(raw, "5\r\nhello\r\n6\r\n there\r\n0\r\nchecksum: abc\r\n\r\n");
  // And it understands them.
  const { stdout } = await curl(["-H", "TE: trailers", "-D", "-", server.url]);
  assert.match(stdout, /\r\n\r\nhello there(?:checksum: abc\r\n)?/);
});

peerTest([CURL], "curl: many requests at once", async (group) => {
  await using server = await open(group, async (request) => {
    await sleep(5);
    return new HttpResponse(`${new URL(request.url).search}\n`);
  });
  const { stdout } = await curl(["-Z", "--parallel-max", "40", `${server.url}?[1-200]`]);
  const wanted = Array.from({ length: 200 }, (_, index) => `?${index + 1}`);
  assert.deepEqual(stdout.trim().split("\n").sort(), wanted.sort());
});

peerTest(
  [CURL],
  "curl: an offer of HTTP/2 is declined, a start in HTTP/2 refused",
  async (group) => {
    await using server = await open(group, hello);
    const { stdout } = await curl(["--http2", "-w", "%{http_version}\n", server.url]);
    assert.equal(stdout, "hello\n1.1\n");
    const ended = await runProgram("curl", ["-q", "-sS", "--http2-prior-knowledge", server.url]);
    assert.notEqual(ended.code, 0);
    assert.equal((await curl([server.url])).stdout, "hello\n");
  },
);

peerTest(
  [CURL],
  "curl: a client that leaves ends its handler, whose cleanup runs",
  async (group) => {
    const [begun, cleanedUp] = [new Event(), new Event()];
    await using server = await open(group, async () => {
      begun.set();
      try {
        return await sleepForever();
      } finally {
        cleanedUp.set();
      }
    });
    using program = new Program("curl", ["-q", "-sS", server.url]);
    await begun.wait();
    assert.equal(cleanedUp.isSet, false);
    program.signal("SIGTERM");
    await cleanedUp.wait();
  },
);

peerTest([CURL], "curl: a slow reader holds the producer back", async (group) => {
  let sent = 0;
  await using server = await open(group, () => {
    const piece = new Uint8Array(65_536);
    return new HttpResponse(async (sink) => {
      for (;;) {
        await sink.send(piece);
        sent += piece.length;
        // What the system's buffers hold on both sides; without backpressure it would go on.
        assert.ok(sent < SLOW_BYTES_MAX);
      }
    });
  });
  const args = ["-q", "-sS", "--limit-rate", "1k", "-o", "/dev/null", server.url];
  using program = new Program("curl", args);
  // Until nothing has been taken for a while.
  for (let before = -1; sent === 0 || sent !== before;) {
    before = sent;
    await sleep(500);
    assert.equal(program.hasEnded, false, program.printed);
  }
  assert.ok(sent < SLOW_BYTES_MAX, `${sent} bytes`);
});

peerTest([CURL], "curl: early hints come before the response", async (group) => {
  await using server = await open(group, async (_request, context) => {
    await context.earlyHints({ link: "</a.css>; rel=preload; as=style" });
    return new HttpResponse("hello");
  });
  const { stdout, stderr } = await curl(["-v", server.url, server.url]);
  assert.equal(stdout, "hellohello");
  const hinted = /< HTTP\/1\.1 103 Early Hints\r\n< link: <\/a\.css>[^]*?< HTTP\/1\.1 200 OK/g;
  assert.equal(stderr.match(hinted)?.length, 2, stderr);
  const old = await curl(["-0", "-v", server.url]);
  assert.doesNotMatch(old.stderr, / 103 /);
});

peerTest([CURL, OPENSSL], "curl: HTTPS, two requests on one connection", async (group) => {
  const folder = mkdtempSync(join(tmpdir(), "arborio-curl-"));
  using _folder = { [Symbol.dispose]: () => rmSync(folder, { recursive: true }) };
  const [key, certificate] = [join(folder, "key.pem"), join(folder, "certificate.pem")];
  const made = await runProgram("openssl", [
    ..."req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2".split(" "),
    ..."-subj /CN=localhost -addext subjectAltName=DNS:localhost".split(" "),
    "-keyout",
    key,
    "-out",
    certificate,
  ]);
  assert.equal(made.code, 0, made.stderr);
  const identity = {
    certificate: readFileSync(certificate, "utf8"),
    privateKey: readFileSync(key, "utf8"),
  };
  await using server = await open(
    group,
    (request, { tls }) => new HttpResponse(`${request.url} ${tls?.version} ${tls?.alpnProtocol}\n`),
    { tls: { identity, alpnProtocols: ["http/1.1"] } },
  );
  const url = `https://localhost:${server.port}/`;
  const format = ["-w", "%{num_connects}\n", "--cacert", certificate];
  const { stdout } = await curl([...format, "-4", `${url}a`, `${url}b`]);
  assert.equal(stdout, `${url}a TLSv1.3 http/1.1\n1\n${url}b TLSv1.3 http/1.1\n0\n`);
  // Who does not speak TLS, or does not trust us, disturbs nobody.
  assert.notEqual(
    (await runProgram("curl", ["-q", "-s", "-m5", `http://127.0.0.1:${server.port}/`])).code,
    0,
  );
  assert.equal((await runProgram("curl", ["-q", "-s", "-4", url])).code, 60);
  assert.match((await curl([...format, "-4", url])).stdout, /TLSv1\.3/);
});

peerTest([CURL], "curl: over a Unix socket", async (group) => {
  const folder = mkdtempSync(join(tmpdir(), "arborio-curl-"));
  using _folder = { [Symbol.dispose]: () => rmSync(folder, { recursive: true }) };
  const path = join(folder, "http.sock");
  await using _server = await openServer((request) => new HttpResponse(request.url), {
    path,
    group,
    graceMs: 0,
  });
  const { stdout } = await curl(["--unix-socket", path, "http://site.test/a"]);
  assert.equal(stdout, "http://site.test/a");
});
