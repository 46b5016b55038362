/** What a cache forgets when something is changed. */
import type { FetchOptions } from "../client/client-options.ts";
import { HttpResponse } from "../web/http-response.ts";
import { cached, test } from "./http-cache.test.kit.ts";

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
