import assert from "node:assert/strict";
import { test } from "node:test";
import { UsageError } from "../command-error.ts";
import { MemoryDisk } from "../testing/memory-disk.test.kit.ts";
import type { FetchFilesOptions } from "./fetch-options.ts";
import { planJobs, publicUrl } from "./plan.ts";

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

test("publicUrl: without credentials and fragment", () => {
  assert.equal(publicUrl(new URL("https://u:p@h/a?b#c")), "https://h/a?b");
});
