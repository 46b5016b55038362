/** `serveDirectory`, with a test for each class of attack on servers of static files. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, test } from "node:test";
import { pathToFileURL } from "node:url";
import { failAfter, run, SystemError } from "arborio";
import { Path } from "arborio/fs";
import { simulate } from "arborio/sim";
import { cancelEverywhere } from "arborio/testing";
import { listingPage } from "./directory-listing.ts";
import { serveDirectory } from "./serve-directory.ts";
import { pattern, type Place, request, testEverywhere } from "./places.test.kit.ts";

/** A user without rights. */
const NOBODY = 65_534;

function site(place: Place): string {
  place.write("site/index.html", "home");
  place.write("site/docs/index.html", "docs");
  place.write("site/docs/guide ä.txt", "guide");
  place.write("site/empty/sub/file", "x");
  place.write("site/.hidden", "hidden");
  place.write("site/.git/config", "config");
  place.write("secret.txt", "secret");
  return `${place.folder}/site`;
}

testEverywhere("serveDirectory: files, indexes and directories", async (place) => {
  const handler = serveDirectory(site(place));
  const get = async (path: string): Promise<[number, string]> => {
    const response = await handler(request(path));
    return [response.status, await response.text()];
  };
  assert.deepEqual(await get("/"), [200, "home"]);
  assert.deepEqual(await get("/index.html"), [200, "home"]);
  assert.deepEqual(await get("/docs/"), [200, "docs"]);
  assert.deepEqual(await get("/docs/guide%20%C3%A4.txt?x=1"), [200, "guide"]);
  assert.deepEqual((await get("/empty/"))[0], 404);
  assert.deepEqual((await get("/none"))[0], 404);
  assert.deepEqual((await get("/index.html/"))[0], 404);
  assert.deepEqual((await get("/index.html/x"))[0], 404);
  assert.equal((await handler(request("/", {}, "POST"))).status, 405);
  assert.equal((await handler(request("/", {}, "POST"))).headers.get("allow"), "GET, HEAD");
  const head = await handler(request("/docs/", {}, "HEAD"));
  assert.deepEqual([head.status, head.headers.get("content-length"), head.body], [200, "4", null]);
});

testEverywhere(
  "serveDirectory: paths that try to leave the folder are 404 (CVE-2024-23334, CVE-2026-34515)",
  async (place) => {
    const root = site(place);
    const handler = serveDirectory(root, { listing: true });
    for (const path of [
      "/../secret.txt",
      "/%2e%2e/secret.txt",
      "/..%2fsecret.txt",
      "/..%5csecret.txt",
      "/docs/..%2f..%2fsecret.txt",
      "/docs/%2e%2e%2f%2e%2e%2fsecret.txt",
      "/%252e%252e%252fsecret.txt",
      "/..%00/secret.txt",
      "/index.html%00.txt",
      "/%ff",
      "//etc/passwd",
      "//host/share",
      "/docs//guide",
      `/%2f${root}/index.html`,
      encodeURI(`/${root}/../secret.txt`),
      "/D:%5cx",
      `/${"a".repeat(300)}`,
      `/${"a/".repeat(3000)}`,
    ]) {
      const url = `http://localhost${path}`;
      const asked = { method: "GET", url, headers: new Headers() } as unknown as Request;
      const response = await handler(asked);
      assert.equal(response.status, 404, path);
      assert.ok(!(await response.text()).includes("secret"), path);
    }
  },
);

testEverywhere(
  "serveDirectory: links that lead out are not there, whether or not they lead to something (CVE-2025-69226)",
  async (place) => {
    const root = site(place);
    place.link("site/out.txt", "../secret.txt");
    place.link("site/dead.txt", "../none.txt");
    place.link("site/up", "..");
    place.link("site/etc", "/etc");
    place.link("site/loop", "loop");
    place.link("site/in.txt", "docs/guide ä.txt");
    place.link("site/config", ".git/config");
    place.link("site/docs2", "docs");
    place.write("site2/file", "neighbour");
    place.link("site/neighbour", "../site2/file");
    const paths = [
      "/out.txt",
      "/dead.txt",
      "/up/",
      "/up/secret.txt",
      "/etc/passwd",
      "/etc/none",
      "/etc",
      "/loop",
      "/neighbour",
      "/config",
    ];
    const answerOf = async (
      path: string,
      followLinks: "inside" | "never" | "anywhere",
    ): Promise<string> => {
      const response = await serveDirectory(root, { followLinks })(request(path));
      const fields = [...response.headers].filter(([name]) => name !== "content-type").join();
      return `${response.status} ${fields} ${await response.text()}`;
    };
    const absent = await answerOf("/none", "inside");
    assert.match(absent, /^404 /);
    for (const path of paths) assert.equal(await answerOf(path, "inside"), absent, path);
    for (const path of [...paths, "/in.txt", "/docs2/", "/up/site/index.html"])
      assert.equal(await answerOf(path, "never"), absent, path);
    assert.match(await answerOf("/in.txt", "inside"), /^200 .*guide$/);
    assert.match(await answerOf("/docs2/", "inside"), /^200 .*docs$/);
    assert.match(await answerOf("/docs/", "never"), /^200 .*docs$/);
    assert.match(await answerOf("/out.txt", "anywhere"), /^200 .*secret$/);
    assert.match(await answerOf("/dead.txt", "anywhere"), /^404 /);
  },
);

testEverywhere(
  "serveDirectory: an index or a sibling that leads out is not there either (CVE-2024-42367)",
  async (place) => {
    const root = site(place);
    place.link("site/empty/index.html", "../../secret.txt");
    place.link("site/index.html.gz", "../secret.txt");
    const handler = serveDirectory(root, { precompressed: true });
    assert.equal((await handler(request("/empty/"))).status, 404);
    const plain = await handler(request("/", { "accept-encoding": "gzip" }));
    assert.deepEqual([plain.headers.get("content-encoding"), await plain.text()], [null, "home"]);
  },
);

testEverywhere(
  "serveDirectory: a folder that is a link may be changed to another",
  async (place) => {
    place.write("v1/a", "one");
    place.write("v2/a", "two");
    place.link("current", "v1");
    for (const followLinks of ["inside", "never"] as const) {
      const handler = serveDirectory(`${place.folder}/current`, { followLinks });
      assert.equal(
        await (await handler(request("/a"))).text(),
        followLinks === "never" ? "two" : "one",
      );
      place.remove("current");
      place.link("current", "v2");
      assert.equal(await (await handler(request("/a"))).text(), "two");
    }
  },
);

testEverywhere(
  "serveDirectory: dotfiles are not there unless they are asked for",
  async (place) => {
    const root = site(place);
    const hidden = serveDirectory(root);
    const shown = serveDirectory(root, { dotfiles: "serve" });
    for (const path of ["/.hidden", "/.git/config", "/%2egit/config"]) {
      assert.equal((await hidden(request(path))).status, 404, path);
      assert.equal((await shown(request(path))).status, 200, path);
    }
  },
);

testEverywhere(
  "serveDirectory: redirects lead to the same place, never to another host (CVE-2021-21330)",
  async (place) => {
    place.write("site/docs/x", "");
    place.write("site/evil.com/x", "");
    place.write("site/javascript:alert(1)/x", "");
    place.write("site/a b?/x", "");
    const root = `${place.folder}/site`;
    for (const [path, location] of [
      ["/docs", "/docs/"],
      ["/docs?a=1&b=//c", "/docs/?a=1&b=//c"],
      ["/evil.com", "/evil.com/"],
      ["/javascript:alert(1)", "/javascript%3Aalert(1)/"],
      ["/a%20b%3F", "/a%20b%3F/"],
    ] as const) {
      const response = await serveDirectory(root)(request(path));
      assert.equal(response.status, 308, path);
      const given = response.headers.get("location") as string;
      assert.ok(given.startsWith("./"), given);
      assert.equal(new URL(given, `http://localhost${path}`).href, `http://localhost${location}`);
    }
    for (const path of ["//evil.com", "//evil.com/..", "//docs", "/%2fdocs", "/%5cdocs"]) {
      const asked = { method: "GET", url: `http://localhost${path}`, headers: new Headers() };
      const response = await serveDirectory(root)(asked as unknown as Request);
      assert.equal(response.headers.get("location"), null, path);
      assert.equal(response.status, 404, path);
    }
  },
);

testEverywhere("serveDirectory: a prefix", async (place) => {
  const handler = serveDirectory(site(place), { prefix: "/static" });
  const statusOf = async (path: string): Promise<number> => (await handler(request(path))).status;
  assert.equal(await statusOf("/static/index.html"), 200);
  assert.equal(await statusOf("/static/"), 200);
  assert.equal(await statusOf("/staticindex.html"), 404);
  assert.equal(await statusOf("/index.html"), 404);
  const redirect = await handler(request("/static?a"));
  assert.equal(redirect.status, 308);
  const location = redirect.headers.get("location") as string;
  assert.equal(new URL(location, "http://localhost/static?a").href, "http://localhost/static/?a");
});

testEverywhere(
  "serveDirectory: caching, further fields, precompressed siblings, ranges",
  async (place) => {
    const root = site(place);
    place.write("site/app-0a1b2c3d.js", "app");
    place.write("site/app-0a1b2c3d.js.br", "APP");
    const handler = serveDirectory(root, {
      cacheControl: "no-cache",
      immutable: /-[0-9a-f]{8}\.js$/g,
      headers: { "x-own": "1" },
      precompressed: true,
    });
    for (let round = 0; round < 2; round++) {
      const app = await handler(request("/app-0a1b2c3d.js", { "accept-encoding": "br" }));
      assert.equal(app.headers.get("cache-control"), "public, max-age=31536000, immutable");
      assert.equal(app.headers.get("content-encoding"), "br");
      assert.equal(await app.text(), "APP");
    }
    const home = await handler(request("/", { range: "bytes=1-2" }));
    assert.equal(home.headers.get("cache-control"), "no-cache");
    assert.equal(home.headers.get("x-own"), "1");
    assert.equal(home.headers.get("vary"), "accept-encoding");
    assert.deepEqual([home.status, await home.text()], [206, "om"]);
  },
);

testEverywhere("serveDirectory: notFound answers for what is not there", async (place) => {
  const handler = serveDirectory(site(place), {
    notFound: ({ url }) => new Response(`no ${new URL(url).pathname}`, { status: 404 }),
  });
  assert.equal(await (await handler(request("/app/route"))).text(), "no /app/route");
  assert.equal(await (await handler(request("/"))).text(), "home");
});

testEverywhere(
  "serveDirectory: a listing shows what may be seen, escaped (CVE-2024-27306)",
  async (place) => {
    const root = site(place);
    place.write("site/list/<img src=x onerror=alert(1)>", "");
    place.write("site/list/\"onmouseover='alert(2)'", "");
    place.write("site/list/javascript:alert(3)", "");
    place.write("site/list/&amp;", "");
    place.write("site/list/.hidden", "");
    place.write("site/list/folder/x", "");
    place.link("site/list/link", "folder");
    const handler = serveDirectory(root, { listing: true });
    const response = await handler(request("/list/"));
    assert.equal(response.headers.get("content-type"), "text/html; charset=utf-8");
    assert.equal(response.headers.get("content-security-policy"), "default-src 'none'");
    const page = await response.text();
    const items = [...page.matchAll(/<li>(.*?)<\/li>/g)].map(([, item]) => item);
    assert.deepEqual(items, [
      '<a href="../">../</a>',
      '<a href="./%22onmouseover%3D&#39;alert(2)&#39;">&quot;onmouseover=&#39;alert(2)&#39;</a>',
      '<a href="./%26amp%3B">&amp;amp;</a>',
      '<a href="./%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E">&lt;img src=x onerror=alert(1)&gt;</a>',
      '<a href="./folder/">folder/</a>',
      '<a href="./javascript%3Aalert(3)">javascript:alert(3)</a>',
      '<a href="./link">link</a>',
    ]);
    assert.ok(!page.includes("<img"));
    for (const [, href] of page.matchAll(/href="(.*?)"/g)) {
      const link = (href as string).replaceAll("&#39;", "'");
      const { pathname } = new URL(link, "http://localhost/list/");
      const { status } = await handler(request(pathname));
      assert.ok(status === 200 || (status === 308 && link.includes("link")), pathname);
    }
    const top = await serveDirectory(root, { listing: true, index: false })(request("/"));
    assert.ok(!(await top.text()).includes("../"));
    const head = await handler(request("/list/", {}, "HEAD"));
    assert.deepEqual([head.status, await head.text()], [200, ""]);
  },
);

test("listingPage: so many names, and how many more", () => {
  const entries = Array.from({ length: 10_003 }, (_, index) => ({
    name: `${index}`,
    kind: "file" as const,
  }));
  const page = listingPage(entries, { title: "/<b>/", hasParent: false });
  assert.ok(page.includes("and 3 more") && !page.includes(">10001<"));
  assert.ok(page.includes("Index of /&lt;b&gt;/") && !page.includes("<b>"));
});

test("serveDirectory: options and folders that are none", async () => {
  for (const wrong of [
    { prefix: "static" },
    { prefix: "/static/" },
    { index: "a/b" },
    { index: ".." },
    { index: "" },
    { dotfiles: "yes" },
    { followLinks: true },
    { immutable: "js" },
    { precompressed: ["deflate"] },
  ])
    assert.throws(() => serveDirectory("/srv", wrong as object), RangeError, JSON.stringify(wrong));
  for (const wrong of ["", "a\0b", 3, new URL("http://localhost/srv")])
    assert.throws(() => serveDirectory(wrong as string), TypeError);
  const handler = serveDirectory("/none/at/all");
  await assert.rejects(
    run(() => handler(request("/"))),
    (error) => error instanceof SystemError && error.systemCode === "ENOENT",
  );
});

test("serveDirectory: cancelled at every checkpoint, no file stays open", async () => {
  await simulate({ seed: 3 }, async (world) => {
    const { files } = world.localhost;
    files.write("/srv/index.html", pattern(1000));
    files.write("/srv/list/a", "a");
    const handler = serveDirectory("/srv", { listing: true, precompressed: true });
    const { rounds } = await cancelEverywhere(async (round) => {
      round.after(() => assert.equal(world.localhost.openFiles, 0));
      const home = await handler(request("/", { "accept-encoding": "br" }));
      assert.equal(home.status, 200);
      const list = await handler(request("/list/"));
      assert.equal(list.status, 200);
    });
    assert.ok(rounds.waiting >= 8, JSON.stringify(rounds));
  });
});

// What the simulator's files cannot be.

const folder = mkdtempSync(join(tmpdir(), "arborio-http-directory-"));
after(() => {
  chmodSync(join(folder, "closed"), 0o755);
  rmSync(folder, { recursive: true, force: true });
});

test("serveDirectory: FIFOs are 403 and nothing waits; what may not be read is 403", async () => {
  execFileSync("mkfifo", [join(folder, "fifo")]);
  mkdirSync(join(folder, "closed"));
  writeFileSync(join(folder, "closed", "file"), "x");
  writeFileSync(join(folder, "unreadable"), "x");
  writeFileSync(join(folder, "readable"), "x");
  chmodSync(folder, 0o711);
  for (const name of ["closed", "unreadable"]) chmodSync(join(folder, name), 0);
  const user = process.geteuid?.() ?? NOBODY;
  // Root may read everything.
  if (user === 0) process.seteuid?.(NOBODY);
  try {
    await run(() =>
      failAfter(5000, async () => {
        const handler = serveDirectory(new Path(pathToFileURL(folder)), { listing: true });
        for (const [path, status] of [
          ["/readable", 200],
          ["/fifo", 403],
          ["/unreadable", 403],
          ["/closed/", 403],
          ["/closed/file", 404],
        ] as const) {
          const response = await handler(request(path));
          assert.equal(response.status, status, path);
          assert.ok(status === 200 || !(await response.text()).includes(folder));
        }
      }),
    );
  } finally {
    if (user === 0) process.seteuid?.(user);
  }
});
