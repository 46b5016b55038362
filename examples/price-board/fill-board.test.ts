import assert from "node:assert/strict";
import { test } from "node:test";
import { CancelScope, run, shielded, sleep, taskGroup } from "arborio";
import { simulator } from "arborio/sim";
import { cancelEverywhere } from "arborio/testing";
import { type HttpClient, openHttpClient, openServer, type Server } from "@arborio/http";
import { Board } from "./board.ts";
import { type BoardSettings, fillBoard } from "./fill-board.ts";
import { PlainProgress } from "./progress.ts";
import {
  answers,
  drops,
  error,
  hangs,
  price,
  ScriptedSources,
  type Scripts,
  stalls,
} from "./scripted-sources.ts";

// A client and a server, on a network in memory and in virtual time: hours would pass in milliseconds.

const SILENT: PlainProgress = new PlainProgress(
  () => {},
  () => {},
);

/** The simulated network takes at most a millisecond for a packet; a request takes a few packets, and the board a few requests in a row. */
const NETWORK_MS = 30;
/** When the board has ended, the server sees a moment later that its clients have gone, and then looks at deadlines once more. */
const SETTLED_MS = 5000;

interface World {
  readonly server: Server;
  readonly sources: ScriptedSources;
  readonly board: Board;
  readonly settings: BoardSettings;
  /** Requests that the server was working on at once, at most. */
  mostInFlight: number;
}

/** Runs `body` in virtual time, beside such sources. */
async function inWorld(
  scripts: Scripts,
  changes: Partial<BoardSettings>,
  body: (world: World) => Promise<void>,
  seed = 1,
): Promise<World> {
  const main = async (): Promise<World> => {
    const sources = new ScriptedSources(scripts);
    const watched = async (request: Request): Promise<Response> => {
      world.mostInFlight = Math.max(world.mostInFlight, server.statistics().connectionsActive);
      return await sources.handle(request);
    };
    await using server = await openServer(watched, { port: 0, onError: () => {} });
    await using client = openHttpClient();
    const board = new Board(sources.at(server.url));
    const settings = settingsFor(client, changes);
    const world: World = { server, sources, board, settings, mostInFlight: 0 };
    await body(world);
    await sleep(SETTLED_MS);
    assert.equal(server.statistics().connectionsActive, 0, "a request outlived the board");
    return world;
  };
  return await run(main, { backend: simulator({ seed }), signals: [] });
}

function settingsFor(client: HttpClient, changes: Partial<BoardSettings>): BoardSettings {
  return {
    client,
    concurrency: 4,
    timeoutMs: 800,
    deadlineMs: 10_000,
    retries: 2,
    fatal: false,
    progress: SILENT,
    ...changes,
  };
}

/** Fills a board from such sources. */
function play(scripts: Scripts, changes: Partial<BoardSettings> = {}, seed = 1): Promise<World> {
  return inWorld(scripts, changes, ({ board, settings }) => fillBoard(board, settings), seed);
}

/** `name: state, tries` of each entry. */
function linesOf({ board }: World): string[] {
  return board.entries.map(({ source, state, tries }) => `${source.name}: ${state}, ${tries}`);
}

/** So long it took, but for the network. */
function assertTook(actualMs: number, expectedMs: number): void {
  const isRight = actualMs >= expectedMs && actualMs < expectedMs + NETWORK_MS;
  assert.ok(isRight, `took ${actualMs} ms, needs ${expectedMs}`);
}

test("fillBoard: every source gets its price, so many at a time", async () => {
  const names = Array.from({ length: 20 }, (_, at) => `s${at}`);
  const scripts = Object.fromEntries(names.map((name) => [name, [price(100, 5)]]));
  const { board, sources, mostInFlight } = await play(scripts, { concurrency: 3 });
  assert.equal(board.count("price"), 20);
  assert.equal(mostInFlight, 3);
  assert.equal(board.ending, "complete");
  assert.deepEqual([...sources.asked].sort(), [...names].sort());
  assertTook(board.elapsedMs, 700);
});

test("fillBoard: asks again after 5xx, lost connections and timeouts, and not after anything else", async () => {
  const world = await play({
    flaky: [error(10, 503), price(10, 7)],
    lost: [drops(10)],
    slow: [price(5000, 1), price(10, 8)],
    missing: [error(10, 404)],
    odd: [answers(10, "hello")],
    refusing: [error(10, 401)],
  });
  assert.deepEqual(linesOf(world), [
    "flaky: price, 2",
    "lost: failed, 3",
    "slow: price, 2",
    "missing: failed, 1",
    "odd: unusable, 1",
    "refusing: refused, 1",
  ]);
  const { entries } = world.board;
  assert.equal(entries[1]?.why, "the connection ended before all of the response had come");
  assert.equal(entries[3]?.why, "HTTP 404 Not Found");
});

test("fillBoard: a body without end is not read to the end", async () => {
  const { board, server } = await play({
    endless: [answers(10, "1".repeat(70_000))],
    page: [answers(10, "x".repeat(5_000_000), 404)],
  });
  assert.deepEqual(
    board.entries.map(({ why }) => why),
    ["more than 65536 bytes", "HTTP 404 Not Found"],
  );
  assert.ok(server.statistics().bytesSent < 1_000_000);
});

test("fillBoard: a source that hangs or stalls times out at each try, and says so", async () => {
  const { board } = await play({ hanging: [hangs()], stalling: [stalls(10, "1")] });
  for (const [at, doing] of ["no answer", "HTTP 200, body unfinished"].entries()) {
    const entry = board.entries[at];
    assert.equal(entry?.state, "timed out");
    assert.equal(entry.why, `${doing} after 800 ms`);
    assert.equal(entry.tries, 3);
    // Three timeouts, and the waits between them.
    assertTook(entry.endedMs, 3 * 800 + 50 + 100);
  }
});

test("fillBoard: the board's deadline ends everything at its moment", async () => {
  const world = await play(
    { quick: [price(10, 1)], hanging: [hangs()], later: [price(600, 2)], last: [price(10, 3)] },
    { concurrency: 2, deadlineMs: 500 },
  );
  const { board } = world;
  assert.deepEqual(linesOf(world), [
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
  const scripts = {
    quick: [price(10, 1)],
    refusing: [error(50, 403)],
    slow: [price(500, 2)],
    last: [price(10, 3)],
  };
  const fatal = await play(scripts, { fatal: true, concurrency: 3 });
  assert.equal(fatal.board.ending, "fatal");
  assert.deepEqual(linesOf(fatal).slice(1, 3), ["refusing: refused, 1", "slow: cut short, 1"]);
  assert.match(fatal.board.entries[2]?.why ?? "", /^refusing refused us: no answer$/);
  assert.ok(fatal.board.elapsedMs < 100);
  const plain = await play(scripts, { concurrency: 3 });
  assert.equal(plain.board.ending, "complete");
  assert.equal(plain.board.count("price"), 3);
});

/** Fills a board, and asks for a shutdown after so many milliseconds. */
function playShutdown(scripts: Scripts, afterMs: number, graceMs: number): Promise<World> {
  return inWorld(scripts, { concurrency: 2 }, async ({ board, settings }) => {
    await taskGroup(async (group) => {
      const scope = new CancelScope();
      group.startSoon(async () => {
        await sleep(afterMs);
        scope.shutdown({ graceMs });
      });
      await scope.run(() => fillBoard(board, settings));
    });
    board.end("interrupted", "interrupted");
  });
}

test("fillBoard: asked to shut down, it lets requests in flight end and begins none, not even a retry", async () => {
  const world = await playShutdown(
    { slow: [price(400, 1)], failing: [error(300, 503)], third: [price(10, 2)] },
    100,
    3000,
  );
  assert.deepEqual(linesOf(world), ["slow: price, 1", "failing: failed, 1", "third: not asked, 0"]);
  assert.equal(world.board.ending, "interrupted");
  assertTook(world.board.elapsedMs, 400);
});

test("fillBoard: asked to shut down between two tries, a source is not asked again", async () => {
  const world = await playShutdown({ failing: [error(70, 503)] }, 100, 3000);
  assert.deepEqual(linesOf(world), ["failing: failed, 1"]);
  assert.match(world.board.entries[0]?.why ?? "", /HTTP 503/);
});

test("fillBoard: when the grace is over, what is in flight is cancelled", async () => {
  const world = await playShutdown({ slow: [price(700, 1)], quick: [price(150, 2)] }, 100, 200);
  assert.deepEqual(linesOf(world), ["slow: cut short, 1", "quick: price, 1"]);
  assertTook(world.board.elapsedMs, 300);
});

test("fillBoard: keeps the task tree at its busiest", async () => {
  const { board } = await play({ a: [price(200, 1)], b: [price(200, 1)], c: [price(200, 1)] });
  // Main, "watch", and the three; "ask all" has ended by then or not; the client and the server have some, too.
  assert.ok(board.busiest.tasks >= 5, String(board.busiest.tasks));
  assert.match(board.busiest.tree, /^ *a \(#\d+\): /m);
});

const MIXED: Scripts = {
  a: [price(30, 1)],
  b: [error(20, 503), price(20, 2)],
  c: [hangs()],
  d: [price(90, 3)],
  e: [error(40, 404)],
  f: [error(60, 403)],
  g: [stalls(10, "4")],
};

test("fillBoard: in whatever order tasks run, it settles all entries and keeps its limits", async () => {
  for (let seed = 1; seed <= 25; seed++) {
    const changes = {
      concurrency: 2,
      timeoutMs: 100,
      fatal: seed % 2 === 0,
      deadlineMs: 50 * seed,
    };
    const { board, mostInFlight } = await play(MIXED, changes, seed);
    assert.equal(board.count("waiting", "asking"), 0, `seed ${seed}`);
    // One more: the server may not have seen yet that a client has gone.
    assert.ok(mostInFlight <= 3, `seed ${seed}`);
    assert.ok(board.elapsedMs < 50 * seed + 1, `seed ${seed}: ${board.elapsedMs} ms`);
    for (const entry of board.entries)
      assert.equal(entry.why === "", entry.state === "price", `seed ${seed}`);
  }
});

test("fillBoard: cancelled at any checkpoint, it leaves nothing in flight", async () => {
  const sweep = async (): Promise<void> => {
    let sources = new ScriptedSources(MIXED);
    const handle = (request: Request): Promise<Response> => sources.handle(request);
    await using server = await openServer(handle, { port: 0, onError: () => {} });
    await cancelEverywhere(async (round) => {
      sources = new ScriptedSources(MIXED);
      round.after(() => assert.equal(server.statistics().connectionsActive, 0));
      try {
        await using client = openHttpClient();
        const settings = settingsFor(client, { concurrency: 2, timeoutMs: 100 });
        await fillBoard(new Board(sources.at(server.url)), settings);
      } finally {
        await shielded(() => sleep(SETTLED_MS));
      }
    });
  };
  await run(sweep, { backend: simulator(), signals: [] });
});
