import assert from "node:assert/strict";
import { test } from "node:test";
import { Board } from "./board.ts";
import { formatMs, formatPrice, formatTable } from "./format.ts";
import { renderJson, renderText } from "./report.ts";

function finishedBoard(): Board {
  const board = new Board(
    ["gold", "tin", "zinc"].map((name) => ({ name, url: `http://x/${name}` })),
  );
  board.begin();
  const [gold, tin] = board.entries;
  Object.assign(gold ?? {}, {
    state: "price",
    price: { amount: 2000.5, currency: "USD" },
    tries: 2,
    endedMs: 40,
  });
  Object.assign(tin ?? {}, { state: "asking", tries: 1, doing: "no answer" });
  board.busiest = { tasks: 2, atMs: 5, tree: "main (#1)\n  tin (#2)" };
  board.end("deadline", "board deadline of 50 ms");
  board.end("complete", "");
  board.elapsedMs = 50;
  for (const entry of board.entries.slice(1)) entry.endedMs = 50;
  return board;
}

test("renderText: prices, what has none and why, the task tree", () => {
  assert.equal(
    renderText(finishedBoard(), (_style, text) => text),
    `Prices: 1 of 3 sources in 50 ms; the board's deadline ended it
  gold  2,000.50 USD  40 ms  try 2

No price: 2
  tin   cut short  board deadline of 50 ms: no answer
  zinc  not asked  board deadline of 50 ms

The task tree at its busiest (2 tasks, after 5 ms)
  main (#1)
    tin (#2)
`,
  );
});

test("renderJson: the same for machines", () => {
  assert.deepEqual(JSON.parse(renderJson(finishedBoard())), {
    ending: "deadline",
    elapsedMs: 50,
    prices: 1,
    sources: [
      {
        name: "gold",
        url: "http://x/gold",
        state: "price",
        price: 2000.5,
        currency: "USD",
        tries: 2,
        elapsedMs: 40,
      },
      {
        name: "tin",
        url: "http://x/tin",
        state: "cut short",
        why: "board deadline of 50 ms: no answer",
        tries: 1,
        elapsedMs: 50,
      },
      {
        name: "zinc",
        url: "http://x/zinc",
        state: "not asked",
        why: "board deadline of 50 ms",
        tries: 0,
        elapsedMs: 0,
      },
    ],
    busiest: { tasks: 2, atMs: 5, tree: ["main (#1)", "  tin (#2)"] },
  });
});

test("formats: numbers and columns as people read them", () => {
  assert.equal(formatPrice({ amount: 5, currency: "" }), "5.00");
  assert.equal(formatPrice({ amount: 0.00001234, currency: "BTC" }), "0.00001234 BTC");
  assert.deepEqual(
    [formatMs(0.4), formatMs(999), formatMs(999.6), formatMs(61_000)],
    ["0 ms", "999 ms", "1.0 s", "61.0 s"],
  );
  assert.deepEqual(
    formatTable([
      ["a", "bb", "c"],
      ["aaa", "b", ""],
    ]),
    ["a    bb  c", "aaa  b"],
  );
});
