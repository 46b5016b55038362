/** The judge itself, against the WebSockets of the runtime: it finds what is known of them, and nothing else. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { run } from "arborio";
import type { CaseSettings } from "./case.test.kit.ts";
import {
  judgeClient,
  type Judged,
  judgeServer,
  platformClient,
  platformServer,
  stopped,
} from "./sockets.test.kit.ts";
import { chosen } from "./suite.test.kit.ts";

const settings: CaseSettings = { pauseMs: 200, failMs: 1000, isFull: false };

/** What a WebSocket of a runtime is known to do otherwise. */
interface Known {
  readonly fails: readonly string[];
  /** Which of the cases with compression it runs without. */
  readonly declines: RegExp;
}

/** A text is looked at when its frame, or all of it, is there. */
const LATE_BY_FRAMES = ["6.4.1", "6.4.2"];
const LATE_BY_PIECES = ["6.4.3", "6.4.4"];
/** A close frame that is too long is answered by one as long. */
const LONG_CLOSE = ["7.3.6"];
const NEVER = /^$/;
const ALWAYS = /^/;
/** A window of 9 bits of the server, where nothing else is offered. */
const SMALL_WINDOWS = /^13\.[35]\./;

const node: Known = { fails: [...LATE_BY_FRAMES, ...LATE_BY_PIECES], declines: NEVER };
const deno: Known = { fails: [...LATE_BY_PIECES, ...LONG_CLOSE], declines: ALWAYS };
const isBun = "Bun" in globalThis;
const client: Known = "Deno" in globalThis ? deno : node;
const server: Known = isBun ? { ...node, declines: SMALL_WINDOWS } : client;

function requireKnown(judged: Judged, { fails, declines }: Known): void {
  assert.deepEqual([...judged.failures.keys()].toSorted(), fails.toSorted());
  const wanted = chosen.filter(({ id, deflate }) => deflate !== undefined && declines.test(id));
  assert.deepEqual(
    judged.declined,
    wanted.map(({ id }) => id),
  );
  if (wanted.length > 0)
    console.log(`# ${wanted.length} cases run without compression: the runtime declines it`);
}

const startServer = platformServer();
const SERVER = "Autobahn: the judge against the runtime's own server";

if (startServer === null) {
  console.log(`# skip ${SERVER}: Node has none`);
  void test(SERVER, { skip: "Node has none" }, () => {});
} else {
  void test(SERVER, async () => {
    await run(
      async () => {
        const started = startServer();
        try {
          requireKnown(await judgeServer(started.port, chosen, settings), server);
        } finally {
          await stopped(started);
        }
      },
      { signals: [] },
    );
  });
}

void test("Autobahn: the judge against the runtime's own client", async () => {
  await run(async () => requireKnown(await judgeClient(platformClient, chosen, settings), client), {
    signals: [],
  });
});
