import assert from "node:assert/strict";
import { simTest } from "../connection/raw-client.test.kit.ts";
import { openHttpClient } from "./http-client.ts";
import { rawServer } from "./raw-server.test.kit.ts";

simTest("the fields of a request are its own, whatever the one before it had", async (group) => {
  const heads: string[] = [];
  const server = await rawServer(group, async (peer) => {
    for (let head = await peer.request(); head !== null; head = await peer.request()) {
      heads.push(head.toLowerCase());
      await peer.answer();
    }
  });
  const byName = server.url.replace("127.0.0.1", "localhost");
  await using client = openHttpClient({ base: server.url, headers: { "x-client": "mine" } });
  const changes = [
    { url: server.url },
    { url: server.url },
    { url: server.url, headers: { "x-one": "1" } },
    { url: server.url },
    { url: byName },
    { url: server.url },
    { url: byName, auth: { user: "a", password: "b" } },
    { url: byName },
  ] as const;
  for (const { url, ...options } of changes) await client.request(url, options);
  for (const [at, { url, ...options }] of changes.entries()) {
    const head = heads[at] ?? "";
    assert.ok(head.includes(`\r\nhost: ${new URL(url).host}\r\n`), head);
    assert.equal(head.includes("x-one"), "headers" in options, head);
    assert.equal(head.includes("authorization"), "auth" in options, head);
    assert.ok(head.includes("x-client: mine"));
  }
});
