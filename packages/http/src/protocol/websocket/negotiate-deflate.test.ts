import assert from "node:assert/strict";
import { test } from "node:test";
import { acceptDeflate, acceptedDeflate, offerDeflate } from "./negotiate-deflate.ts";

const NAME = "permessage-deflate";

const ACCEPTED: readonly (readonly [offer: string, answer: string])[] = [
  [NAME, NAME],
  [`${NAME}; client_max_window_bits`, NAME],
  [`${NAME}; server_no_context_takeover`, `${NAME}; server_no_context_takeover`],
  [`${NAME}; client_no_context_takeover`, `${NAME}; client_no_context_takeover`],
  [`${NAME}; server_max_window_bits=9`, `${NAME}; server_max_window_bits=9`],
  [`${NAME}; server_max_window_bits="10"`, `${NAME}; server_max_window_bits=10`],
  [`${NAME}; server_max_window_bits=15`, `${NAME}; server_max_window_bits=15`],
  [`${NAME}; client_max_window_bits=8`, `${NAME}; client_max_window_bits=8`],
  [`PERMESSAGE-DEFLATE`, NAME],
  [`x-other; a=b, ${NAME}`, NAME],
  // The first offer cannot be taken, the second can.
  [`${NAME}; server_max_window_bits=8, ${NAME}`, NAME],
  [
    `${NAME}; unknown, , ${NAME}; client_no_context_takeover`,
    `${NAME}; client_no_context_takeover`,
  ],
];

for (const [offer, answer] of ACCEPTED) {
  test(`acceptDeflate: answers ${offer}`, () => {
    assert.equal(acceptDeflate(offer)?.value, answer);
  });
}

for (const offer of [
  null,
  "",
  "x-webkit-deflate-frame",
  `${NAME}; unknown`,
  `${NAME}; server_no_context_takeover; server_no_context_takeover`,
  `${NAME}; server_no_context_takeover=1`,
  `${NAME}; other_no_context_takeover`,
  `${NAME}; server_max_window_bits`,
  `${NAME}; server_max_window_bits=8`,
  `${NAME}; server_max_window_bits=7`,
  `${NAME}; server_max_window_bits=16`,
  `${NAME}; server_max_window_bits=09`,
  `${NAME}; server_max_window_bits=+9`,
  `${NAME}; server_max_window_bits=9; server_max_window_bits=9`,
  `${NAME}; client_max_window_bits=0`,
  `${NAME}; client_max_window_bits=1000`,
  `${NAME}; client_max_window_bits=`,
  `${NAME}; client_max_window_bits="9`,
  `${NAME}; =`,
  `${NAME};`,
  `; ${NAME}`,
  Array.from({ length: 50 }, () => "x").join() + `,${NAME}`,
]) {
  test(`acceptDeflate: declines ${offer?.slice(0, 100)}`, () => {
    assert.equal(acceptDeflate(offer), null);
  });
}

test("acceptDeflate: the server's wishes, as far as the offer allows", () => {
  const wishes = {
    serverNoContextTakeover: true,
    clientNoContextTakeover: true,
    serverMaxWindowBits: 11,
    clientMaxWindowBits: 10,
  };
  const both = "server_no_context_takeover; client_no_context_takeover; server_max_window_bits=11";
  // A client that says nothing of its window is told nothing of it.
  assert.deepEqual(acceptDeflate(NAME, wishes), {
    value: `${NAME}; ${both}`,
    parameters: { ...wishes, clientMaxWindowBits: 15 },
  });
  assert.deepEqual(acceptDeflate(`${NAME}; client_max_window_bits`, wishes), {
    value: `${NAME}; ${both}; client_max_window_bits=10`,
    parameters: wishes,
  });
  assert.equal(
    acceptDeflate(`${NAME}; client_max_window_bits=9; server_max_window_bits=9`, wishes)?.value,
    `${NAME}; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=9; client_max_window_bits=9`,
  );
});

test("offerDeflate: what a client says", () => {
  assert.equal(offerDeflate(), `${NAME}; client_max_window_bits`);
  assert.equal(
    offerDeflate({
      serverNoContextTakeover: true,
      serverMaxWindowBits: 9,
      clientMaxWindowBits: 10,
    }),
    `${NAME}; server_no_context_takeover; server_max_window_bits=9; client_max_window_bits=10`,
  );
});

test("acceptedDeflate: what the server has answered", () => {
  assert.equal(acceptedDeflate(null, {}), null);
  assert.equal(acceptedDeflate("", null), null);
  assert.deepEqual(
    acceptedDeflate(`${NAME}; client_max_window_bits=8; server_max_window_bits=9`, {}),
    {
      serverNoContextTakeover: false,
      clientNoContextTakeover: false,
      serverMaxWindowBits: 9,
      clientMaxWindowBits: 8,
    },
  );
});

for (const [value, wishes] of [
  [NAME, null],
  ["x-other", {}],
  [`${NAME}, ${NAME}`, {}],
  [`${NAME}; unknown`, {}],
  [`${NAME}; client_max_window_bits`, {}],
  [`${NAME}; server_max_window_bits=10`, { serverMaxWindowBits: 9 }],
  [NAME, { serverMaxWindowBits: 9 }],
  [NAME, { serverNoContextTakeover: true }],
  [`${NAME}; server_no_context_takeover; server_no_context_takeover`, {}],
  [`${NAME}; client_max_window_bits="`, {}],
] as const) {
  test(`acceptedDeflate: ${value} to ${JSON.stringify(wishes)} is an error`, () => {
    assert.throws(() => acceptedDeflate(value, wishes), /Sec-WebSocket-Extensions is .*, needs/);
  });
}
