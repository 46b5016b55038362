import assert from "node:assert/strict";
import { test } from "node:test";
import { run } from "arborio";
import fc from "fast-check";
import { entries, FORM, MULTIPART, URLENCODED } from "./form.test.kit.ts";
import { HttpError } from "./http-error.ts";
import { readForm } from "./read-form.ts";
import { testRequest } from "./request.test.kit.ts";

const encoder = new TextEncoder();

/** What becomes of a body in these pieces: what it holds, or how it is refused. Anything but an answer is a failure of the test. */
async function outcome(fields: readonly string[], pieces: readonly Uint8Array[]): Promise<unknown> {
  try {
    return await entries(await readForm(testRequest({ fields, body: pieces })));
  } catch (error) {
    if (!(error instanceof HttpError)) throw error;
    return [error.status, error.message];
  }
}

function cut(bytes: Uint8Array, lengths: readonly number[]): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  let at = 0;
  for (const length of lengths) {
    if (at < bytes.length) pieces.push(bytes.subarray(at, at + length));
    at += length;
  }
  if (at < bytes.length) pieces.push(bytes.subarray(at));
  return pieces;
}

const lengths = fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 60 });

/** Pieces that a malformed form is likely to be made of. */
const fragments = fc.constantFrom(
  "\r\n",
  "\r",
  "\n",
  "--b-1",
  "--b-1--",
  "\r\n--b-1\r\n",
  "--",
  "-",
  "b-1",
  ":",
  ";",
  "=",
  '"',
  "\\",
  "Content-Disposition: form-data; name=a\r\n\r\n",
  'Content-Disposition: form-data; name="f"; filename="x"',
  "filename*=utf-8''%",
  "charset=klingon",
  "\0",
  "é",
  "%",
  "&",
  "+",
);

test("readForm: a form that was mangled is read or refused with an answer, the same at every split, and always ends (CVE-2024-30251, CVE-2025-69227)", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ at: fc.nat(FORM.length), removed: fc.nat(20), added: fragments }), {
        maxLength: 4,
      }),
      lengths,
      (changes, splits) =>
        run(async () => {
          let text = FORM;
          for (const { at, removed, added } of changes) {
            text = text.slice(0, at) + added + text.slice(at + removed);
          }
          const bytes = encoder.encode(text);
          const whole = await outcome(MULTIPART, [bytes]);
          assert.deepEqual(await outcome(MULTIPART, cut(bytes, splits)), whole);
        }),
    ),
    { numRuns: 300 },
  );
});

test("readForm: any sequence of fragments is read or refused with an answer, the same at every split", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fragments, { maxLength: 30 }), lengths, (pieces, splits) =>
      run(async () => {
        const bytes = encoder.encode(pieces.join(""));
        for (const fields of [MULTIPART, URLENCODED]) {
          const whole = await outcome(fields, bytes.length === 0 ? [] : [bytes]);
          assert.deepEqual(await outcome(fields, cut(bytes, splits)), whole);
        }
      }),
    ),
    { numRuns: 300 },
  );
});

test("readForm: any names, file names and contents come back as the platform's FormData has written them, but for two backslashes", async () => {
  const text = fc
    .string({
      unit: fc.oneof(
        fc.string({ unit: "grapheme", minLength: 1, maxLength: 1 }),
        fc.constant("\\"),
      ),
      maxLength: 20,
    })
    .map((value) => value.toWellFormed());
  // The platform makes CR LF of each line end in names and values, and so they come back.
  // Two backslashes are one for those who escape with them, and nobody can tell who has written them.
  const line = text.map((value) => value.replace(/[\r\n%]/g, "").replace(/\\+/g, "\\"));
  // Node writes a file without a name as text.
  const file = fc.option(line.filter((name) => name !== ""));
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ name: line, value: line, file }), { maxLength: 5 }),
      lengths,
      (fields, splits) =>
        run(async () => {
          const form = new FormData();
          for (const { name, value, file } of fields) {
            if (file === null) form.append(name, value);
            else form.append(name, new File([value], file, { type: "a/b" }));
          }
          const written = new Response(form);
          const type = written.headers.get("content-type") as string;
          const bytes = await written.bytes();
          const read = await outcome(["content-type", type], cut(bytes, splits));
          assert.deepEqual(read, await entries(form));
        }),
    ),
    { numRuns: 100 },
  );
});
