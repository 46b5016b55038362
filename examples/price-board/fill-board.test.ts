import assert from "node:assert/strict";
import { test } from "node:test";
import { CancelScope, now, run, shielded, sleep, taskGroup } from "arborio";
import { simulator } from "arborio/sim";
import { cancelEverywhere } from "arborio/testing";
import { Board } from "./board.ts";
import { type Answer, FakeWorld } from "./fake-world.ts";
import { type BoardSettings, fillBoard } from "./fill-board.ts";
import { PlainProgress } from "./progress.ts";

const SILENT: PlainProgress = new PlainProgress(
  () => {},
  () => {},
);

function settingsFor(world: FakeWorld, changes: Partial<BoardSettings> = {}): BoardSettings {
  return {
    fetch: world.fetch,
    concurrency: 4,
    timeoutMs: 800,
    deadlineMs: 10_000,
    retries: 2,
    fatal: false,
    progress: SILENT,
    ...changes,
  };
}

interface Played {
  readonly world: FakeWorld;
  readonly board: Board;
  /** `name: state, tries` of each entry. */
  readonly lines: string[];
}

/** Fills a board from such sources in virtual time. */
async function play(
  answers: Readonly<Record<string, readonly Answer[]>>,
  changes: Partial<BoardSettings> = {},
  seed = 1,
): Promise<Played> {
  const world = new FakeWorld(answers);
  const board = new Board(world.sources);
  await run(() => fillBoard(board, settingsFor(world, changes)), {
    backend: simulator({ seed }),
    signals: [],
  });
  assert.equal(world.inFlight, 0, "a request outlived the board");
  return { world, board, lines: linesOf(board) };
}

function linesOf(board: Board): string[] {
  return board.entries.map(({ source, state, tries }) => `${source.name}: ${state}, ${tries}`);
}

test("fillBoard: every source gets its price, so many at a time", async () => {
  const names = Array.from({ length: 20 }, (_, at) => `s${at}`);
  const answers = Object.fromEntries(names.map((name) => [name, [[100, 5] as const]]));
  const { world, board } = await play(answers, { concurrency: 3 });
  assert.equal(board.count("price"), 20);
  assert.equal(world.mostInFlight, 3);
  assert.equal(board.ending, "complete");
  assert.deepEqual([...world.asked].sort(), [...names].sort());
  assert.ok(board.elapsedMs >= 700 && board.elapsedMs < 710, `${board.elapsedMs} ms`);
});

test("fillBoard: asks again after 5xx, lost connections and timeouts, and not after anything else", async () => {
  const { lines, board } = await play({
    flaky: [
      [10, "", 503],
      [10, 7],
    ],
    lost: [[10, new TypeError("fetch failed", { cause: new Error("other side closed") })]],
    slow: [
      [5000, 1],
      [10, 8],
    ],
    missing: [[10, "", 404]],
    odd: [[10, "hello"]],
    refusing: [[10, "", 401]],
  });
  assert.deepEqual(lines, [
    "flaky: price, 2",
    "lost: failed, 3",
    "slow: price, 2",
    "missing: failed, 1",
    "odd: unusable, 1",
    "refusing: refused, 1",
  ]);
  assert.match(board.entries[1]?.why ?? "", /other side closed/);
  assert.match(board.entries[3]?.why ?? "", /HTTP 404/);
});

test("fillBoard: a body without end is not read to the end", async () => {
  const { board } = await play({
    endless: [[10, "1".repeat(70_000)]],
    page: [[10, "x".repeat(70_000), 404]],
  });
  assert.deepEqual(
    board.entries.map(({ why }) => why.trim()),
    ["more than 65536 bytes", "HTTP 404"],
  );
});

test("fillBoard: a source that hangs times out at each try, and says so", async () => {
  const { board } = await play({ hanging: [[0, "hang"]] });
  const [entry] = board.entries;
  assert.equal(entry?.state, "timed out");
  assert.equal(entry.why, "no answer after 800 ms");
  assert.equal(entry.tries, 3);
  // Three timeouts, and the waits between them.
  assert.equal(Math.round(entry.endedMs), 3 * 800 + 50 + 100);
});

test("fillBoard: the board's deadline ends everything at its moment", async () => {
  const { board, lines } = await play(
    { quick: [[10, 1]], hanging: [[0, "hang"]], later: [[600, 2]], last: [[10, 3]] },
    { concurrency: 2, deadlineMs: 500 },
  );
  assert.deepEqual(lines, [
    "quick: price, 1",
    "hanging: cut short, 1",
    "later: cut short, 1",
    "last: not asked, 0",
  ]);
  assert.equal(board.ending, "deadline");
  assert.equal(board.elapsedMs, 500);
  assert.equal(board.entries[1]?.why, "board deadline of 500 ms: no answer");
  assert.equal(board.entries[3]?.why, "board deadline of 500 ms");
});

test("fillBoard: with fatal, a refusal cancels the rest; without, it is one row", async () => {
  const answers = {
    quick: [[10, 1]],
    refusing: [[50, "", 403]],
    slow: [[500, 2]],
    last: [[10, 3]],
  } as const;
  const fatal = await play(answers, { fatal: true, concurrency: 3 });
  assert.equal(fatal.board.ending, "fatal");
  assert.deepEqual(fatal.lines.slice(1, 3), ["refusing: refused, 1", "slow: cut short, 1"]);
  assert.match(fatal.board.entries[2]?.why ?? "", /^refusing refused us: no answer$/);
  assert.ok(fatal.board.elapsedMs < 100);
  const plain = await play(answers, { concurrency: 3 });
  assert.equal(plain.board.ending, "complete");
  assert.equal(plain.board.count("price"), 3);
});

/** Fills a board, and asks for a shutdown after so many milliseconds. */
async function playShutdown(
  answers: Readonly<Record<string, readonly Answer[]>>,
  afterMs: number,
  graceMs: number,
): Promise<Played & { readonly endedAt: number }> {
  const world = new FakeWorld(answers);
  const board = new Board(world.sources);
  let endedAt = 0;
  const main = async (): Promise<void> => {
    await taskGroup(async (group) => {
      const scope = new CancelScope();
      group.startSoon(async () => {
        await sleep(afterMs);
        scope.shutdown({ graceMs });
      });
      await scope.run(() => fillBoard(board, settingsFor(world, { concurrency: 2 })));
    });
    endedAt = now();
    board.end("interrupted", "interrupted");
  };
  await run(main, { backend: simulator(), signals: [] });
  assert.equal(world.inFlight, 0);
  return { world, board, lines: linesOf(board), endedAt };
}

test("fillBoard: asked to shut down, it lets requests in flight end and begins none, not even a retry", async () => {
  const { lines, board, endedAt } = await playShutdown(
    { slow: [[400, 1]], failing: [[300, "", 503]], third: [[10, 2]] },
    100,
    3000,
  );
  assert.deepEqual(lines, ["slow: price, 1", "failing: failed, 1", "third: not asked, 0"]);
  assert.equal(board.ending, "interrupted");
  assert.equal(endedAt, 400);
});

test("fillBoard: asked to shut down between two tries, a source is not asked again", async () => {
  const { lines, board } = await playShutdown({ failing: [[80, "", 503]] }, 100, 3000);
  assert.deepEqual(lines, ["failing: failed, 1"]);
  assert.match(board.entries[0]?.why ?? "", /HTTP 503/);
});

test("fillBoard: when the grace is over, what is in flight is cancelled", async () => {
  const { lines, endedAt } = await playShutdown({ slow: [[700, 1]], quick: [[150, 2]] }, 100, 200);
  assert.deepEqual(lines, ["slow: cut short, 1", "quick: price, 1"]);
  assert.equal(endedAt, 300);
});

test("fillBoard: keeps the task tree at its busiest", async () => {
  const { board } = await play({ a: [[200, 1]], b: [[200, 1]], c: [[200, 1]] });
  // Main, "watch", and the three; "ask all" has ended by then or not.
  assert.ok(board.busiest.tasks >= 5, String(board.busiest.tasks));
  assert.match(board.busiest.tree, /\ba \(#\d+\): abandonOnCancel/);
});

const MIXED = {
  a: [[30, 1]],
  b: [
    [20, "", 503],
    [20, 2],
  ],
  c: [[0, "hang"]],
  d: [[90, 3]],
  e: [[40, "", 404]],
  f: [[60, "", 403]],
} as const;

test("fillBoard: in whatever order tasks run, it settles all entries and keeps its limits", async () => {
  for (let seed = 1; seed <= 25; seed++) {
    const changes = {
      concurrency: 2,
      timeoutMs: 100,
      fatal: seed % 2 === 0,
      deadlineMs: 50 * seed,
    };
    const { world, board } = await play(MIXED, changes, seed);
    assert.equal(board.count("waiting", "asking"), 0, `seed ${seed}`);
    assert.ok(world.mostInFlight <= 2, `seed ${seed}`);
    assert.ok(board.elapsedMs <= 50 * seed, `seed ${seed}`);
    for (const entry of board.entries)
      assert.equal(entry.why === "", entry.state === "price", `seed ${seed}`);
  }
});

test("fillBoard: cancelled at any checkpoint, it leaves nothing in flight", async () => {
  const sweep = (): Promise<unknown> =>
    cancelEverywhere(async (round) => {
      const world = new FakeWorld(MIXED);
      round.after(() => assert.equal(world.inFlight, 0));
      const settings = settingsFor(world, { concurrency: 2, timeoutMs: 100 });
      try {
        await fillBoard(new Board(world.sources), settings);
      } finally {
        // A fetch that was abandoned gets its signal at once, and ends a moment later.
        await shielded(() => sleep(1));
      }
    });
  await run(sweep, { backend: simulator(), signals: [] });
});
