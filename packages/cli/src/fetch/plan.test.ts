import assert from "node:assert/strict";
import { test } from "node:test";
import { UsageError } from "../command-error.ts";
import { MemoryDisk } from "../testing/memory-disk.test.kit.ts";
import type { FetchFilesOptions } from "./fetch-options.ts";
import { type Job, planJobs as plan, publicUrl } from "./plan.ts";
import { collectText } from "./url-list.ts";

const HEX = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

function optionsOf(urls: readonly string[], rest: Partial<FetchFilesOptions>): FetchFilesOptions {
  return {
    urls: urls.map((url) => new URL(url)),
    directory: "d",
    concurrency: 1,
    limitPerHost: 1,
    resume: true,
    overwrite: false,
    json: false,
    headers: [],
    retries: 0,
    ...rest,
  };
}

/** Plans, with this as standard input. */
function planJobs(options: FetchFilesOptions, disk: MemoryDisk, input = ""): Promise<Job[]> {
  return plan(options, disk, () => chunksOf(input));
}

/** One byte at a time. */
async function* chunksOf(text: string): AsyncGenerator<Uint8Array> {
  for (const byte of new TextEncoder().encode(text)) yield Uint8Array.of(byte);
}

test("planJobs: names below the folder, and the checksum of each", async () => {
  const disk = new MemoryDisk();
  await disk.writeText("sums", `${HEX}  a\n${HEX.slice(0, 40)}  x/b\n`);
  const sum = { algorithm: "sha-256", hex: HEX };
  const jobs = await planJobs(optionsOf(["http://h/a", "http://h/b"], { checksums: "sums" }), disk);
  assert.deepEqual(
    jobs.map(({ name, path, checksum }) => [name, path, checksum?.algorithm]),
    [
      ["a", "d/a", "sha-256"],
      ["b", "d/b", "sha-1"],
    ],
  );
  const [named] = await planJobs(
    optionsOf(["http://h/z"], { checksums: "sums", output: "c/a" }),
    disk,
  );
  assert.deepEqual([named?.path, named?.checksum], ["d/c/a", sum]);
  const [output] = await planJobs(optionsOf(["http://h/z"], { output: "-" }), disk);
  assert.deepEqual([output?.path, output?.checksum], [null, null]);
});

test("planJobs: a list that is none, or has not all, is an error of the command line", async () => {
  const disk = new MemoryDisk();
  await disk.writeText("sums", "hello");
  await disk.writeText("other", `${HEX}  other\n`);
  for (const [checksums, message] of [
    ["nothing", "--checksums: nothing: there is no such file"],
    ["sums", "--checksums: sums: line 1 is not a checksum, two spaces and a name"],
    ["other", "--checksums: other has none for a"],
  ] as const) {
    await assert.rejects(
      planJobs(optionsOf(["http://h/a"], { checksums }), disk),
      (error: unknown) => {
        assert.ok(error instanceof UsageError);
        assert.equal(error.message, message);
        return true;
      },
    );
  }
});

test("planJobs: a list of URLs, from a file or standard input, behind those of the command line", async () => {
  const list = "\r\n# mirrors\nhttp://h/b\r\n  https://\u00e9/\u00e9  \n\nhttp://h/a";
  for (const inputFile of ["list", "-"]) {
    const disk = new MemoryDisk();
    if (inputFile === "list") await disk.writeText("list", list);
    const jobs = await planJobs(optionsOf(["http://h/a"], { inputFile }), disk, list);
    assert.deepEqual(
      jobs.map(({ name, url }) => [name, url.href]),
      [
        ["a", "http://h/a"],
        ["b", "http://h/b"],
        ["\u00e9", "https://xn--9ca/%C3%A9"],
        ["a-2", "http://h/a"],
      ],
    );
  }
});

test("planJobs: a list of URLs that is none is an error of the command line", async () => {
  const disk = new MemoryDisk();
  await disk.writeText("empty", "# none\n\n");
  await disk.writeText("wrong", "http://h/a\nh/b\n");
  for (const [inputFile, message] of [
    ["nothing", "--input-file: nothing: there is no such file"],
    ["empty", "--input-file: empty: there is no URL in it"],
    ["-", "--input-file: -: there is no URL in it"],
    ["wrong", '--input-file: wrong: line 2: "h/b" is no URL of http: or https:'],
  ] as const)
    await assert.rejects(planJobs(optionsOf([], { inputFile }), disk), {
      name: "UsageError",
      message,
    });
});

test("collectText: up to its limit", async () => {
  assert.equal(await collectText("x", chunksOf("a\u00e9"), 3), "a\u00e9");
  await assert.rejects(collectText("x", chunksOf("a\u00e9"), 2), {
    name: "UsageError",
    message: "x: this is no list of URLs: it has more than 2 bytes",
  });
});

test("publicUrl: without credentials and fragment", () => {
  assert.equal(publicUrl(new URL("https://u:p@h/a?b#c")), "https://h/a?b");
});
