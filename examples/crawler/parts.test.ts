import assert from "node:assert/strict";
import { appendFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Frontier, type JournalEntry } from "./frontier.ts";
import { openJournal } from "./journal-file.ts";
import { linksIn } from "./links.ts";
import { parseRobots } from "./robots.ts";

test("Robots: groups, the longest rule, wildcards and ends", () => {
  const text = [
    "User-agent: other\nUser-agent: Tester # and a comment\nDisallow: /a\nAllow: /a/b",
    "Disallow: /*.php$\nDisallow: /q?*secret\nDisallow:\n\nUser-agent: *\nDisallow: /\n",
    "User-Agent: tester\r\nDisallow: /late",
  ].join("\n");
  const robots = parseRobots(text, "tester");
  const allowed = ["/", "/b", "/a/b", "/a/bc", "/x.php5", "/q?public", "/p/a"];
  const refused = ["/a", "/ab", "/a/c", "/x.php", "/d/y.php.php", "/q?a=1&secret=2", "/late/x"];
  assert.deepEqual(
    allowed.filter((path) => !robots.allows(path)),
    [],
  );
  assert.deepEqual(
    refused.filter((path) => robots.allows(path)),
    [],
  );
  assert.equal(parseRobots(text, "somebody").allows("/x"), false);
  assert.equal(parseRobots("nonsense", "tester").allows("/x"), true);
});

test("linksIn: quotes or none, entities, and no time lost on a page that means ill", () => {
  const page = `<a href='/a'><A\nid=1 HREF = /b><a title="x" href="c?d&amp;e#f">
    <ahref="/no"><a data-href="/no2"><a href="ftp://x/"><area href="/no3">`;
  assert.deepEqual(linksIn(page, "http://a.test/x/"), [
    "http://a.test/a",
    "http://a.test/b",
    "http://a.test/x/c?d&e",
  ]);
  const began = performance.now();
  for (const ill of ["<a ", "<a href=", '<a href="', "<a x href"])
    linksIn(ill.repeat(100_000), "http://a.test/");
  assert.ok(performance.now() - began < 3000);
});

test("Frontier: what has failed is left to visit, what was skipped is not; limits of depth, pages and hosts", () => {
  const frontier = new Frontier(["http://a.test/"], { depthMax: 1, pagesMax: 3 }, () => {});
  const [page] = frontier.left;
  assert.ok(page !== undefined);
  frontier.settle(page, { failed: "timeout" });
  assert.deepEqual([frontier.left, frontier.visitedCount], [[page], 0]);
  frontier.settle(page, { skipped: "robots.txt" });
  assert.deepEqual([frontier.left, frontier.visitedCount], [[], 1]);
  assert.equal(frontier.add("http://a.test/#top", 1), undefined);
  assert.equal(frontier.add("http://b.test/", 1), undefined);
  assert.equal(frontier.add("http://nota.test/", 1), undefined);
  assert.equal(frontier.add("http://a.test/deep", 2), undefined);
  assert.equal(frontier.add("http://b.a.test/", 1)?.url, "http://b.a.test/");
  assert.equal(frontier.add("http://a.test/x", 1)?.depth, 1);
  assert.equal(frontier.add("http://a.test/y", 1), undefined);
});

test("openJournal: what was written comes back; a line that was cut counts for nothing", () => {
  const folder = mkdtempSync(join(tmpdir(), "crawler-"));
  try {
    const path = join(folder, "state.jsonl");
    const first: JournalEntry = { found: "http://a.test/", depth: 0 };
    const second: JournalEntry = { visited: "http://a.test/", skipped: "robots.txt" };
    assert.deepEqual(openJournal(path).entries, []);
    openJournal(path).journal(first);
    appendFileSync(path, '{"visited":"http://a');
    const again = openJournal(path);
    assert.deepEqual(again.entries, [first]);
    again.journal(second);
    assert.deepEqual(openJournal(path).entries, [first, second]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
