/** Paths as text. The expected values are those of Python's `pathlib`; that a dot at the end of a name is a suffix is so since 3.14. */
import assert from "node:assert/strict";
import { posix } from "node:path";
import { test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import fc from "fast-check";
import { PurePath } from "./pure-path.ts";

/** Printed, so that a run can be repeated. */
const [printedSeed = 0] = fc.sample(fc.nat(), 1);
console.log(`# pure-path: seed ${printedSeed}`);
const check = <T>(arbitrary: fc.Arbitrary<T>, predicate: (value: T) => void): void =>
  fc.assert(fc.property(arbitrary, predicate), { seed: printedSeed, numRuns: 500 });

const part = fc.oneof(
  fc.constantFrom(
    "",
    ".",
    "..",
    "a",
    "b",
    ".rc",
    "a.b",
    "a.b.c",
    "x.",
    "-",
    " ",
    "ä\n",
    "😀",
    "%2f",
  ),
  fc.string({ maxLength: 4 }).filter((text) => !/[/\0]/.test(text)),
);
const text = fc
  .tuple(fc.boolean(), fc.array(part, { maxLength: 6 }))
  .map(([isAbsolute, parts]) => (isAbsolute ? "/" : "") + parts.join("/"));

const texts = (paths: readonly PurePath[]): string[] => paths.map(String);

test("PurePath: what means nothing is dropped, .. stays", () => {
  for (const [given, kept] of [
    ["", "."],
    [".", "."],
    ["./.", "."],
    ["/", "/"],
    ["//", "/"],
    ["/.", "/"],
    ["a//b/./c/", "a/b/c"],
    ["./a", "a"],
    ["a/..", "a/.."],
    ["/../a", "/../a"],
    [".a/...", ".a/..."],
    ["a\n/./b", "a\n/b"],
  ] as const)
    assert.equal(new PurePath(given).text, kept, JSON.stringify(given));
});

test("PurePath: parts are put behind one another, an absolute one begins anew", () => {
  assert.equal(new PurePath().text, ".");
  assert.equal(new PurePath("a", "", "b", ".").text, "a/b");
  assert.equal(new PurePath("", "b").text, "b");
  assert.equal(new PurePath("a", "/b", new PurePath("c")).text, "/b/c");
  assert.equal(new PurePath("a", new URL("file:///x%20y/")).text, "/x y");
  assert.equal(new PurePath("a").join("b", "../c").text, "a/b/../c");
  assert.equal(String(new PurePath("a").join("/b")), "/b");
  assert.equal(JSON.stringify({ at: new PurePath("a/") }), '{"at":"a"}');
});

test("PurePath: one of another loaded copy of the package is a path too", () => {
  const other = Object.create({ [Symbol.for("arborio.path")]: true }, { text: { value: "/x" } });
  assert.equal(new PurePath(other as PurePath).join("y").text, "/x/y");
});

test("PurePath: what is no path is refused", () => {
  for (const wrong of [1, null, undefined, {}, ["a"], { text: "a" }])
    assert.throws(() => new PurePath(wrong as never), /needs a path/);
  assert.throws(
    () => new PurePath("a\0"),
    /RangeError: Path: got "a\\u0000", needs a path without NUL/,
  );
  assert.throws(() => new PurePath("a", "\ud800"), /RangeError.*half a surrogate/);
  assert.throws(() => new PurePath(new URL("https://localhost/a")), /needs a URL of this machine/);
  assert.throws(() => new PurePath(new URL("file:///a%2Fb")), /hides/);
});

test("PurePath: parts, name, suffix, suffixes, stem, parent", () => {
  for (const [given, name, stem, suffix, suffixes, parent] of [
    ["/a/b.tar.gz", "b.tar.gz", "b.tar", ".gz", [".tar", ".gz"], "/a"],
    ["a", "a", "a", "", [], "."],
    ["/a", "a", "a", "", [], "/"],
    ["/", "", "", "", [], "/"],
    [".", "", "", "", [], "."],
    ["..", "..", "..", "", [], "."],
    ["../..", "..", "..", "", [], ".."],
    [".rc", ".rc", ".rc", "", [], "."],
    ["..rc", "..rc", "..rc", "", [], "."],
    [".rc.old", ".rc.old", ".rc", ".old", [".old"], "."],
    ["a.", "a.", "a", ".", ["."], "."],
    ["a..b", "a..b", "a.", ".b", [".", ".b"], "."],
  ] as const) {
    const path = new PurePath(given);
    assert.deepEqual(
      [path.name, path.stem, path.suffix, path.suffixes, path.parent.text],
      [name, stem, suffix, suffixes, parent],
      given,
    );
  }
  assert.deepEqual(new PurePath("/a/b").parts, ["/", "a", "b"]);
  assert.deepEqual(new PurePath("a/b").parts, ["a", "b"]);
  assert.deepEqual([new PurePath("/").parts, new PurePath("").parts], [["/"], []]);
  assert.deepEqual(texts(new PurePath("/a/b/c").parents), ["/a/b", "/a", "/"]);
  assert.deepEqual(texts(new PurePath("a/b").parents), ["a", "."]);
  assert.deepEqual(new PurePath("/").parents, []);
});

test("PurePath.withName, withStem, withSuffix: a new path, or a clear refusal", () => {
  const path = new PurePath("/a/b.tar.gz");
  assert.equal(path.withName("c").text, "/a/c");
  assert.equal(path.withStem("c").text, "/a/c.gz");
  assert.equal(path.withSuffix(".xz").text, "/a/b.tar.xz");
  assert.equal(path.withSuffix("").text, "/a/b.tar");
  assert.equal(new PurePath("/a").withSuffix(".b").text, "/a.b");
  assert.equal(path.text, "/a/b.tar.gz");
  for (const name of ["", ".", "..", "a/b", "/", 1 as never])
    assert.throws(() => path.withName(name), /RangeError: Path.withName: got .*needs the name/);
  for (const without of ["/", ".", "..", "a/.."])
    assert.throws(() => new PurePath(without).withName("a"), /needs one with a name/);
  assert.throws(() => path.withSuffix("gz"), /RangeError: Path.withSuffix: got "gz", needs ".txt"/);
  assert.throws(() => path.withSuffix("./x"), RangeError);
  assert.throws(() => path.withStem(1 as never), TypeError);
  assert.throws(() => new PurePath("a").withStem(""), RangeError);
});

test("PurePath.relativeTo, isRelativeTo: by text; up only on request", () => {
  const way = (from: string, to: string, walkUp?: boolean): string =>
    new PurePath(to).relativeTo(from, walkUp === undefined ? {} : { walkUp }).text;
  assert.equal(way("/a", "/a/b/c"), "b/c");
  assert.equal(way("/a", "/a"), ".");
  assert.equal(way(".", "a"), "a");
  assert.equal(way("/a/b/c", "/a/d", true), "../../d");
  assert.equal(way("a", "b", true), "../b");
  for (const [from, to, walkUp] of [
    ["/a", "/ab", false],
    ["/a/b", "/a", false],
    ["a", "/a", true],
    [".", "/a", true],
    ["/a", "a", true],
    ["/a/../b", "/c", true],
    ["..", "a", true],
  ] as const)
    assert.throws(() => way(from, to, walkUp), /RangeError: Path.relativeTo: got/, `${from} ${to}`);
  assert.throws(() => new PurePath("a").relativeTo("a", { walkup: true } as never), /walkUp/);
  assert.throws(() => new PurePath("a").relativeTo("a", { walkUp: 1 } as never), TypeError);
  assert.equal(new PurePath("/a/b").isRelativeTo("/a"), true);
  assert.equal(new PurePath("/ab").isRelativeTo("/a"), false);
  assert.equal(new PurePath("/a").isRelativeTo("."), false);
});

test("PurePath: with node:path as the oracle: normalize, name, suffix, parent, join", () => {
  check(text, (given) => {
    const path = new PurePath(given);
    const normal = posix.normalize(given);
    const expected = normal.length > 1 ? normal.replace(/\/$/, "") : normal;
    assert.equal(path.normalize().text, expected);
    assert.equal(path.isAbsolute, posix.isAbsolute(given));
    if (path.name !== "") {
      assert.equal(path.name, posix.basename(path.text));
      assert.equal(path.parent.text, posix.dirname(path.text));
    }
    // Node takes the dots at the start of "..rc" for a suffix; Python does not.
    if (!/^\.\.+./.test(path.name)) assert.equal(path.suffix, posix.extname(path.text));
  });
  check(fc.tuple(text, text), ([base, more]) => {
    const expected = posix.isAbsolute(more) ? more : `${base === "" ? "." : base}/${more}`;
    assert.equal(
      new PurePath(base, more).normalize().text,
      new PurePath(posix.normalize(expected)).text,
    );
  });
});

test("PurePath.relativeTo: leads back, and as node:path tells it", () => {
  check(fc.tuple(text, text), ([from, to]) => {
    const [base, path] = [new PurePath(from).normalize(), new PurePath(to).normalize()];
    if (base.isAbsolute !== path.isAbsolute || base.parts.includes("..")) return;
    const way = path.relativeTo(base, { walkUp: true });
    assert.equal(base.join(way).normalize().text, path.text);
    if (base.isAbsolute) assert.equal(way.text, posix.relative(base.text, path.text) || ".");
  });
});

test("PurePath: its parts make the path again; parents are its starts; equality is that of texts", () => {
  check(fc.tuple(text, text), ([given, other]) => {
    const path = new PurePath(given);
    assert.equal(new PurePath(...path.parts).text, path.text);
    for (const above of path.parents) assert.ok(path.isRelativeTo(above));
    assert.equal(path.parents.length, Math.max(0, path.parts.length - (path.isAbsolute ? 1 : 0)));
    assert.equal(path.stem + path.suffix, path.name);
    const second = new PurePath(other);
    assert.equal(path.equals(second), path.text === second.text);
    assert.equal(PurePath.compare(path, second) === 0, path.equals(other));
    assert.equal(
      Math.sign(PurePath.compare(path, second)),
      -Math.sign(PurePath.compare(second, path)) || 0,
    );
  });
});

test("PurePath.toUrl: leads back, and as node:url tells it", () => {
  check(text, (given) => {
    const path = new PurePath("/", given);
    if (path.parts.includes(".."))
      return assert.throws(() => path.toUrl(), /needs an absolute path/);
    assert.equal(new PurePath(path.toUrl()).text, path.text);
    assert.equal(fileURLToPath(path.toUrl()), path.text);
    assert.equal(fileURLToPath(pathToFileURL(path.text)), path.text);
  });
  assert.throws(() => new PurePath("a").toUrl(), /RangeError: Path.toUrl: got a, needs/);
  assert.equal(new PurePath("/C:/x|/a b?#").toUrl().protocol, "file:");
});

test("PurePath: a class made of it gets paths of its own class", () => {
  class Own extends PurePath {}
  const path = new Own("/a/b.c");
  for (const made of [
    path.parent,
    path.join("x"),
    path.withName("y"),
    path.normalize(),
    path.relativeTo("/a"),
    ...path.parents,
  ])
    assert.ok(made instanceof Own);
});
