/** What the client is made of, beside curl: the same challenge, file, environment or proxy has to come to the same bytes. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TaskGroup } from "arborio";
import { listenTcp } from "arborio/net";
import type { ByteStream } from "arborio/streams";
import { type Handler, HttpResponse, openServer, type Server } from "@arborio/http";
import {
  basicCredentials,
  chooseDigest,
  createProxyChooser,
  digestAuthorization,
  type HashFunction,
  netrcCredentials,
  parseChallenges,
  parseNetrc,
  SocksHandshake,
  type SocksOptions,
} from "@arborio/http/protocol";
import { curl } from "./curl.test.kit.ts";
import { CURL, peerTest } from "./peer-test.test.kit.ts";

function open(group: TaskGroup, handler: Handler): Promise<Server> {
  return openServer(handler, { port: 0, host: "127.0.0.1", group, graceMs: 0 });
}

const hash: HashFunction = (name, bytes) =>
  new Uint8Array(createHash(name.replace("sha-", "sha")).update(bytes).digest());

/** The parameters of the one challenge, or answer, that a field has. */
function parametersOf(field: string): Record<string, string> {
  const [only, ...others] = parseChallenges(field);
  assert.deepEqual([only?.scheme, others.length], ["digest", 0], field);
  return Object.fromEntries(only?.parameters ?? []);
}

const DIGESTS: readonly (readonly [challenge: string, user: string])[] = [
  ['realm="r", nonce="abc", qop="auth"', "me:secret"],
  ['realm="r", nonce="abc", qop="auth,auth-int", opaque="x y", algorithm=MD5', "me:secret"],
  ['realm="r", nonce="abc", qop="auth", algorithm=MD5-sess', "me:secret"],
  ['realm="r", nonce="abc", qop="auth", algorithm=SHA-256', "me:a:b c"],
  ['realm="r", nonce="abc", qop="auth", algorithm=SHA-256-SESS', "me:secret"],
  ['realm="r, s", nonce="a/b+c==", stale=false', 'm"e\\:secret'],
  ['realm="r", nonce="abc", qop="auth", algorithm=SHA-256, userhash=true', "me:secret"],
  ['realm="r", nonce="abc", qop="auth", algorithm=SHA-256', "mé:sécret"],
];

peerTest([CURL], "digestAuthorization: answers as curl does", async (group) => {
  let challenge = "";
  await using server = await open(group, (request) => {
    const answer = request.headers.get("authorization");
    if (answer !== null) return new HttpResponse(answer);
    const headers = { "www-authenticate": `Digest ${challenge}` };
    return new HttpResponse("", { status: 401, headers });
  });
  for (const [given, user] of DIGESTS) {
    challenge = given;
    const { stdout } = await curl(["--digest", "-u", user, `${server.url}a/b?c=d`, "--globoff"]);
    const theirs = parametersOf(stdout);
    const understood = chooseDigest(parseChallenges(`Digest ${given}`));
    assert.ok(understood !== null, given);
    const colon = user.indexOf(":");
    const ours = digestAuthorization(
      understood,
      {
        method: "GET",
        target: theirs["uri"] ?? "",
        user: user.slice(0, colon),
        password: user.slice(colon + 1),
        cnonce: theirs["cnonce"] ?? "none",
        nonceCount: 1,
      },
      hash,
    );
    assert.deepEqual(parametersOf(ours), theirs, given);
  }
});

/** Reads so many bytes, and what came behind them in the same piece is an error. */
async function read(stream: ByteStream, count: number): Promise<number[]> {
  const bytes: number[] = [];
  while (bytes.length < count) bytes.push(...(await stream.receive()));
  assert.equal(bytes.length, count);
  return bytes;
}

const BOUND: readonly number[] = [5, 0, 0, 1, 0, 0, 0, 0, 0, 0];
const GRANTED: readonly number[] = [0, 90, 0, 0, 0, 0, 0, 0];

const PROXIES: readonly (readonly [
  args: readonly string[],
  options: Partial<SocksOptions>,
  answers: readonly (readonly number[])[],
])[] = [
  [["--socks5-hostname"], { host: "a.example" }, [[5, 0], BOUND]],
  [["--socks5"], { host: "192.0.2.7", resolveAt: "client" }, [[5, 0], BOUND]],
  [["--socks5"], { host: "[2001:db8::1]" }, [[5, 0], BOUND]],
  [
    ["--proxy-user", "me:sécret", "--socks5-hostname"],
    { host: "a.example", credentials: { user: "me", password: "sécret" } },
    [[5, 2], [1, 0], BOUND],
  ],
  [["--socks4a"], { host: "a.example", version: 4 }, [GRANTED]],
  [["--socks4"], { host: "192.0.2.7", version: 4 }, [GRANTED]],
  [
    ["--proxy-user", "me", "--socks4"],
    { host: "192.0.2.7", version: 4, credentials: { user: "me", password: "" } },
    [GRANTED],
  ],
];

peerTest([CURL], "SocksHandshake: says to a proxy what curl says", async (group) => {
  for (const [args, options, answers] of PROXIES) {
    using listener = await listenTcp(0, { host: "127.0.0.1" });
    const host = options.host ?? "";
    const ours = new SocksHandshake({ host, port: 8080, ...options });
    group.startSoon(async () => {
      using stream = await listener.accept();
      for (const answer of answers) {
        const expected = [...ours.takeOutgoing()];
        assert.deepEqual(await read(stream, expected.length), expected, args.join(" "));
        ours.push(Uint8Array.from(answer));
        await stream.send(Uint8Array.from(answer));
      }
      await stream.receive();
      await stream.send(new TextEncoder().encode("HTTP/1.0 200 OK\r\n\r\nthere"));
    });
    const proxy = [...args, `127.0.0.1:${listener.port}`];
    const { stdout } = await curl([
      "--socks5-basic",
      ...proxy,
      `http://${host}:8080/`,
      "--globoff",
    ]);
    assert.equal(stdout, "there", args.join(" "));
    assert.ok(ours.connection !== null);
  }
});

const FILES: readonly string[] = [
  "machine 127.0.0.1 login me password secret",
  "machine example.org login no password no\nmachine 127.0.0.1\n\tlogin me\n\tpassword secret\n",
  "default login anyone password at-all",
  "machine 127.0.0.1 login a password b\ndefault login no password no",
  "# a comment\nmachine 127.0.0.1 login a password b",
  'machine 127.0.0.1 login "a b" password "c \\"d\\" \\\\e"',
  'machine 127.0.0.1 login a password b\\c"d',
  "macdef init\nmachine 127.0.0.1 login no\n\nmachine 127.0.0.1 login a password b",
  "machine 127.0.0.1 login a password b account c",
];

peerTest([CURL], "parseNetrc: finds what curl finds", async (group) => {
  await using server = await open(
    group,
    (request) => new HttpResponse(request.headers.get("authorization") ?? "none"),
  );
  const folder = mkdtempSync(join(tmpdir(), "arborio-netrc-"));
  try {
    for (const [index, text] of FILES.entries()) {
      const file = join(folder, `netrc-${index}`);
      writeFileSync(file, text);
      const { stdout } = await curl(["--netrc-file", file, server.url]);
      const found = netrcCredentials(parseNetrc(text), "127.0.0.1");
      assert.ok(found !== null, text);
      assert.equal(basicCredentials(found.user, found.password), stdout, text);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

const EXCEPTIONS: readonly (readonly [noProxy: string, host: string])[] = [
  ["", "a.example"],
  ["*", "a.example"],
  ["a.example", "a.example"],
  ["a.example", "b.a.example"],
  ["a.example", "ba.example"],
  [".a.example", "a.example"],
  [".a.example", "b.a.example"],
  ["A.Example.", "a.example"],
  ["x, a.example ,y", "a.example"],
  ["x a.example", "a.example"],
  ["127.0.0.1", "127.0.0.1"],
  ["127.0.0.0/8", "127.0.0.1"],
  ["10.0.0.0/8", "127.0.0.1"],
  ["0.0.1", "127.0.0.1"],
  ["localhost", "127.0.0.1"],
];

peerTest([CURL], "createProxyChooser: chooses as curl does", async (group) => {
  await using proxy = await open(group, () => new HttpResponse("proxy"));
  await using direct = await open(group, () => new HttpResponse("direct"));
  const { port } = new URL(direct.url);
  for (const [no_proxy, host] of EXCEPTIONS) {
    const env = { http_proxy: proxy.url, no_proxy, NO_PROXY: no_proxy };
    const url = `http://${host}:${port}/`;
    const { stdout } = await curl(["--resolve", `${host}:${port}:127.0.0.1`, url], { env });
    const ours = createProxyChooser(env)(new URL(url));
    assert.equal(ours === null ? "direct" : "proxy", stdout, `${no_proxy}: ${host}`);
  }
});
