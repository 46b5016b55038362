/** Bodies and forms through the whole engine, in virtual time: what the unit tests show over bodies of their own holds over a connection's. */
import assert from "node:assert/strict";
import { moveOnAfter, sleep } from "arborio";
import { fieldsOf, lines, post, RawClient, simTest } from "../connection/raw-client.test.kit.ts";
import { testClient } from "../testing/test-client.ts";
import type { HttpRequest } from "./http-request.ts";
import { HttpResponse } from "./http-response.ts";
import { formParts, readForm } from "./read-form.ts";
import { setCookie } from "./cookies.ts";

const MULTIPART = "content-type: multipart/form-data; boundary=b";
const CHUNKED = lines("POST / HTTP/1.1", "host: a", "transfer-encoding: chunked", MULTIPART, "");

function part(head: string, body: string): string {
  return `--b\r\nContent-Disposition: form-data; ${head}\r\n\r\n${body}\r\n`;
}

function chunk(text: string): string {
  return `${text.length.toString(16)}\r\n${text}\r\n`;
}

simTest("formParts: an upload is taken as slowly as its handler reads it", async (group) => {
  let taken = 0;
  await using client = testClient(async (request) => {
    for await (const file of formParts(request, { bytesMax: Infinity })) {
      for await (const bytes of file) {
        taken += bytes.length;
        await sleep(10);
      }
    }
    return new HttpResponse(String(taken));
  });
  const raw = new RawClient(client.connect());
  const piece = "x".repeat(10_000);
  let sent = 0;
  group.startSoon(async () => {
    await raw.send(
      `${CHUNKED}${chunk('--b\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n')}`,
    );
    for (let count = 0; count < 200; count += 1) {
      await raw.send(chunk(piece));
      sent += piece.length;
    }
    await raw.send(`${chunk("\r\n--b--")}0\r\n\r\n`);
  });
  await sleep(15);
  assert.ok(taken > 0 && sent - taken < 500_000, `${sent} bytes sent, ${taken} taken`);
  assert.equal((await raw.response()).body, String(200 * piece.length));
});

simTest("forms: what is wrong with them is the response", async () => {
  await using client = testClient(async (request) => {
    const form = await readForm(request, { fieldBytesMax: 5 });
    return HttpResponse.json([...form]);
  });
  for (const [body, type, status] of [
    [`${part("name=a", "1")}--b--`, MULTIPART, 200],
    [`${part("name=a", "123456")}--b--`, MULTIPART, 413],
    [part("name=a", "1"), MULTIPART, 400],
    ["a=1", "content-type: application/x-www-form-urlencoded", 200],
    ["a=1", "content-type: text/plain", 415],
  ] as const) {
    const raw = new RawClient(client.connect());
    await raw.send(post(body, type));
    const response = await raw.response();
    assert.equal(response.head.status, status, response.body);
    if (status === 200) assert.equal(response.body, '[["a","1"]]');
  }
});

simTest("HttpRequest.bodyStream: a step that was cancelled has lost nothing", async () => {
  await using client = testClient(async (request) => {
    const { bodyStream } = request as HttpRequest;
    assert.ok(bodyStream);
    const steps = bodyStream[Symbol.asyncIterator]();
    let text = "";
    let cancelled = 0;
    for (;;) {
      const step = await moveOnAfter(7, () => steps.next());
      if (step === undefined) cancelled += 1;
      else if (step.done) break;
      else text += new TextDecoder().decode(step.value);
    }
    return new HttpResponse(`${text} ${cancelled > 0}`);
  });
  const raw = new RawClient(client.connect());
  await raw.send(`${CHUNKED}${chunk("one ")}`);
  await sleep(20);
  await raw.send(chunk("two"));
  await sleep(20);
  await raw.send("0\r\n\r\n");
  assert.equal((await raw.response()).body, "one two true");
});

simTest(
  "HttpRequest.clone, body: through web streams the body is the same, and its limit the answer",
  async () => {
    await using client = testClient(async (request) => {
      (request as HttpRequest).bodyBytesMax = 10;
      const clone = request.clone();
      const texts = [await clone.text(), await request.text()];
      assert.equal(texts[0], texts[1]);
      return new HttpResponse(texts[0]);
    });
    for (const [body, status, answer] of [
      ["0123456789", 200, /^0123456789$/],
      ["0123456789a", 413, /larger than 10 bytes/],
    ] as const) {
      for (const request of [
        post(body),
        `${CHUNKED}${chunk(body.slice(0, 4))}${chunk(body.slice(4))}0\r\n\r\n`,
      ]) {
        const raw = new RawClient(client.connect());
        await raw.send(request);
        const response = await raw.response();
        assert.equal(response.head.status, status);
        assert.match(response.body, answer);
      }
    }
  },
);

simTest(
  "HttpResponse: the body of a request that is sent back keeps its length; cookies are lines of their own",
  async () => {
    await using client = testClient((request) => {
      const response = new HttpResponse(request.body);
      setCookie(response, "a", "1");
      setCookie(response, "b", "2");
      return response;
    });
    const raw = new RawClient(client.connect());
    await raw.send(post("hello"));
    const { head, body } = await raw.response();
    assert.equal(body, "hello");
    assert.deepEqual(fieldsOf(head, "content-length"), ["5"]);
    assert.deepEqual(
      fieldsOf(head, "set-cookie").map((line) => line.slice(0, 3)),
      ["a=1", "b=2"],
    );
  },
);

simTest(
  "HttpResponse: an async iterable is cancelled and cleaned up when its client leaves",
  async () => {
    let ended = 0;
    await using client = testClient(
      () =>
        new HttpResponse(
          (async function* () {
            try {
              for (;;) {
                yield "tick\n";
                await sleep(100);
              }
            } finally {
              ended += 1;
            }
          })(),
        ),
    );
    const raw = new RawClient(client.connect());
    await raw.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    await raw.head();
    assert.equal(await raw.piece(), "tick\n");
    assert.equal(ended, 0);
    raw.stream.close();
    await sleep(1);
    assert.equal(ended, 1);
  },
);
