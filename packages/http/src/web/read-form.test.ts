import assert from "node:assert/strict";
import { test } from "node:test";
import { run, taskGroup } from "arborio";
import { simulator } from "arborio/sim";
import { createMemoryPipe, fromIterable } from "arborio/streams";
import { cancelEverywhere } from "arborio/testing";
import {
  encoder,
  entries,
  FIELD,
  FILE,
  FORM,
  FORM_ENTRIES,
  MULTIPART,
  part,
  rejection,
  URLENCODED,
} from "./form.test.kit.ts";
import { BodyTooLargeError } from "./http-error.ts";
import { readForm } from "./read-form.ts";
import { testRequest } from "./request.test.kit.ts";

test("readForm: multipart cut at every byte gives the same form", () =>
  run(async () => {
    const bytes = encoder.encode(FORM);
    for (let cut = 0; cut <= bytes.length; cut += 1) {
      const body = [bytes.subarray(0, cut), bytes.subarray(cut)].filter(({ length }) => length > 0);
      const form = await readForm(testRequest({ fields: MULTIPART, body }));
      assert.deepEqual(await entries(form), FORM_ENTRIES, `cut at ${cut}`);
    }
    const body = [...bytes].map((byte) => Uint8Array.of(byte));
    const form = await readForm(testRequest({ fields: MULTIPART, body }));
    assert.deepEqual(await entries(form), FORM_ENTRIES);
  }));

test("readForm: urlencoded, at any split, is what URLSearchParams makes of it", () =>
  run(async () => {
    for (const text of [
      "",
      "a=1&b=2&a=3",
      "?a=1",
      "a+b=c+d&%C3%A9=%E2%82%AC&=&&x&y=%zz&z=%ff=1",
      "é=ü",
      "\uFEFFa=1",
      "__proto__=1",
    ]) {
      const bytes = encoder.encode(text);
      for (let cut = 0; cut <= bytes.length; cut += 1) {
        const body = [bytes.subarray(0, cut), bytes.subarray(cut)].filter(
          ({ length }) => length > 0,
        );
        const form = await readForm(testRequest({ fields: URLENCODED, body }));
        const wanted = [...new URLSearchParams(`&${text}`)];
        assert.deepEqual(await entries(form), wanted, `${text} cut at ${cut}`);
      }
    }
  }));

test("readForm: reads what the platform writes, from its requests and from ours", () =>
  run(async () => {
    const given = new FormData();
    given.append("text", "multi\r\nline");
    given.append('na"me', "Ω");
    given.append("file", new File([new Uint8Array(100_000)], 'a"b\u00e9.bin', { type: "a/b" }));
    const native = new Request("http://h/", { method: "POST", body: given });
    const [one, other] = [native.clone(), native.clone()];
    // Not as the platform reads it: Bun and Deno leave %22 as it is.
    const wanted = await entries(given);
    assert.deepEqual(await entries(await readForm(one)), wanted);
    const fields = ["content-type", other.headers.get("content-type") as string];
    const ours = testRequest({ fields, body: await other.bytes() });
    assert.deepEqual(await entries(await ours.formData()), wanted);
  }));

test("readForm: what is malformed is 400, whatever it is", async (t) => {
  const disposition = 'Content-Disposition: form-data; name="a"';
  const malformed: Record<string, string> = {
    "nothing at all": "",
    "only text": "hello",
    "no last boundary": FIELD,
    "cut within a head": "--b-1\r\nContent-Dispo",
    "cut within the data": `--b-1\r\n${disposition}\r\n\r\nabc`,
    "cut before the last dash": `${FIELD}--b-1-`,
    "a part without a head": "--b-1\r\n\r\nabc\r\n--b-1--",
    "a part without a disposition": "--b-1\r\nX: y\r\n\r\nabc\r\n--b-1--",
    "a disposition without a name": "--b-1\r\nContent-Disposition: form-data\r\n\r\nabc\r\n--b-1--",
    "a disposition of another kind":
      '--b-1\r\nContent-Disposition: attachment; name="a"\r\n\r\nabc\r\n--b-1--',
    "two dispositions": `--b-1\r\n${disposition}\r\n${disposition}\r\n\r\nabc\r\n--b-1--`,
    "a quoted name that does not end":
      '--b-1\r\nContent-Disposition: form-data; name="a\r\n\r\nabc\r\n--b-1--',
    "two boundaries in a row": `--b-1\r\n--b-1\r\n${disposition}\r\n\r\nabc\r\n--b-1--`,
    "a thousand boundaries in a row": `${"\r\n--b-1".repeat(1000)}--`,
    "a boundary within a head": `--b-1\r\nX: y\r\n--b-1\r\n${disposition}\r\n\r\nabc\r\n--b-1--`,
    "text after a boundary": `--b-1x\r\n${disposition}\r\n\r\nabc\r\n--b-1--`,
    "line feeds alone": FORM.replaceAll("\r\n", "\n"),
    "a bare carriage return in a head": `--b-1\r\n${disposition}\rX: y\r\n\r\nabc\r\n--b-1--`,
    "a control character in a head": `--b-1\r\n${disposition}\r\nX: \0\r\n\r\nabc\r\n--b-1--`,
    "a name with a space": `--b-1\r\n${disposition}\r\nX : y\r\n\r\nabc\r\n--b-1--`,
    "a line without a colon": `--b-1\r\n${disposition}\r\nXy\r\n\r\nabc\r\n--b-1--`,
    "a filename* of nonsense": `--b-1\r\n${disposition}; filename*=UTF-8''%zz\r\n\r\nabc\r\n--b-1--`,
  };
  for (const [name, body] of Object.entries(malformed)) {
    await t.test(name, () =>
      run(async () => {
        for (const pieces of [
          [encoder.encode(body)],
          [...encoder.encode(body)].map((byte) => Uint8Array.of(byte)),
        ]) {
          const request = testRequest({
            fields: MULTIPART,
            body: pieces.filter(({ length }) => length > 0),
          });
          await assert.rejects(readForm(request), rejection(400, /malformed/));
        }
      }),
    );
  }
  for (const boundary of [
    "=",
    `=${"b".repeat(71)}`,
    `=${"b".repeat(252)}`,
    '="é"',
    '="a\t"',
    '=" "',
  ]) {
    await t.test(`the boundary ${boundary}`, () =>
      run(async () => {
        const fields = ["content-type", `multipart/form-data; boundary${boundary}`];
        await assert.rejects(
          readForm(testRequest({ fields, body: FORM })),
          rejection(400, /no usable boundary/),
        );
      }),
    );
  }
});

test("readForm: names and encodings as clients write them", () =>
  run(async () => {
    const cases: [string, string, unknown][] = [
      ["name=a", "x", ["a", "x"]],
      ['name="a;b=c"', "x", ["a;b=c", "x"]],
      ["name=a; name=b", "x", ["a", "x"]],
      ['NAME = "a"', "x", null],
      ['name="a\\"b\\\\c"', "x", ['a"b\\c', "x"]],
      // A browser may have meant two, but libraries escape so.
      ['name="a\\\\b"', "x", ["a\\b", "x"]],
      // As browsers write names that end in a backslash.
      ['name="a\\"', "x", ["a\\", "x"]],
      ['name="\\"; filename="b\\"', "x", ["\\", "b\\", "application/octet-stream", "x"]],
      ['name="a%22%0D%0Ab%20"', "x", ['a"\r\nb%20', "x"]],
      [
        'name="a"; filename="C:\\dir\\file.txt"',
        "x",
        ["a", "C:\\dir\\file.txt", "application/octet-stream", "x"],
      ],
      [
        'name="a"; filename="e.txt"; filename*=utf-8\'\'%E2%82%AC.txt',
        "x",
        ["a", "€.txt", "application/octet-stream", "x"],
      ],
      ['name="a"; filename=""', "", ["a", "", "application/octet-stream", ""]],
      ['name="__proto__"', "x", ["__proto__", "x"]],
    ];
    for (const [parameters, body, wanted] of cases) {
      const text = `${part(`Content-Disposition: form-data; ${parameters}`, body)}--b-1--`;
      const reading = readForm(testRequest({ fields: MULTIPART, body: text }));
      if (wanted === null) await assert.rejects(reading, rejection(400, /malformed/));
      else assert.deepEqual(await entries(await reading), [wanted]);
    }
    const latin = [
      encoder.encode(part('Content-Disposition: form-data; name="_charset_"', "iso-8859-1")),
      encoder.encode('--b-1  \r\nContent-Disposition: form-data; name="a"\r\n\r\n'),
      Uint8Array.of(0xe9),
      encoder.encode("\r\n"),
      encoder.encode(
        part(
          'Content-Disposition: form-data; name="b"\r\nContent-Type: text/plain; charset=utf-8',
          "é",
        ),
      ),
      encoder.encode("--b-1--"),
    ];
    assert.deepEqual(
      await entries(await readForm(testRequest({ fields: MULTIPART, body: latin }))),
      [
        ["_charset_", "iso-8859-1"],
        ["a", "é"],
        ["b", "é"],
      ],
    );
    const unknown = `${part('Content-Disposition: form-data; name="_charset_"', "klingon")}${FIELD}--b-1--`;
    await assert.rejects(
      readForm(testRequest({ fields: MULTIPART, body: unknown })),
      rejection(415, /encoding/),
    );
  }));

test("readForm: a body that is no form is 415", () =>
  run(async () => {
    for (const fields of [
      [],
      ["content-type", "application/json"],
      ["content-type", "multipart/mixed; boundary=b"],
    ]) {
      await assert.rejects(
        readForm(testRequest({ fields, body: "a=1" })),
        rejection(415, /no form/),
      );
    }
    const none = testRequest({ fields: URLENCODED, method: "POST" });
    assert.deepEqual(await entries(await readForm(none)), []);
  }));

test("readForm: each limit holds at its value and not above, while reading (CVE-2025-69228, CVE-2026-34517, CVE-2026-34516)", () =>
  run(async () => {
    // Behind what is too large there is nothing: who reads on before it refuses would wait for ever.
    const endless = (text: string, fields: readonly string[]) => {
      async function* pieces(): AsyncGenerator<Uint8Array> {
        for (const byte of encoder.encode(text)) yield Uint8Array.of(byte);
        await new Promise(() => {});
      }
      return testRequest({ fields, body: fromIterable(pieces()) });
    };
    const head = 'Content-Disposition: form-data; name="a"';
    const open = (more: string, body: string) => `--b-1\r\n${head}${more}\r\n\r\n${body}`;
    const whole = (more: string, body: string) => `${open(more, body)}\r\n--b-1--`;
    const file = '; filename="f"';
    const cases: [object, string, string, readonly string[], RegExp][] = [
      [{ fieldBytesMax: 3 }, "a=1&b=2", "a=1&bcd=", URLENCODED, /a field .* 3 bytes/],
      [{ fieldBytesMax: 9 }, "a=%31%32", "a=%31%32%33", URLENCODED, /a field .* 9 bytes/],
      [{ fieldsMax: 2 }, "a=1&b=2", "a=1&b=2&c=3&", URLENCODED, /more than 2 fields/],
      [{ bytesMax: 7 }, "a=1&b=2", "a=1&b=2&", URLENCODED, /7 bytes/],
      [
        { fieldBytesMax: 10 },
        whole("", "x".repeat(10)),
        open("", "x".repeat(20)),
        MULTIPART,
        /a field .* 10 bytes/,
      ],
      [
        { fileBytesMax: 10 },
        whole(file, "x".repeat(10)),
        open(file, "x".repeat(20)),
        MULTIPART,
        /a file .* 10 bytes/,
      ],
      [
        { fileBytesMax: 0 },
        whole("", "x".repeat(10)),
        open(file, "x".repeat(20)),
        MULTIPART,
        /a file .* 0 bytes/,
      ],
      [{ fieldsMax: 1 }, whole("", ""), `${FIELD}${FIELD}`, MULTIPART, /more than 1 fields/],
      [{ filesMax: 1 }, whole(file, ""), `${FILE}${FILE}`, MULTIPART, /more than 1 files/],
      [
        { partHeaderBytesMax: head.length },
        whole("", ""),
        `--b-1\r\n${head}${"x".repeat(100)}`,
        MULTIPART,
        /head of a part/,
      ],
      [{ bytesMax: FORM.length + 4 }, FORM, `${FORM}${"x".repeat(20)}`, MULTIPART, /bytes/],
    ];
    for (const [limits, good, bad, fields, message] of cases) {
      await readForm(testRequest({ fields, body: good }), limits);
      await assert.rejects(readForm(endless(bad, fields), limits), rejection(413, message));
    }
    await assert.rejects(readForm(testRequest(), { fieldsMax: -1 }), RangeError);
    await assert.rejects(
      readForm(testRequest(), { fileBytes: 5 } as object),
      /\(\{ fileBytes \}\): there is no such limit; there are fieldsMax, .*fileBytesMax/,
    );
  }));

test("readForm: what was announced as too large is refused before it is read", () =>
  run(async () => {
    const request = testRequest({ fields: URLENCODED, body: "a=1", length: 100 });
    await assert.rejects(readForm(request, { bytesMax: 50 }), BodyTooLargeError);
  }));

test("readForm: the limit of one part is not that of all, and that of the whole holds for the platform's requests too", () =>
  run(async () => {
    const body = `${FIELD}${FIELD}${FIELD}--b-1--`;
    const limits = { fieldBytesMax: 3 };
    assert.equal(
      (await entries(await readForm(testRequest({ fields: MULTIPART, body }), limits))).length,
      3,
    );
    const theirs = new Request("http://h/", {
      method: "POST",
      body: new URLSearchParams("abc=def"),
    });
    await assert.rejects(readForm(theirs, { bytesMax: 6 }), BodyTooLargeError);
  }));

test("readForm: a body that was read is a TypeError", () =>
  run(async () => {
    const ours = testRequest({ fields: URLENCODED, body: "a=1" });
    await ours.text();
    await assert.rejects(readForm(ours), TypeError);
    const native = new Request("http://h/", { method: "POST", body: new URLSearchParams("a=1") });
    await native.text();
    await assert.rejects(readForm(native), TypeError);
  }));

test("readForm: cancelled at every checkpoint", async () => {
  await run(
    () =>
      cancelEverywhere(async () => {
        const bytes = encoder.encode(FORM);
        const [sender, body] = createMemoryPipe();
        await taskGroup(async (group) => {
          group.startSoon(async () => {
            for (let at = 0; at < bytes.length; at += 100)
              await sender.send(bytes.subarray(at, at + 100));
            sender.close();
          });
          const form = await readForm(testRequest({ fields: MULTIPART, body }));
          assert.deepEqual(await entries(form), FORM_ENTRIES);
        });
      }),
    { backend: simulator({ seed: 1 }) },
  );
});
