import assert from "node:assert/strict";
import { Path } from "arborio/fs";
import { test } from "node:test";
import fc from "fast-check";
import { moveOnAfter, sleep } from "arborio";
import { simulate } from "arborio/sim";
import type { ByteReceiveStream } from "arborio/streams";
import { cancelEverywhere } from "arborio/testing";
import { responseParts } from "../web/response-parts.ts";
import { serveFile } from "./serve-file.ts";
import { assertOpen, pattern, type Place, request, testEverywhere } from "./places.test.kit.ts";

const LARGE = 200_000;

testEverywhere("serveFile: the whole file, with all that is known of it", async (place) => {
  place.write("page.html", "<p>hello</p>");
  const response = await serveFile(request("/"), `${place.folder}/page.html`, {
    cacheControl: "no-cache",
    headers: { "x-more": "1", vary: "cookie" },
  });
  assert.equal(response.status, 200);
  const { headers } = response;
  assert.equal(headers.get("content-type"), "text/html; charset=utf-8");
  assert.equal(headers.get("content-length"), "12");
  assert.equal(headers.get("accept-ranges"), "bytes");
  assert.equal(headers.get("cache-control"), "no-cache");
  assert.equal(headers.get("x-more"), "1");
  assert.equal(headers.get("vary"), "cookie");
  assert.equal(headers.get("x-content-type-options"), "nosniff");
  assert.match(headers.get("etag") ?? "", /^"[!#-~]+"$/);
  assert.match(headers.get("last-modified") ?? "", / GMT$/);
  assert.equal(headers.get("content-encoding"), null);
  await assertOpen(place, 0);
  assert.equal(await response.text(), "<p>hello</p>");
});

testEverywhere("serveFile: large files, empty files and HEAD", async (place) => {
  const bytes = pattern(LARGE);
  place.write("large.bin", bytes);
  place.write("empty.txt", "");
  const large = await serveFile(request("/"), new Path(place.folder, "large.bin"));
  await assertOpen(place, 1);
  assert.equal(large.headers.get("content-length"), String(LARGE));
  assert.deepEqual(new Uint8Array(await large.arrayBuffer()), bytes);
  await assertOpen(place, 0);
  const empty = await serveFile(request("/"), `${place.folder}/empty.txt`);
  assert.equal(empty.headers.get("content-length"), "0");
  assert.equal(await empty.text(), "");
  const head = await serveFile(request("/", {}, "HEAD"), `${place.folder}/large.bin`);
  assert.equal(head.status, 200);
  assert.equal(head.headers.get("content-length"), String(LARGE));
  assert.equal(head.headers.get("etag"), large.headers.get("etag"));
  assert.equal(head.body, null);
});

testEverywhere("serveFile: a body that is not read to its end closes the file", async (place) => {
  place.write("large.bin", pattern(LARGE));
  const path = `${place.folder}/large.bin`;
  const unread = await serveFile(request("/"), path);
  await assertOpen(place, 1);
  await unread.body?.cancel();
  await assertOpen(place, 0);
  const begun = await serveFile(request("/"), path);
  const reader = begun.body?.getReader();
  await reader?.read();
  await assertOpen(place, 1);
  await reader?.cancel();
  await assertOpen(place, 0);
});

testEverywhere("serveFile: ranges, single and several", async (place) => {
  const bytes = pattern(LARGE);
  place.write("large.bin", bytes);
  place.write("small.txt", "0123456789");
  const get = (name: string, range: string, more: Record<string, string> = {}) =>
    serveFile(request("/", { range, ...more }), `${place.folder}/${name}`);

  const single = await get("small.txt", "bytes=2-4");
  assert.equal(single.status, 206);
  assert.equal(single.headers.get("content-range"), "bytes 2-4/10");
  assert.equal(single.headers.get("content-length"), "3");
  assert.equal(await single.text(), "234");
  assert.equal(await (await get("small.txt", "bytes=-2")).text(), "89");

  const long = await get("large.bin", "bytes=1000-150999");
  assert.deepEqual(new Uint8Array(await long.arrayBuffer()), bytes.slice(1000, 151_000));

  for (const [name, range, parts] of [
    ["large.bin", "bytes=5-9,-3,100000-199000", ["5-9", "199997-199999", "100000-199000"]],
    ["large.bin", "bytes=5-9,-3", ["5-9", "199997-199999"]],
  ] as const) {
    const several = await get(name, range);
    assert.equal(several.status, 206);
    assert.equal(several.headers.get("content-range"), null);
    const type = several.headers.get("content-type") ?? "";
    const boundary = /^multipart\/byteranges; boundary=([\w-]{20,70})$/.exec(type)?.[1];
    assert.ok(boundary !== undefined, type);
    const body = new Uint8Array(await several.arrayBuffer());
    assert.equal(several.headers.get("content-length"), String(body.length));
    const text = [...body].map((byte) => String.fromCharCode(byte)).join("");
    const pieces = text.split(`--${boundary}`);
    assert.equal(pieces.length, parts.length + 2);
    assert.equal(pieces.at(-1), "--\r\n");
    parts.forEach((part, index) => {
      const [start = 0, end = 0] = part.split("-").map(Number);
      const [, head, contents] = /^\r\n(.*?)\r\n\r\n(.*)\r\n$/s.exec(pieces[index + 1] ?? "") ?? [];
      const fields = `content-type: application/octet-stream\r\ncontent-range: bytes ${part}/${LARGE}`;
      assert.equal(head, fields);
      assert.deepEqual(
        Uint8Array.from(contents ?? "", (character) => character.charCodeAt(0)),
        bytes.slice(start, end + 1),
      );
    });
  }

  const beyond = await get("small.txt", "bytes=10-");
  assert.equal(beyond.status, 416);
  assert.equal(beyond.headers.get("content-range"), "bytes */10");
  assert.equal(beyond.headers.get("cache-control"), null);
  for (const ignored of ["bytes=x", "lines=0-1", `bytes=${"0-,".repeat(20)}`])
    assert.equal((await get("small.txt", ignored)).status, 200, ignored);
  const head = await serveFile(
    request("/", { range: "bytes=0-1" }, "HEAD"),
    `${place.folder}/small.txt`,
  );
  assert.deepEqual([head.status, head.headers.get("content-length")], [200, "10"]);
});

testEverywhere("serveFile: conditions and If-Range", async (place) => {
  place.write("a.txt", "0123456789");
  const path = `${place.folder}/a.txt`;
  const first = await serveFile(request("/"), path);
  const etag = first.headers.get("etag") as string;
  const modified = first.headers.get("last-modified") as string;
  const statusOf = async (headers: Record<string, string>): Promise<number> => {
    const response = await serveFile(request("/", headers), path, { headers: { "x-own": "1" } });
    const text = await response.text();
    assert.equal(text.length > 0, response.status < 300);
    assert.equal(response.headers.get("etag"), etag);
    assert.equal(response.headers.get("x-own"), response.status < 400 ? "1" : null);
    if (response.status >= 300) assert.equal(response.headers.get("content-type"), null);
    return response.status;
  };
  assert.equal(await statusOf({ "if-none-match": etag }), 304);
  assert.equal(await statusOf({ "if-none-match": '"other"' }), 200);
  assert.equal(await statusOf({ "if-modified-since": modified }), 304);
  assert.equal(await statusOf({ "if-match": '"other"' }), 412);
  assert.equal(await statusOf({ "if-match": etag }), 200);
  const old = "Sun, 06 Nov 1994 08:49:37 GMT";
  assert.equal(await statusOf({ "if-unmodified-since": old }), 412);
  const range = "bytes=0-1";
  assert.equal(await statusOf({ range, "if-range": etag }), 206);
  assert.equal(await statusOf({ range, "if-range": modified }), 206);
  assert.equal(await statusOf({ range, "if-range": '"other"' }), 200);
  assert.equal(await statusOf({ range, "if-range": `W/${etag}` }), 200);
  assert.equal(await statusOf({ range, "if-range": old }), 200);
  assert.equal(await statusOf({ range, "if-none-match": etag }), 304);
  assert.equal(await statusOf({ range: "bytes=99-", "if-match": '"x"' }), 412);
});

/** Until what is written gets another time than this file has: file systems have clocks of coarse steps. */
async function clockMoved(place: Place, path: string): Promise<void> {
  const { modifiedMs } = await new Path(place.folder, path).stat();
  const clock = new Path(place.folder, "clock");
  do {
    await sleep(1);
    place.write("clock", "");
  } while ((await clock.stat()).modifiedMs === modifiedMs);
}

testEverywhere(
  "serveFile: another state has another tag, also in the same second",
  async (place) => {
    place.write("a.txt", "one");
    const tag = async (): Promise<string | null> =>
      (await serveFile(request("/"), `${place.folder}/a.txt`)).headers.get("etag");
    const before = await tag();
    assert.equal(await tag(), before);
    await clockMoved(place, "a.txt");
    place.write("a.txt", "two");
    const changed = await tag();
    assert.notEqual(changed, before);
    place.remove("a.txt");
    place.write("b.txt", "x");
    place.write("a.txt", "two");
    assert.notEqual(await tag(), changed);
  },
);

testEverywhere(
  "serveFile: a file that is replaced while it is sent is sent as it was",
  async (place) => {
    const bytes = pattern(LARGE);
    place.write("large.bin", bytes);
    const response = await serveFile(request("/"), `${place.folder}/large.bin`);
    place.remove("large.bin");
    place.write("large.bin", "new");
    assert.deepEqual(new Uint8Array(await response.arrayBuffer()), bytes);
  },
);

testEverywhere("serveFile: precompressed siblings by real weights", async (place) => {
  place.write("a.js", "plain");
  place.write("a.js.br", "BR");
  place.write("a.js.gz", "GZIP");
  place.write("a.js.zst", "ZSTD");
  place.write("b.js", "plain b");
  const get = async (
    accept: string | null,
    name = "a.js",
    precompressed: true | ["gzip"] = true,
  ) => {
    const headers: Record<string, string> = accept === null ? {} : { "accept-encoding": accept };
    const response = await serveFile(request("/", headers), `${place.folder}/${name}`, {
      precompressed,
    });
    assert.equal(response.headers.get("vary"), "accept-encoding");
    assert.equal(response.headers.get("content-type"), "text/javascript; charset=utf-8");
    return [response.headers.get("content-encoding"), await response.text()];
  };
  assert.deepEqual(await get("gzip, br, zstd"), ["br", "BR"]);
  assert.deepEqual(await get("gzip, br;q=0.5, zstd;q=0.6"), ["gzip", "GZIP"]);
  assert.deepEqual(await get("br;q=0, zstd"), ["zstd", "ZSTD"]);
  assert.deepEqual(await get(null), [null, "plain"]);
  assert.deepEqual(await get("identity, br;q=0.9"), [null, "plain"]);
  assert.deepEqual(await get("notbr, xgzip"), [null, "plain"]);
  assert.deepEqual(await get("br, gzip;q=0.1", "a.js", ["gzip"]), ["gzip", "GZIP"]);
  assert.deepEqual(await get("br", "b.js"), [null, "plain b"]);
  const tags = new Set<string | null>();
  for (const accept of ["br", "gzip", "zstd", "identity"]) {
    const response = await serveFile(
      request("/", { "accept-encoding": accept }),
      `${place.folder}/a.js`,
      { precompressed: true },
    );
    tags.add(response.headers.get("etag"));
  }
  assert.equal(tags.size, 4);
  const range = await serveFile(
    request("/", { "accept-encoding": "gzip", range: "bytes=1-2" }),
    `${place.folder}/a.js`,
    { precompressed: true },
  );
  assert.equal(range.headers.get("content-range"), "bytes 1-2/4");
  assert.equal(await range.text(), "ZI");
});

testEverywhere(
  "serveFile: a sibling that is a link is not there (CVE-2024-42367)",
  async (place) => {
    place.write("site/a.js", "plain");
    place.write("secret", "secret");
    place.link("site/a.js.gz", "../secret");
    place.write("site/b.js.real", "B");
    place.link("site/a.js.br", "b.js.real");
    const response = await serveFile(
      request("/", { "accept-encoding": "br, gzip" }),
      `${place.folder}/site/a.js`,
      { precompressed: true },
    );
    assert.equal(response.headers.get("content-encoding"), null);
    assert.equal(await response.text(), "plain");
  },
);

testEverywhere("serveFile: what is not there, and what is no file", async (place) => {
  place.write("folder/file", "x");
  place.write("folder.gz", "compressed?");
  place.link("link", "folder/file");
  place.link("loop", "loop");
  const statusOf = async (name: string, method = "GET"): Promise<number> => {
    const accept = { "accept-encoding": "gzip" };
    const asked = request("/", accept, method);
    const response = await serveFile(asked, `${place.folder}/${name}`, { precompressed: true });
    assert.ok(!(await response.text()).includes(place.folder), "the path was told");
    return response.status;
  };
  for (const name of ["none", "folder", "folder/file/x", "loop", "n".repeat(300)])
    assert.equal(await statusOf(name), 404, name);
  assert.equal(await statusOf("link"), 200);
  assert.equal(await statusOf("link", "POST"), 405);
  assert.equal(await statusOf("link", "get"), 405);
  await assert.rejects(serveFile(request("/"), "a\0b"), RangeError);
  await assert.rejects(
    serveFile("a" as never, request("/") as never),
    /serveFile\(request, path\)/,
  );
  await assert.rejects(
    serveFile(request("/"), "a", { precompressed: ["lzma"] as unknown as ["br"] }),
    RangeError,
  );
});

testEverywhere("serveFile: the bytes of any range are that slice of the file", async (place) => {
  const bytes = pattern(70_000);
  place.write("a.bin", bytes);
  const position = fc.oneof(fc.nat(20), fc.integer({ min: 69_980, max: 70_020 }), fc.nat(70_000));
  const cases = fc.sample(fc.tuple(position, position), { numRuns: 60, seed: 4 });
  for (const [a, b] of cases) {
    const [start, last] = a < b ? [a, b] : [b, a];
    const response = await serveFile(
      request("/", { range: `bytes=${start}-${last}` }),
      `${place.folder}/a.bin`,
    );
    const wanted = bytes.slice(start, last + 1);
    assert.equal(response.status, wanted.length > 0 ? 206 : 416);
    assert.deepEqual(new Uint8Array(await response.arrayBuffer()), wanted);
  }
});

test("serveFile: cancelled at every checkpoint, no file stays open", async () => {
  await simulate({ seed: 3 }, async (world) => {
    const { files } = world.localhost;
    files.write("/srv/a.js", pattern(150_000));
    files.write("/srv/a.js.gz", pattern(150_000));
    files.write("/srv/small.js", "small");
    const asked = request("/", { "accept-encoding": "gzip" });
    const { rounds } = await cancelEverywhere(async (round) => {
      round.after(() => assert.equal(world.localhost.openFiles, 0));
      const small = await serveFile(asked, "/srv/small.js", { precompressed: true });
      assert.equal(await small.text(), "small");
      const response = await serveFile(asked, "/srv/a.js", { precompressed: true });
      // As a server does it, and as tests and middleware do.
      using body = responseParts(response).payload as ByteReceiveStream;
      let bytes = 0;
      for await (const chunk of body) bytes += chunk.length;
      assert.equal(bytes, 150_000);
      const whole = await serveFile(asked, "/srv/a.js");
      try {
        assert.equal((await whole.arrayBuffer()).byteLength, 150_000);
      } finally {
        if (!whole.bodyUsed) await whole.body?.cancel();
      }
    });
    assert.ok(rounds.waiting >= 10, JSON.stringify(rounds));
  });
});

test("serveFile: a file that became shorter is closed by the read that finds it", async () => {
  await simulate({ seed: 1 }, async (world) => {
    const { localhost } = world;
    localhost.files.write("/large", pattern(LARGE));
    const body = responseParts(await serveFile(request("/"), "/large")).payload;
    const stream = body as ByteReceiveStream;
    let bytes = (await stream.receive(1000)).length;
    localhost.files.write("/large", pattern(2000));
    await assert.rejects(async () => {
      for (;;) bytes += (await stream.receive()).length;
    }, /became shorter while it was sent: 198000 of 200000 bytes/);
    assert.equal(bytes, 2000);
    assert.equal(localhost.openFiles, 0);
    await assert.rejects(stream.receive());
  });
});

test("serveFile: a download that is cut by a deadline closes the file", async () => {
  await simulate({ seed: 1 }, async (world) => {
    world.localhost.files.write("/large", pattern(LARGE));
    await moveOnAfter(1, async () => {
      const response = await serveFile(request("/"), "/large");
      const reader = response.body?.getReader();
      try {
        await reader?.read();
        await sleep(1000);
      } finally {
        await reader?.cancel();
      }
    });
    assert.equal(world.localhost.openFiles, 0);
  });
});
