import assert from "node:assert/strict";
import { test } from "node:test";
import { RequestUrls } from "./request-url.ts";

test("RequestUrls: the URLs that are asked again and again are kept apart, no more than so many, and no long ones", () => {
  const urls = new RequestUrls(undefined);
  const first = urls.parse("http://a.test/");
  assert.equal(urls.parse("http://a.test/"), first);
  for (let count = 0; count < 255; count++) urls.parse(`http://a.test/${count}`);
  assert.equal(urls.parse("http://a.test/"), first);
  urls.parse("http://a.test/another");
  const anew = urls.parse("http://a.test/");
  assert.notEqual(anew, first);
  assert.deepEqual(anew, first);
  const long = `http://a.test/${"x".repeat(600)}`;
  assert.notEqual(urls.parse(long), urls.parse(long));
});
