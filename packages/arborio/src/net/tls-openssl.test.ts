/** TLS against OpenSSL's own server and client, as programs. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, before, describe, test as nodeTest } from "node:test";
import {
  abandonOnCancel,
  BrokenResourceError,
  run,
  sleep,
  type TaskGroup,
  TlsError,
  type TlsFailure,
} from "../index.ts";
import { connectTcp, listenTcp, type SocketStream, type TlsClientOptions } from "../net.ts";
import * as certificates from "../testing/certificates.ts";

/** A broken promise often shows as a test that never ends. */
const TEST_MS_MAX = 20_000;

const IS_BUN = process.versions["bun"] !== undefined;
const HAS_SESSIONS = process.versions["deno"] === undefined;
const IS_MISSING = spawnSync("openssl", ["version"]).status !== 0;

const { authority, client, other, selfSigned, server } = certificates;

const LARGE_BYTES = 3_000_000;

let folder = "";
before(() => {
  folder = mkdtempSync(join(tmpdir(), "arborio-openssl-"));
  writeFileSync(join(folder, "authority.pem"), authority);
  for (const [name, { certificate, privateKey }] of Object.entries({
    client,
    selfSigned,
    server,
  })) {
    writeFileSync(join(folder, `${name}.pem`), certificate);
    writeFileSync(join(folder, `${name}.key`), privateKey);
  }
  writeFileSync(join(folder, "large"), Buffer.alloc(LARGE_BYTES, "0123456789abcdef\n"));
});
after(() => rmSync(folder, { recursive: true }));

/** The program, and all that it has printed. */
class Openssl implements Disposable {
  readonly #process: ChildProcess;
  #output = "";
  #changed: () => void = () => {};
  exitCode: number | null = null;

  constructor(...args: string[]) {
    this.#process = spawn("openssl", args, { cwd: folder });
    const print = (chunk: Buffer): void => {
      this.#output += chunk.toString();
      this.#changed();
    };
    this.#process.stdout?.on("data", print);
    this.#process.stderr?.on("data", print);
    this.#process.on("close", (code) => {
      this.exitCode = code ?? -1;
      this.#changed();
    });
  }

  /** Waits until it has printed something like this. */
  async until(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const found = pattern.exec(this.#output);
      if (found !== null) return found;
      assert.equal(this.exitCode, null, `needed ${pattern}, got:\n${this.#output}`);
      await this.#change();
    }
  }

  async end(): Promise<number> {
    while (this.exitCode === null) await this.#change();
    return this.exitCode;
  }

  type(text: string): void {
    this.#process.stdin?.write(text);
  }

  endInput(): void {
    this.#process.stdin?.end();
  }

  kill(): void {
    this.#process.kill("SIGKILL");
  }

  [Symbol.dispose](): void {
    this.kill();
  }

  #change(): Promise<void> {
    return abandonOnCancel(new Promise<void>((resolve) => (this.#changed = resolve)));
  }
}

function test(title: string, body: (group: TaskGroup) => Promise<void>): void {
  const options = { timeout: TEST_MS_MAX, skip: IS_MISSING && "needs openssl" };
  if (IS_MISSING) console.log(`# skip ${title}: needs openssl, the program`);
  void nodeTest(title, options, () => run(body, { signals: [] }));
}

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

async function receiveText(stream: SocketStream, length: number): Promise<string> {
  let text = "";
  while (text.length < length) text += new TextDecoder().decode(await stream.receive());
  return text;
}

function failsWith(...reasons: TlsFailure[]): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof TlsError, String(error));
    assert.ok(reasons.includes(error.reason), `${error.reason}: ${error.message}`);
    return true;
  };
}

/** The system resets the connection of a program that is killed if there was something that it had not read; else it ends it. */
function isBroken(error: unknown): boolean {
  if (error instanceof TlsError) return failsWith("truncated")(error);
  return error instanceof BrokenResourceError;
}

describe("TLS with openssl s_server", () => {
  /** Starts a server; what it gets it sends back reversed, line by line, unless `args` say something else. */
  async function serve(...args: string[]): Promise<[Openssl, number]> {
    const identity = ["-cert", "server.pem", "-key", "server.key"];
    const program = new Openssl("s_server", "-accept", "127.0.0.1:0", ...identity, ...args);
    const [, port] = await program.until(/ACCEPT .*:(\d+)/);
    return [program, Number(port)];
  }

  function connect(port: number, tls: TlsClientOptions = {}): Promise<SocketStream> {
    return connectTcp("localhost", port, { tls: { trusted: authority, ...tls } });
  }

  for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
    test(`lines there and back, and an end in order, ${version}`, async () => {
      const [program, port] = await serve(
        "-rev",
        "-alpn",
        "x,y",
        `-${version.slice(0, 3).toLowerCase()}1_${version.at(-1)}`,
      );
      using _program = program;
      using stream = await connect(port, { alpnProtocols: ["y", "x"] });
      assert.deepEqual(
        [stream.tls?.version, stream.tls?.alpnProtocol, stream.tls?.serverName],
        [version, "x", "localhost"],
      );
      await stream.send(bytesOf("hello\n"));
      assert.equal(await receiveText(stream, 6), "olleh\n");
      await stream.sendEof();
      await assert.rejects(stream.receive(), { name: "EndOfStream" });
      await program.until(/CONNECTION CLOSED/);
    });
  }

  test("a large answer for a slow reader", async () => {
    const [program, port] = await serve("-WWW");
    using _program = program;
    using stream = await connect(port);
    await stream.send(bytesOf("GET /large HTTP/1.0\r\n\r\n"));
    await sleep(50);
    let count = 0;
    for await (const chunk of stream) {
      count += chunk.length;
      if (count < 200_000) await sleep(2);
    }
    assert.ok(count > LARGE_BYTES && count < LARGE_BYTES + 200, `${count} bytes`);
  });

  test("a server that is killed has not ended in order", async () => {
    const [program, port] = await serve("-rev");
    using stream = await connect(port);
    await stream.send(bytesOf("hello\n"));
    assert.equal(await receiveText(stream, 6), "olleh\n");
    program.kill();
    await assert.rejects(stream.receive(), isBroken);
  });

  test("a client's certificate", async () => {
    const verify = ["-Verify", "1", "-CAfile", "authority.pem", "-verify_return_error"];
    const [program, port] = await serve("-rev", ...verify);
    using _program = program;
    for (const identity of [undefined, selfSigned]) {
      await assert.rejects(
        async () => {
          using stream = await connect(port, identity === undefined ? {} : { identity });
          await stream.receive();
        },
        failsWith(identity === undefined ? "certificate-required" : "rejected"),
      );
    }
    using stream = await connect(port, { identity: client });
    await stream.send(bytesOf("hello\n"));
    assert.equal(await receiveText(stream, 6), "olleh\n");
  });

  test("refusals", async () => {
    const [program, port] = await serve("-rev", "-alpn", "x", "-tls1_2");
    using _program = program;
    await assert.rejects(connect(port, { versionMin: "TLSv1.3" }), failsWith("no-common-version"));
    await assert.rejects(connect(port, { alpnProtocols: ["z"] }), failsWith("no-common-protocol"));
    await assert.rejects(connect(port, { serverName: "other.test" }), failsWith("wrong-name"));
    await assert.rejects(
      connect(port, { trusted: selfSigned.certificate }),
      failsWith("untrusted"),
    );
  });

  if (HAS_SESSIONS) {
    test("sessions are resumed", async () => {
      const [program, port] = await serve("-rev");
      using _program = program;
      const sessions: Uint8Array[] = [];
      const onSession = (session: Uint8Array): void => void sessions.push(session);
      for (const resumed of [false, true]) {
        const session = sessions.at(-1);
        using stream = await connect(port, { onSession, ...(session && { session }) });
        await stream.send(bytesOf("hello\n"));
        assert.equal(await receiveText(stream, 6), "olleh\n");
        assert.equal(stream.tls?.resumed, resumed);
      }
    });
  }
});

describe("TLS with openssl s_client", () => {
  /** Runs the client with a server of ours for its one connection. */
  async function accept(
    args: readonly string[],
    tls: Parameters<typeof listenTcp>[1] & object,
    body: (program: Openssl, stream: SocketStream) => Promise<void>,
  ): Promise<void> {
    using listener = await listenTcp(0, { host: "127.0.0.1", ...tls });
    using program = new Openssl("s_client", "-connect", `127.0.0.1:${listener.port}`, ...args);
    using stream = await listener.accept();
    await body(program, stream);
  }
  const trusting = ["-CAfile", "authority.pem", "-verify_return_error"];
  const tls = { identity: server };

  for (const version of ["-tls1_2", "-tls1_3"]) {
    test(`lines there and back, and an end in order, ${version}`, async () => {
      const args = [...trusting, version, "-servername", "localhost", "-alpn", "y,x"];
      await accept(
        args,
        { tls: { ...tls, alpnProtocols: ["x", "y"] } },
        async (program, stream) => {
          program.type("hello\n");
          assert.equal(await receiveText(stream, 6), "hello\n");
          assert.equal(stream.tls?.serverName, "localhost");
          await stream.send(bytesOf("and a good day\n"));
          await program.until(/and a good day/);
          await program.until(/ALPN protocol: x/);
          await program.until(/Verification: OK/);
          program.endInput();
          await assert.rejects(stream.receive(), { name: "EndOfStream" });
          stream.close();
          assert.equal(await program.end(), 0);
        },
      );
    });
  }

  test("our end is seen as one", async () => {
    await accept([...trusting, "-quiet"], { tls }, async (program, stream) => {
      await stream.send(new Uint8Array(100_000).fill(46));
      stream.close();
      assert.equal(await program.end(), 0);
      await program.until(/\.{100000}/);
    });
  });

  test("a client that does not trust us says so", async () => {
    await accept(["-verify_return_error"], { tls }, async (_program, stream) => {
      // OpenSSL sends this alert in the clear, which the engine below Bun takes for a broken record.
      const reason = IS_BUN ? "protocol" : "rejected";
      await assert.rejects(async () => {
        await stream.handshake();
        await stream.receive();
      }, failsWith(reason));
    });
  });

  test("a client that is too old", async () => {
    const old = ["-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0"];
    await accept([...trusting, ...old], { tls }, async (program, stream) => {
      await assert.rejects(stream.handshake(), failsWith("no-common-version"));
      stream.close();
      await program.until(/SSL alert number/);
    });
  });

  test("a client that is killed has not ended in order", async () => {
    await accept([...trusting, "-quiet"], { tls }, async (program, stream) => {
      program.type("hello\n");
      assert.equal(await receiveText(stream, 6), "hello\n");
      program.kill();
      await assert.rejects(stream.receive(), isBroken);
    });
  });

  test("the name that is asked for, or none of ours", async () => {
    const options = { tls: { identities: { "other.test": other } } };
    await accept(["-servername", "other.test"], options, async (program, stream) => {
      await stream.handshake();
      await program.until(/subject=.*other/);
    });
    await accept(["-servername", "else.test"], options, async (program, stream) => {
      await assert.rejects(stream.handshake(), failsWith("wrong-name"));
      stream.close();
      await program.until(/unrecognized name/);
    });
  });

  test("a client's certificate", async () => {
    const asking = { tls: { ...tls, clientCertificate: "required", trusted: authority } as const };
    const shown = ["-cert", "client.pem", "-key", "client.key"];
    await accept([...trusting, ...shown], asking, async (_program, stream) => {
      await stream.handshake();
      assert.ok((stream.tls?.peerCertificate?.length ?? 0) > 100);
    });
    await accept(trusting, asking, async (program, stream) => {
      await assert.rejects(stream.handshake(), failsWith("certificate-required"));
      stream.close();
      await program.until(/alert certificate required/);
    });
  });

  test("sessions are resumed", async () => {
    using listener = await listenTcp(0, { host: "127.0.0.1", tls });
    for (const which of ["-sess_out", "-sess_in"]) {
      const to = ["-connect", `127.0.0.1:${listener.port}`, "-servername", "localhost"];
      using program = new Openssl("s_client", ...to, ...trusting, which, "session");
      using stream = await listener.accept();
      await stream.send(bytesOf("hello\n"));
      await program.until(/hello/);
      assert.equal(stream.tls?.resumed, which === "-sess_in");
      program.endInput();
      await program.end();
    }
  });
});
