/** How a cache asks whether what it keeps still holds, and what it makes of the answer. */
import assert from "node:assert/strict";
import { gather, sleep } from "arborio";
import { HttpResponse } from "../web/http-response.ts";
import { cacheOutcome } from "./cache/cache-outcome.ts";
import { cached, test } from "./http-cache.test.kit.ts";

test("httpCache: a validator asks whether it still holds, and a 304 renews it", async () => {
  let version = 1;
  await using all = await cached((request, asked) => {
    const headers = { etag: `"v${version}"`, "cache-control": "max-age=10", "x-count": `${asked}` };
    if (request.headers.get("if-none-match") === `"v${version}"`)
      return new HttpResponse(null, { status: 304, headers: { ...headers, "x-new": "1" } });
    return new HttpResponse(`body ${version}`, { headers: { ...headers, "x-old": "1" } });
  });
  await all.expect("body 1 miss", "body 1 hit");
  await sleep(11_000);
  const renewed = await all.client.request("/");
  assert.equal(renewed.status, 200);
  assert.equal(renewed.text(), "body 1");
  assert.equal(cacheOutcome(renewed), "revalidated");
  assert.equal(renewed.headers.get("age"), "0");
  assert.equal(renewed.headers.get("x-count"), "2", "that of the 304");
  assert.equal(renewed.headers.get("x-old"), "1", "that of the first response");
  assert.equal(renewed.headers.get("x-new"), "1", "added by the 304");
  assert.equal(renewed.headers.get("content-length"), "6");
  await sleep(9000);
  await all.expect("body 1 hit");
  version = 2;
  await sleep(2000);
  await all.expect("body 2 miss", "body 2 hit");
  assert.equal(all.seen.length, 3);
});

test("httpCache: how old a response was on its way here means nothing once a 304 has renewed it", async () => {
  await using all = await cached((request) => {
    const isAgain = request.headers.has("if-none-match");
    return new HttpResponse(isAgain ? null : "text", {
      status: isAgain ? 304 : 200,
      headers: { etag: '"a"', "cache-control": "max-age=10", ...(isAgain ? {} : { age: "8" }) },
    });
  });
  await all.expect("text miss");
  await sleep(5000);
  await all.expect("text revalidated");
  await sleep(5000);
  const response = await all.client.request("/");
  assert.equal(cacheOutcome(response), "hit");
  assert.equal(response.headers.get("age"), "5");
});

test("httpCache: Last-Modified asks too, exactly as it was written", async () => {
  const written = "Sunday, 06-Nov-94 08:49:37 GMT";
  const conditions: (string | null)[] = [];
  await using all = await cached((request) => {
    conditions.push(request.headers.get("if-modified-since"));
    return new HttpResponse("text", {
      headers: { "last-modified": written, "cache-control": "no-cache" },
    });
  });
  await all.expect("text miss", "text miss");
  assert.deepEqual(conditions, [null, written]);
});

test("httpCache: a 304 about something else is not believed", async () => {
  await using all = await cached((request, asked) => {
    if (request.headers.has("if-none-match"))
      return new HttpResponse(null, { status: 304, headers: { etag: '"other"' } });
    return new HttpResponse(String(asked), {
      headers: { etag: '"one"', "cache-control": "no-cache" },
    });
  });
  await all.expect("1 miss", "3 miss");
});

test("httpCache: a 304 that forbids keeping is obeyed", async () => {
  await using all = await cached((request) => {
    const isAgain = request.headers.has("if-none-match");
    const control = isAgain ? "no-store" : "no-cache";
    return new HttpResponse(isAgain ? null : "text", {
      status: isAgain ? 304 : 200,
      headers: { etag: '"one"', "cache-control": control },
    });
  });
  await all.expect("text miss", "text revalidated");
  assert.equal(all.store.statistics().entries, 0);
});

test("httpCache: a 304 may say by what a response was chosen", async () => {
  let vary = "accept-language";
  await using all = await cached((request, asked) => {
    const language = request.headers.get("accept-language");
    const isAgain = request.headers.get("if-none-match") === `"${language}"`;
    const headers: Record<string, string> = {
      etag: `"${language}"`,
      "cache-control": "max-age=10",
      ...(isAgain ? { vary } : {}),
    };
    return new HttpResponse(isAgain ? null : `${language} ${asked}`, {
      status: isAgain ? 304 : 200,
      headers,
    });
  });
  const de = { headers: { "accept-language": "de" } };
  const en = { headers: { "accept-language": "en" } };
  await all.expect(["de 1 miss", "/", de], ["de 1 hit", "/", en]);
  await sleep(11_000);
  await all.expect(["de 1 revalidated", "/", de], ["de 1 hit", "/", de]);
  await all.expect(["en 3 miss", "/", en]);
  vary = "*";
  await all.expect(["en 3 hit", "/", en]);
  await sleep(11_000);
  await all.expect(["en 3 revalidated", "/", en]);
  assert.equal(all.store.statistics().entries, 0);
});

test("httpCache: a 304 that says that others may get something else is for one alone", async () => {
  const vary = { vary: "*" };
  await using all = await cached(async (request, asked) => {
    await sleep(100);
    const isAgain = request.headers.has("if-none-match");
    return new HttpResponse(isAgain ? null : String(asked), {
      status: isAgain ? 304 : 200,
      headers: { etag: '"a"', "cache-control": "max-age=1", ...(isAgain ? vary : {}) },
    });
  });
  await all.expect("1 miss");
  await sleep(2000);
  const both = await gather([() => all.ask(), () => all.ask()]);
  assert.deepEqual(both.sort(), ["1 revalidated", "1 revalidated"]);
  assert.equal(all.seen.length, 3);
});
