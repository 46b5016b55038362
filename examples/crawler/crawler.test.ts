import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test as nodeTest } from "node:test";
import { CancelScope, failAfter, now, run, sleep, taskGroup } from "arborio";
import { simulate } from "arborio/sim";
import { type Handler, HttpResponse, openHttpClient, openServer } from "@arborio/http";
import { ExampleProgram } from "../testing/example-program.ts";
import { crawl, type CrawlOptions } from "./crawl.ts";
import { Frontier, type FrontierLimits, type JournalEntry } from "./frontier.ts";
import { html, links, Web } from "./web.test.kit.ts";

// A web of several hosts, in virtual time: a crawl of minutes takes milliseconds.

/** Bun gives a test five seconds unless told otherwise. */
const LONG = { timeout: 60_000 };
/** What the simulated network adds at most, in milliseconds, from when a visitor asks to when the server has got it. */
const NETWORK_MS = 20;

interface CrawlSettings extends Partial<FrontierLimits>, Partial<CrawlOptions> {
  readonly entries?: readonly JournalEntry[];
}

/** Crawls from `http://a.test/` on. Gives the new entries of the journal. */
async function crawlFrom(
  seeds: readonly string[],
  settings: CrawlSettings = {},
  journal: JournalEntry[] = [],
): Promise<JournalEntry[]> {
  const limits = { depthMax: 10, pagesMax: 100, ...settings };
  const frontier = new Frontier(
    seeds,
    limits,
    (entry) => void journal.push(entry),
    settings.entries,
  );
  await using client = openHttpClient();
  const manners = { agent: "tester", perSite: 2, everyMs: 0, pageBytesMax: 10_000 };
  await crawl({ client, frontier, ...manners, ...settings });
  return journal;
}

/** `url: outcome` of each visit, in alphabetical order. */
function visits(journal: readonly JournalEntry[]): string[] {
  return journal
    .flatMap((entry) => {
      if (!("visited" in entry)) return [];
      const outcome =
        "failed" in entry ? entry.failed : "skipped" in entry ? entry.skipped : entry.status;
      return [`${entry.visited.slice("http://".length)}: ${outcome}`];
    })
    .toSorted();
}

/** Registers a test in a web of its own, for several seeds. */
function webTest(title: string, body: (web: Web) => Promise<void>): void {
  for (const seed of [1, 2, 3]) {
    nodeTest(`${title} [simulator, seed ${seed}]`, LONG, () =>
      simulate({ seed }, (world) => body(new Web(world))),
    );
  }
}

webTest(
  "crawl: each page of the sites once, those below them too, and of no other",
  async (web) => {
    await web.site("a.test", {
      "/": links(
        "/one",
        "one#part",
        "/two?x=1&amp;y=2",
        "http://b.test/",
        "http://elsewhere.test/",
      ),
      "/one": links(
        "/",
        "http://www.a.test/",
        "mailto:me@a.test",
        "javascript:void(0)",
        "http://[",
      ),
      "/two": "no links",
    });
    await web.site("www.a.test", { "/": links("http://a.test/one") });
    await web.site("b.test", { "/": "here" });
    await web.site("elsewhere.test", { "/": "not here" });
    const journal = await crawlFrom(["http://a.test/", "http://b.test/"]);
    const pages = ["a.test/", "a.test/one", "a.test/two?x=1&y=2", "b.test/", "www.a.test/"];
    assert.deepEqual(web.pages, pages);
    assert.deepEqual(
      visits(journal),
      pages.map((page) => `${page}: 200`),
    );
  },
);

webTest("crawl: no deeper and no more pages than it may", async (web) => {
  const chain = Array.from({ length: 20 }, (_, at) => [`/${at}`, links(`/${at + 1}`)]);
  const many = Array.from({ length: 50 }, (_, at) => `/x${at}`);
  await web.site("a.test", { ...Object.fromEntries(chain), "/many": links(...many) });
  await crawlFrom(["http://a.test/0"], { depthMax: 3 });
  assert.deepEqual(web.pages, ["a.test/0", "a.test/1", "a.test/2", "a.test/3"]);
  const journal = await crawlFrom(["http://a.test/many"], { pagesMax: 10 });
  assert.equal(visits(journal).length, 10);
});

webTest("crawl: robots.txt is kept; where it cannot be had, nothing is fetched", async (web) => {
  const robots = "User-agent: *\nDisallow: /private\nAllow: /private/open\n";
  await web.site("a.test", {
    "/robots.txt": () => new HttpResponse(robots),
    "/": links("/private/x", "/private/open", "http://down.a.test/", "http://none.a.test/"),
    "/private/open": "",
  });
  await web.site("down.a.test", { "/robots.txt": () => new HttpResponse("", { status: 503 }) });
  await web.site("none.a.test", { "/": "" });
  const journal = await crawlFrom(["http://a.test/"]);
  assert.deepEqual(visits(journal), [
    "a.test/: 200",
    "a.test/private/open: 200",
    "a.test/private/x: robots.txt",
    "down.a.test/: robots.txt cannot be had",
    "none.a.test/: 200",
  ]);
  assert.deepEqual(web.pages, ["a.test/", "a.test/private/open", "none.a.test/"]);
});

webTest("crawl: redirects are links; what fails, is too large or no page says so", async (web) => {
  const to = (location: string): Handler => {
    return () => new HttpResponse("", { status: 302, headers: { location } });
  };
  let sent = 0;
  await web.site("a.test", {
    "/": links("/loop", "/away", "/there", "/large", "/broken", "/error", "/image", "/missing"),
    "/loop": to("/loop"),
    "/away": to("http://elsewhere.test/"),
    "/there": to("/found"),
    "/found": links("/"),
    "/large": () =>
      new HttpResponse(
        async (sink) => {
          for (;;) {
            await sink.send("<a href=/never>".repeat(100));
            sent += 1500;
          }
        },
        { headers: { "content-type": "text/html" } },
      ),
    "/broken": () =>
      new HttpResponse(
        async (sink) => {
          await sink.send("<a href=/never>");
          throw new Error("broken");
        },
        { headers: { "content-type": "text/html" } },
      ),
    "/error": () => new HttpResponse("", { status: 500 }),
    "/image": () => new HttpResponse(links("/never"), { headers: { "content-type": "image/png" } }),
  });
  const journal = await crawlFrom(["http://a.test/", "http://nowhere.test/"]);
  assert.deepEqual(visits(journal), [
    "a.test/: 200",
    "a.test/away: 302",
    "a.test/broken: disconnected",
    "a.test/error: status 500",
    "a.test/found: 200",
    "a.test/image: 200",
    "a.test/large: too large",
    "a.test/loop: 302",
    "a.test/missing: 404",
    "a.test/there: 302",
    "nowhere.test/: robots.txt cannot be had",
  ]);
  assert.ok(sent < 200_000, `${sent} bytes of an endless page`);
});

/** A site of so many pages, all of which lead to all others. */
function meshed(count: number, ...others: string[]): Record<string, string> {
  const paths = Array.from({ length: count }, (_, at) => `/${at}`);
  const page = links(...paths, ...others);
  return Object.fromEntries([["/", page], ...paths.map((path) => [path, page])]);
}

webTest("crawl: sites are crawled beside one another, each with its own limits", async (web) => {
  await web.site("a.test", meshed(9, "http://b.test/"));
  await web.site("b.test", meshed(9));
  const journal = await crawlFrom(["http://a.test/", "http://b.test/"], {
    perSite: 3,
    everyMs: 50,
  });
  assert.equal(visits(journal).length, 20);
  assert.deepEqual(Object.fromEntries(web.most), { "a.test": 3, "b.test": 3 });
  // Of robots.txt, the first page, and three times three pages.
  assert.ok(now() < 1500, `took ${now()} ms`);
});

webTest("crawl: requests to a site keep their distance in time", async (web) => {
  await web.site("a.test", meshed(5));
  await crawlFrom(["http://a.test/"], { everyMs: 1000 });
  const times = web.seen.map(({ at }) => at);
  for (const [index, at] of times.entries()) {
    if (index > 0)
      assert.ok(at - (times[index - 1] as number) > 1000 - NETWORK_MS, times.join(", "));
  }
});

/** Crawls until it is told to stop. Gives the moment at which it was. */
async function crawlUntil(
  stopAtMs: number,
  seeds: readonly string[],
  settings: CrawlSettings,
  journal: JournalEntry[],
): Promise<number> {
  return await taskGroup(async (group) => {
    const scope = new CancelScope();
    group.startSoon(() => scope.run(() => crawlFrom(seeds, settings, journal)));
    await sleep(stopAtMs);
    scope.shutdown({ graceMs: 5000 });
    return now();
  });
}

nodeTest(
  "crawl: whenever it is stopped, it finishes what is under way, begins nothing, and goes on later where it was",
  LONG,
  async () => {
    let inBetween = 0;
    for (let seed = 1; seed <= 30; seed++) {
      const journal: JournalEntry[] = [];
      const settings = { perSite: 1 + (seed % 3), everyMs: (seed % 4) * 40 };
      const seeds = ["http://a.test/", "http://b.test/"];
      await simulate({ seed }, async (world) => {
        const web = new Web(world);
        await web.site("a.test", meshed(6, "http://c.b.test/"));
        await web.site("b.test", meshed(6));
        await web.site("c.b.test", meshed(3));
        const stoppedAt = await crawlUntil(seed * 50, seeds, settings, journal);
        const after = now() - stoppedAt;
        assert.ok(after < 200 + 2 * NETWORK_MS, `seed ${seed}: went on for ${after} ms`);
        for (const { url, at } of web.seen)
          assert.ok(at <= stoppedAt + NETWORK_MS, `seed ${seed}: ${url} after the stop`);
        // All that was asked was waited for.
        assert.equal(visits(journal).length, web.pages.length, `seed ${seed}`);
        if (web.pages.length < 18) inBetween += 1;
        await crawlFrom(seeds, { ...settings, entries: [...journal] }, journal);
        for (const [name, most] of web.most)
          assert.ok(most <= settings.perSite, `seed ${seed}: ${most} requests at once to ${name}`);
        // Each page once, in both runs together.
        assert.equal(new Set(web.pages).size, web.pages.length, `seed ${seed}`);
        assert.equal(web.pages.length, 18, `seed ${seed}`);
      });
    }
    assert.ok(inBetween > 15, `${inBetween} were stopped in between`);
  },
);

webTest("crawl: what has failed is visited again when the crawl goes on", async (web) => {
  let isDown = true;
  await web.site("a.test", {
    "/": links("/x"),
    "/x": () => new HttpResponse("", { status: isDown ? 503 : 200 }),
  });
  const journal = await crawlFrom(["http://a.test/"]);
  assert.deepEqual(visits(journal), ["a.test/: 200", "a.test/x: status 503"]);
  isDown = false;
  assert.deepEqual(visits(await crawlFrom(["http://a.test/"], { entries: journal })), [
    "a.test/x: 200",
  ]);
});

webTest("crawl: a site that was not there is visited when the crawl goes on", async (web) => {
  const journal = await crawlFrom(["http://a.test/"]);
  assert.deepEqual(visits(journal), ["a.test/: robots.txt cannot be had"]);
  await web.site("a.test", { "/": "here" });
  assert.deepEqual(visits(await crawlFrom(["http://a.test/"], { entries: journal })), [
    "a.test/: 200",
  ]);
});

for (const manners of [
  { perSite: 1, everyMs: 0 },
  // The second visitor waits for its turn when the first is asked for a pause.
  { perSite: 2, everyMs: 500 },
]) {
  webTest(
    `crawl: a site that asks for a pause has it, and no other waits for it: ${JSON.stringify(manners)}`,
    async (web) => {
      const busy: Handler = () =>
        new HttpResponse("", { status: 429, headers: { "retry-after": "30" } });
      await web.site("a.test", {
        "/": links("/busy", "/x", "/y", "http://b.test/"),
        "/busy": busy,
      });
      await web.site("b.test", meshed(4));
      await crawlFrom(["http://a.test/", "http://b.test/"], manners);
      const times = (prefix: string): number[] =>
        web.seen.filter(({ url }) => url.startsWith(prefix)).map(({ at }) => at);
      const [busyAt = NaN] = times("a.test/busy");
      const after = [...times("a.test/x"), ...times("a.test/y")].map((at) => at - busyAt);
      assert.equal(after.length, 2);
      assert.ok(Math.min(...after) >= 30_000, `asked again after ${after.join(" and ")} ms`);
      assert.ok(Math.max(...times("b.test/")) < 5000);
    },
  );
}

webTest("crawl: a pause of days does not keep the crawl from its end", async (web) => {
  const busy: Handler = () =>
    new HttpResponse("", { status: 503, headers: { "retry-after": "864000" } });
  await web.site("a.test", { "/": links("/busy", "/x"), "/busy": busy, "/x": "" });
  const journal = await crawlFrom(["http://a.test/"], { perSite: 1 });
  assert.deepEqual(visits(journal), ["a.test/: 200", "a.test/busy: status 503", "a.test/x: 200"]);
  assert.ok(now() < 150_000, `took ${now()} ms`);
});

nodeTest("crawler, the program: crawls, stops at Ctrl-C, goes on; wrong usage says so", LONG, () =>
  run(
    () =>
      failAfter(50_000, async () => {
        const folder = mkdtempSync(join(tmpdir(), "crawler-"));
        try {
          const pages = meshed(10);
          const handle: Handler = async (request) => {
            const page = pages[new URL(request.url).pathname];
            return page === undefined ? new HttpResponse("", { status: 404 }) : html(page);
          };
          await using server = await openServer(handle, { port: 0, host: "127.0.0.1" });
          const start = (every: number): ExampleProgram =>
            new ExampleProgram("crawler", [
              `--state=${join(folder, "state.jsonl")}`,
              `--every=${every}`,
              server.url,
            ]);
          {
            using program = start(300);
            await program.until(/\/1: 200, \d+ bytes, 10 links/);
            program.interrupt();
            assert.equal(await program.ended(), 1, program.printed);
            assert.match(
              program.printed,
              /\npages visited: \d, \d+ left: the same command goes on\n$/,
            );
          }
          using again = start(0);
          assert.equal(await again.ended(), 0, again.printed);
          assert.match(again.printed, /\npages visited: 11, that is all\n$/);
          using wrong = new ExampleProgram("crawler", ["nonsense"]);
          assert.equal(await wrong.ended(), 2);
          assert.match(wrong.printed, /^got "nonsense", needs a URL .*\nUsage: main\.ts /);
        } finally {
          rmSync(folder, { recursive: true });
        }
      }),
    { signals: [] },
  ),
);
