import assert from "node:assert/strict";
import { test } from "node:test";
import { BrokenResourceError, moveOnAfter, run } from "arborio";
import { simulator } from "arborio/sim";
import { createMemoryPipe } from "arborio/streams";
import type { FormPart } from "./form-part.ts";
import { encoder, FIELD, MULTIPART } from "./form.test.kit.ts";
import { BodyTooLargeError } from "./http-error.ts";
import { formParts, readForm } from "./read-form.ts";
import { testRequest } from "./request.test.kit.ts";

test("formParts: parts are streams with backpressure, and what is not read of one is skipped", () =>
  run(async (group) => {
    const [sender, receiver] = createMemoryPipe({ capacity: 0 });
    const head = 'Content-Disposition: form-data; name="f"; filename="f"';
    const pieces = [
      `--b-1\r\n${head}\r\n\r\n`,
      ...Array<string>(100).fill("x".repeat(100)),
      `\r\n${FIELD}--b-1--`,
    ];
    let sent = 0;
    group.startSoon(async () => {
      for (const piece of pieces) {
        await sender.send(encoder.encode(piece));
        sent += 1;
      }
      sender.close();
    });
    const parts = formParts(testRequest({ fields: MULTIPART, body: receiver }));
    const file = (await parts.next()).value as FormPart;
    assert.equal(file.fileName, "f");
    assert.equal((await file.receive(10)).length, 10);
    assert.equal(await file.receiveInto(new Uint8Array(20)), 20);
    assert.ok(sent <= 5, `${sent} pieces were taken for 30 bytes`);
    const field = (await parts.next()).value as FormPart;
    assert.equal(await field.text(), "one");
    await assert.rejects(file.receive(), { name: "ClosedResourceError" });
    await assert.rejects(field.receive(), { name: "EndOfStream" });
    await assert.rejects(field.receive(), { name: "EndOfStream" });
    await assert.rejects(field.receive(0), RangeError);
    assert.equal((await parts.next()).done, true);
  }));

test("formParts: a part that is cancelled has lost nothing", () =>
  run(
    async (group) => {
      const [sender, receiver] = createMemoryPipe();
      const parts = formParts(testRequest({ fields: MULTIPART, body: receiver }));
      await sender.send(
        encoder.encode('--b-1\r\nContent-Disposition: form-data; name="a"\r\n\r\none'),
      );
      const part = (await parts.next()).value as FormPart;
      assert.equal((await part.receive()).length, 3);
      assert.equal(await moveOnAfter(1, () => part.receive()), undefined);
      group.startSoon(() => sender.send(encoder.encode(" two\r\n--b-1--")));
      assert.equal(await part.text(), " two");
      sender.close();
      assert.equal((await parts.next()).done, true);
    },
    { backend: simulator({ seed: 1 }) },
  ));

test("formParts: a client that leaves is the error of its body, and a form that fails fails again", () =>
  run(async () => {
    const [sender, receiver] = createMemoryPipe();
    await sender.send(
      encoder.encode('--b-1\r\nContent-Disposition: form-data; name="a"\r\n\r\none'),
    );
    sender.abort();
    await assert.rejects(
      readForm(testRequest({ fields: MULTIPART, body: receiver })),
      BrokenResourceError,
    );
    const parts = formParts(testRequest({ fields: MULTIPART, body: FIELD }), { fieldBytesMax: 1 });
    const part = (await parts.next()).value as FormPart;
    await assert.rejects(part.text(), BodyTooLargeError);
    await assert.rejects(part.text(), BodyTooLargeError);
    await assert.rejects(parts.next(), BodyTooLargeError);
  }));
