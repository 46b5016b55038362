import assert from "node:assert/strict";
import { test as nodeTest } from "node:test";
import type { Page } from "playwright-core";
import { gather, moveOnAfter, sleep } from "arborio";
import { onEveryBackend } from "arborio/testing";
import type { EventSink, ServerSentEvent } from "@arborio/http";
import { testClient } from "@arborio/http/testing";
import { browserTest } from "../testing/browser.ts";
import { ExampleProgram } from "../testing/example-program.ts";
import { createHandler } from "./handler.ts";
import { Ticker } from "./ticker.ts";

const test = onEveryBackend((title, body) => nodeTest(title, { timeout: 20_000 }, body));
const ON_VIRTUAL_TIME = { skip: { backend: "host", reason: "waits in virtual time" } } as const;

/** Someone who listens, and takes each event in so many milliseconds. */
class Listener implements EventSink {
  readonly ids: number[] = [];
  readonly lastEventId: string | undefined;
  readonly #takesMs: number;

  constructor(lastEventId: string | undefined, takesMs: number) {
    this.lastEventId = lastEventId;
    this.#takesMs = takesMs;
  }

  async send({ id }: ServerSentEvent): Promise<void> {
    await sleep(this.#takesMs);
    this.ids.push(Number(id));
  }
}

const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);

test(
  "Ticker: each gets all ticks from when it came, in order; who comes back gets what it has missed",
  async () => {
    const ticker = new Ticker(100);
    const early = new Listener(undefined, 1);
    const back = new Listener("3", 1);
    const strange = new Listener("nonsense", 1);
    await moveOnAfter(2050, () =>
      gather([
        () => ticker.run(),
        () => ticker.send(early),
        async () => {
          await sleep(1050);
          await gather([() => ticker.send(back), () => ticker.send(strange)]);
        },
      ]),
    );
    assert.deepEqual(early.ids, range(1, 20));
    assert.deepEqual(back.ids, range(4, 20));
    assert.deepEqual(strange.ids, range(11, 20));
    assert.equal(ticker.listeners, 0);
  },
  ON_VIRTUAL_TIME,
);

test(
  "Ticker: a slow listener holds up nobody, and misses what is not kept any more",
  async () => {
    const ticker = new Ticker(100);
    const quick = new Listener(undefined, 1);
    const slow = new Listener(undefined, 1000);
    await moveOnAfter(60_050, () =>
      gather([() => ticker.run(), () => ticker.send(quick), () => ticker.send(slow)]),
    );
    assert.deepEqual(quick.ids, range(1, 600));
    assert.ok(slow.ids.length >= 58 && slow.ids.length <= 60, `${slow.ids.length}`);
    assert.ok((slow.ids.at(-1) as number) > 300, `${slow.ids.at(-1)}`);
  },
  ON_VIRTUAL_TIME,
);

test("sse-ticker: the page; other paths and methods are refused", async () => {
  await using client = testClient(createHandler(new Ticker(10)));
  const response = await client.fetch("/");
  assert.equal(response.headers.get("content-type"), "text/html;charset=utf-8");
  assert.match(await response.text(), /new EventSource\("events"\)/);
  assert.equal((await client.fetch("/other")).status, 404);
  const refused = await client.fetch("/", { method: "POST" });
  assert.deepEqual([refused.status, refused.headers.get("allow")], [405, "GET"]);
});

/** Not by a function in the page, which its own policy forbids. */
async function ticksShown(page: Page, count: number): Promise<void> {
  while (Number(await page.textContent("#count")) < count) await sleep(20);
}

browserTest(
  "sse-ticker, in a browser: ticks come, the program ends at Ctrl-C, and the page finds the next one",
  async (page) => {
    const errors: string[] = [];
    page.on("pageerror", (error) => errors.push(String(error)));
    let port = "0";
    {
      using program = new ExampleProgram("sse-ticker", [port]);
      const [, url = ""] = await program.until(/^ticker on (.*)$/m);
      ({ port } = new URL(url));
      await page.goto(url);
      await ticksShown(page, 3);
      assert.equal(await page.textContent("#state"), "live");
      assert.match((await page.textContent("#price")) ?? "", /^\d+\.\d\d$/);
      program.interrupt();
      assert.equal(await program.ended(), 0);
      assert.equal(program.printed, `ticker on ${url}\n`);
    }
    await page.waitForSelector("#state.off");
    const before = Number(await page.textContent("#count"));
    using again = new ExampleProgram("sse-ticker", [port]);
    await again.until(/^ticker on /m);
    await ticksShown(page, before + 3);
    assert.equal(await page.textContent("#state"), "live");
    assert.deepEqual(errors, []);
  },
);
