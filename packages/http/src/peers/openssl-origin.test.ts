/** The client with the server of OpenSSL's own program: its TLS, not that of a runtime. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openHttpClient } from "@arborio/http";
import { expired } from "../dial/expired.test.kit.ts";
import { authority, identity } from "../server/certificates.test.kit.ts";
import { freePort, listening } from "./nginx.test.kit.ts";
import { OPENSSL, peerTest } from "./peer-test.test.kit.ts";
import { Program } from "./program.test.kit.ts";

const SHA_256 = createHash("sha256")
  .update(Buffer.from(identity.certificate.replaceAll(/-----.*-----|\s/g, ""), "base64"))
  .digest("hex");

/** Starts `openssl s_server`, which answers each request with a page about its connection, and gives its URL to `use`. */
async function withServer(args: string, use: (url: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "arborio-openssl-"));
  try {
    writeFileSync(join(folder, "authority.pem"), authority);
    writeFileSync(join(folder, "certificate.pem"), identity.certificate);
    writeFileSync(join(folder, "key.pem"), identity.privateKey);
    const port = await freePort();
    const fixed = `s_server -accept ${port} -cert certificate.pem -key key.pem -CAfile authority.pem -www`;
    using program = new Program("openssl", [...fixed.split(" "), ...args.split(" ")], {
      cwd: folder,
    });
    await listening(program, port);
    await use(`https://localhost:${port}/`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const TLS = { trusted: authority };

peerTest([OPENSSL], "openssl: versions of TLS, ALPN, and pinned certificates", async () => {
  await withServer("-alpn http/1.1", async (url) => {
    await using client = openHttpClient({ tls: TLS });
    for (const version of ["TLSv1.3", "TLSv1.2"] as const) {
      const page = await client.request(url, { tls: { versionMin: version, versionMax: version } });
      assert.equal(page.status, 200);
      // Its body ends with the connection, in order.
      assert.match(page.text(), new RegExp(`New, ${version}, Cipher is`));
      assert.match(page.text(), /<\/HTML>/i);
    }
    assert.equal((await client.request(url, { fingerprints: [SHA_256] })).status, 200);
    const wrong = client.request(url, { fingerprints: ["0".repeat(64)] });
    await assert.rejects(wrong, { phase: "tls", reason: "certificate" });
    const elsewhere = client.request(url, { tls: { serverName: "elsewhere.test" } });
    await assert.rejects(elsewhere, { phase: "tls", reason: "certificate" });
    assert.equal(client.statistics().connectionsOpen, 0);
  });
  await withServer("-alpn h2", async (url) => {
    await using client = openHttpClient({ tls: TLS });
    const failed = client.request(url);
    await assert.rejects(failed, { phase: "tls", reason: "tls", message: /no-common-protocol/ });
    assert.equal((await client.request(url, { tls: { alpnProtocols: [] } })).status, 200);
  });
});

peerTest([OPENSSL], "openssl: certificates of clients, accepted, missing and refused", async () => {
  await withServer("-Verify 1 -verify_return_error", async (url) => {
    await using client = openHttpClient({ tls: TLS });
    for (const version of ["TLSv1.3", "TLSv1.2"] as const) {
      const tls = { versionMin: version, versionMax: version };
      assert.equal((await client.request(url, { tls: { ...tls, identity } })).status, 200);
      const without = client.request(url, { tls });
      await assert.rejects(without, { phase: "tls", reason: "tls" });
      const refused = client.request(url, { tls: { ...tls, identity: expired } });
      await assert.rejects(refused, { phase: "tls", reason: "tls", message: /rejected/ });
    }
  });
});
