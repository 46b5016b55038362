/** What a cache forgets when something is changed. */
import assert from "node:assert/strict";
import { sleep, taskGroup } from "arborio";
import type { FetchOptions } from "../client/client-options.ts";
import { HttpResponse } from "../web/http-response.ts";
import { cached, FRESH, test } from "./http-cache.test.kit.ts";

test("httpCache: methods that change something forget", async () => {
  await using all = await cached((request, asked) => {
    const { method, url } = request;
    if (method === "GET")
      return new HttpResponse(String(asked), { headers: { "cache-control": "max-age=100" } });
    const status = url.endsWith("?bad") ? 400 : 201;
    const headers = { location: "/b", "content-location": "http://elsewhere.test/c" };
    return new HttpResponse("", { status, headers });
  });
  await all.expect(["1 miss", "/a"], ["2 miss", "/b"], ["3 miss", "/c"]);
  for (const method of ["OPTIONS", "TRACE"]) await all.ask("/a", { method });
  await all.expect(
    ["400  bypassed", "/a?bad", { method: "POST" }],
    ["1 hit", "/a"],
    ["2 hit", "/b"],
  );
  for (const method of ["POST", "PUT", "PATCH", "DELETE", "PURGE"]) {
    const before = all.seen.length;
    await all.expect(["201  bypassed", "/a", { method }]);
    await all.expect([`${before + 2} miss`, "/a"], [`${before + 3} miss`, "/b"], ["3 hit", "/c"]);
  }
  await all.ask("/a", { method: "POST", auth: { token: "x" } });
  await all.expect([`${all.seen.length + 1} miss`, "/a"]);
});

test("httpCache: what one changes nobody gets as it was, whoever asks", async () => {
  let version = 1;
  await using all = await cached((request) => {
    const { method, headers } = request;
    if (method !== "GET") version += 1;
    return new HttpResponse(`${version} ${headers.get("authorization") ?? "nobody"}`, {
      headers: { "cache-control": "max-age=100, stale-if-error=100", location: "/b" },
    });
  });
  const users: FetchOptions[] = [{ auth: { token: "a" } }, { auth: { token: "b" } }, {}];
  const names = ["Bearer a", "Bearer b", "nobody"];
  const all3 = async (outcome: string, paths: readonly string[]): Promise<void> => {
    for (const path of paths)
      for (const [index, user] of users.entries())
        await all.expect([`${version} ${names[index]} ${outcome}`, path, user]);
  };
  await all3("miss", ["/a", "/b", "/c"]);
  await all3("hit", ["/a", "/b", "/c"]);
  for (const user of users) {
    await all.ask("/a", { ...user, method: "POST" });
    await all3("miss", ["/a", "/b"]);
    await all3("hit", ["/a", "/b"]);
    await all.expect([`1 ${names[0]} hit`, "/c", users[0] as FetchOptions]);
  }
});

test("httpCache: what may have been changed is forgotten too, though nobody has said that it was", async () => {
  await using all = await cached(
    async ({ method }, asked) => {
      if (method === "POST") await sleep(5000);
      return new HttpResponse(String(asked), { headers: FRESH });
    },
    {},
    { timeouts: { headMs: 100 } },
  );
  await all.expect("1 miss", "1 hit");
  await assert.rejects(all.ask("/", { method: "POST" }), { reason: "timeout" });
  await all.expect("3 miss");
  // This one was never sent.
  await assert.rejects(all.ask("/", { method: "POST", body: "x", expectContinue: 1 as never }));
  await all.expect("3 hit");
});

test("httpCache: who asks after a change joins who has asked after it, whenever what was asked before ends", async () => {
  await using all = await cached(async ({ method }, asked) => {
    if (method === "GET") await sleep(asked === 1 ? 300 : 1000);
    return new HttpResponse(String(asked), { headers: FRESH });
  });
  await taskGroup(async (group) => {
    const before = group.startSoon(() => all.ask());
    await sleep(100);
    await all.ask("/", { method: "POST" });
    const after = group.startSoon(() => all.ask());
    assert.equal(await before.result(), "1 miss");
    assert.equal(await all.ask(), "3 collapsed");
    assert.equal(await after.result(), "3 miss");
  });
});
