import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { FieldList } from "../protocol/message.ts";
import { ReadyHeads } from "./ready-heads.ts";

const TEXT: FieldList = Object.freeze(["content-type", "text/plain"]);
const JSON_TYPE: FieldList = Object.freeze(["content-type", "application/json"]);

/** Counts how often a head is built. */
function builder() {
  let built = 0;
  const build = (status: number, fields: FieldList, date: string): string => {
    built += 1;
    return `${status} ${fields.join(": ")} at ${date} length `;
  };
  return { build, built: () => built };
}

const text = (bytes: Uint8Array | null): string | null =>
  bytes === null ? null : new TextDecoder().decode(bytes);

describe("ReadyHeads.find", () => {
  test("builds a head once, and again when the date is another", () => {
    const heads = new ReadyHeads();
    const { build, built } = builder();
    const first = heads.find(200, TEXT, "noon", build);
    assert.equal(text(first), "200 content-type: text/plain at noon length ");
    assert.equal(heads.find(200, TEXT, "noon", build), first);
    assert.equal(built(), 1);
    const later = heads.find(200, TEXT, "one", build);
    assert.equal(text(later), "200 content-type: text/plain at one length ");
    assert.equal(built(), 2);
  });

  test("tells statuses and fields apart", () => {
    const heads = new ReadyHeads();
    const { build } = builder();
    heads.find(200, TEXT, "noon", build);
    assert.match(text(heads.find(404, TEXT, "noon", build)) ?? "", /^404 .*plain/);
    assert.match(text(heads.find(200, JSON_TYPE, "noon", build)) ?? "", /^200 .*json/);
    assert.match(text(heads.find(200, TEXT, "noon", build)) ?? "", /^200 .*plain/);
  });

  test("keeps nothing of fields that may change", () => {
    const heads = new ReadyHeads();
    const { build, built } = builder();
    assert.equal(heads.find(200, ["content-type", "text/plain"], "noon", build), null);
    assert.equal(built(), 0);
  });

  test("keeps sixteen heads at most", () => {
    const heads = new ReadyHeads();
    const { build } = builder();
    for (let status = 200; status < 216; status++)
      assert.notEqual(heads.find(status, TEXT, "noon", build), null);
    assert.equal(heads.find(216, TEXT, "noon", build), null);
    assert.notEqual(heads.find(215, TEXT, "one", build), null);
  });

  test("an error in building keeps nothing", () => {
    const heads = new ReadyHeads();
    const broken = (): string => {
      throw new TypeError("no head");
    };
    assert.throws(() => heads.find(200, TEXT, "noon", broken), /no head/);
    const { build } = builder();
    assert.match(text(heads.find(200, TEXT, "noon", build)) ?? "", /at noon/);
    assert.throws(() => heads.find(200, TEXT, "one", broken), /no head/);
    assert.match(text(heads.find(200, TEXT, "one", build)) ?? "", /at one/);
  });
});
