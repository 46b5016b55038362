import assert from "node:assert/strict";
import { test as nodeTest } from "node:test";
import type { Page } from "playwright-core";
import { run, sleep } from "arborio";
import { simulator } from "arborio/sim";
import { cancelEverywhere, onEveryBackend } from "arborio/testing";
import {
  type HttpClient,
  openHttpClient,
  openServer,
  type Server,
  WebSocketClosedError,
  type WebSocketConnection,
  WebSocketHandshakeError,
} from "@arborio/http";
import { browserTest } from "../testing/browser.ts";
import { ExampleProgram } from "../testing/example-program.ts";
import { createHandler } from "./handler.ts";
import type { FromGuest, ToGuest } from "./messages.ts";
import { Rooms } from "./rooms.ts";

const test = onEveryBackend((title, body) => nodeTest(title, { timeout: 20_000 }, body));

function open(): Promise<Server> {
  return openServer(createHandler(), { port: 0, host: "localhost" });
}

/** One who chats, as the page does. */
class Visitor implements AsyncDisposable {
  readonly socket: WebSocketConnection;

  private constructor(socket: WebSocketConnection) {
    this.socket = socket;
  }

  static async come(
    client: HttpClient,
    name: string,
    room: string,
    compression = true,
  ): Promise<Visitor> {
    const visitor = new Visitor(await client.webSocket("/chat", { compression }));
    await visitor.send({ type: "enter", name, room });
    return visitor;
  }

  send(message: FromGuest): Promise<void> {
    return this.socket.send(JSON.stringify(message));
  }

  async told(): Promise<ToGuest> {
    return JSON.parse((await this.socket.receive()) as string) as ToGuest;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.socket[Symbol.asyncDispose]();
  }
}

test("web-chat: rooms hear what is said in them, and who comes and goes", async () => {
  await using server = await open();
  await using client = openHttpClient({ base: server.url });
  await using ann = await Visitor.come(client, "Ann", "hall");
  assert.deepEqual(await ann.told(), { type: "entered", room: "hall", names: ["Ann"] });
  {
    await using bob = await Visitor.come(client, "Bob", "hall");
    assert.deepEqual(await bob.told(), { type: "entered", room: "hall", names: ["Ann", "Bob"] });
    assert.deepEqual(await ann.told(), { type: "came", name: "Bob" });
    await using cat = await Visitor.come(client, "Cat", "attic");
    assert.deepEqual(await cat.told(), { type: "entered", room: "attic", names: ["Cat"] });
    await bob.send({ type: "say", text: "<b>hello</b> ü" });
    for (const one of [ann, bob])
      assert.deepEqual(await one.told(), { type: "said", name: "Bob", text: "<b>hello</b> ü" });
    await bob.send({ type: "move", room: "attic" });
    assert.deepEqual(await ann.told(), { type: "left", name: "Bob" });
    assert.deepEqual(await cat.told(), { type: "came", name: "Bob" });
    assert.deepEqual(await bob.told(), { type: "entered", room: "attic", names: ["Cat", "Bob"] });
  }
  await ann.send({ type: "say", text: "alone?" });
  assert.deepEqual(await ann.told(), { type: "said", name: "Ann", text: "alone?" });
});

test("web-chat: however one leaves, the others are told, and its name is free", async () => {
  await using server = await open();
  await using client = openHttpClient({ base: server.url });
  await using ann = await Visitor.come(client, "Ann", "hall");
  await ann.told();
  const leaves: Readonly<Record<string, (bob: Visitor) => Promise<void>>> = {
    "in order": (bob) => bob.socket.close(),
    "against the protocol": (bob) => bob.socket.send("x".repeat(20_000)),
    "by being gone": async (bob) => bob.socket.abort(),
  };
  for (const [how, leave] of Object.entries(leaves)) {
    const bob = await Visitor.come(client, "Bob", "hall");
    assert.deepEqual(await ann.told(), { type: "came", name: "Bob" }, how);
    await leave(bob);
    assert.deepEqual(await ann.told(), { type: "left", name: "Bob" }, how);
    await bob.socket.close();
  }
});

test("web-chat: what cannot be done is refused, and nothing else happens", async () => {
  await using server = await open();
  await using client = openHttpClient({ base: server.url });
  await using ann = await Visitor.come(client, "Ann", "hall");
  await ann.told();
  await using socket = await client.webSocket("/chat");
  const why = async (message: string | Uint8Array): Promise<string> => {
    await socket.send(message);
    return (JSON.parse((await socket.receive()) as string) as { why: string }).why;
  };
  assert.match(await why("nonsense"), /JSON object/);
  assert.match(await why("[]"), /one of enter, say and move/);
  assert.match(await why(Uint8Array.of(1)), /as text/);
  assert.match(await why('{"type":"say","text":"x"}'), /enter a room first/);
  assert.match(await why('{"type":"enter","name":"Ann","room":"hall"}'), /taken in this room/);
  assert.match(await why('{"type":"enter","name":"<script>","room":"hall"}'), /a name has/);
  await socket.send('{"type":"enter","name":"Bob","room":"hall"}');
  assert.match((await socket.receive()) as string, /entered/);
  assert.match(await why('{"type":"say","text":"  "}'), /1 to 2000 characters/);
  assert.match(await why('{"type":"enter","name":"B","room":"hall"}'), /already/);
  assert.deepEqual(await ann.told(), { type: "came", name: "Bob" });
});

test("web-chat: pages of other sites, and messages that are too large", async () => {
  await using server = await open();
  await using client = openHttpClient({ base: server.url });
  await assert.rejects(
    client.webSocket("/chat", { origin: "http://evil.example" }),
    (error) => error instanceof WebSocketHandshakeError && error.status === 403,
  );
  await using socket = await client.webSocket("/chat", { origin: new URL(server.url).origin });
  await socket.send("x".repeat(20_000));
  const error = await socket.receive().catch((caught: unknown) => caught);
  assert.ok(error instanceof WebSocketClosedError && error.code === 1009, String(error));
});

/** In virtual time. */
function simulated(title: string, body: () => Promise<void>): void {
  nodeTest(title, () => run(body, { signals: [], backend: simulator({ seed: 1 }) }));
}

simulated("web-chat: who does not enter is sent away", async () => {
  await using server = await open();
  await using client = openHttpClient({ base: server.url });
  const socket = await client.webSocket("/chat");
  const error = await socket.receive().catch((caught: unknown) => caught);
  assert.ok(error instanceof WebSocketClosedError && error.code === 4000, String(error));
});

simulated("web-chat: a slow reader is shown out, and holds up nobody", async () => {
  await using server = await open();
  await using client = openHttpClient({ base: server.url });
  await using slow = await Visitor.come(client, "Slow", "hall", false);
  await slow.told();
  await using quick = await Visitor.come(client, "Quick", "hall", false);
  await quick.told();
  await slow.send({ type: "say", text: "I listen no more" });
  await quick.told();
  const text = "x".repeat(2000);
  let said = 0;
  for (let isThere = true; isThere; said++) {
    assert.ok(said < 1000, "what waits for a slow reader is bounded");
    await quick.send({ type: "say", text });
    isThere = (await quick.told()).type === "said";
  }
  assert.ok(said > 100);
  // It learns why when it reads what is on the way.
  const reading = async (): Promise<never> => {
    for (;;) await slow.socket.receive();
  };
  const error = await reading().catch((caught: unknown) => caught);
  assert.ok(error instanceof WebSocketClosedError && error.code === 4001, String(error));
});

simulated("web-chat: the server tells its guests that it goes", async () => {
  const server = await open();
  await using client = openHttpClient({ base: server.url });
  await using ann = await Visitor.come(client, "Ann", "hall");
  await ann.told();
  await server.close({ graceMs: 1000 });
  const error = await ann.told().catch((caught: unknown) => caught);
  assert.ok(error instanceof WebSocketClosedError && error.code === 1001, String(error));
});

simulated("cancelEverywhere: two guests talk", async () => {
  const sweep = await cancelEverywhere(async () => {
    await using server = await open();
    await using client = openHttpClient({ base: server.url });
    await using ann = await Visitor.come(client, "Ann", "hall");
    await using bob = await Visitor.come(client, "Bob", "hall");
    await bob.told();
    await bob.send({ type: "say", text: "hello" });
    while ((await ann.told()).type !== "said");
  });
  assert.ok(sweep.rounds.waiting > 5, JSON.stringify(sweep));
});

nodeTest("Rooms: nobody is left behind", async () => {
  await run(
    () => {
      const rooms = new Rooms();
      const ann = rooms.enter("Ann", "hall");
      assert.ok(ann !== null);
      assert.equal(rooms.enter("Ann", "hall"), null);
      const other = rooms.enter("Ann", "attic");
      assert.ok(other !== null);
      assert.equal(rooms.move(other, "hall"), false);
      rooms.leave(ann);
      rooms.leave(ann);
      assert.equal(rooms.move(other, "hall"), true);
      rooms.leave(other);
      assert.equal(rooms.size, 0);
      assert.notEqual(rooms.enter("Ann", "attic"), null);
    },
    { signals: [] },
  );
});

async function enter(page: Page, url: string, name: string): Promise<void> {
  await page.goto(url);
  await page.fill("#name", name);
  await page.click("#enter button");
  await page.waitForSelector("#state.on");
}

browserTest(
  "web-chat, in a browser: two windows talk, and come again when the server is back",
  async (page) => {
    const errors: string[] = [];
    const other = await page.context().newPage();
    for (const one of [page, other]) one.on("pageerror", (error) => errors.push(String(error)));
    let port = "0";
    {
      using program = new ExampleProgram("web-chat", [port]);
      const [, url = ""] = await program.until(/^chat on (.*)$/m);
      ({ port } = new URL(url));
      await enter(page, url, "Ann");
      await enter(other, url, "Bob");
      await page.waitForSelector("text=Bob has come");
      await other.fill("#text", "<i>hello</i> Ann, " + "again ".repeat(100));
      await other.click("#say button");
      for (const one of [page, other]) {
        await one.waitForSelector("li.said");
        assert.match((await one.textContent("li.said")) ?? "", /^Bob: <i>hello<\/i> Ann, again/);
      }
      assert.equal(await page.textContent("#names"), "Ann, Bob");
      program.interrupt();
      assert.equal(await program.ended(), 0);
      await page.waitForSelector("#state.off");
      assert.match((await page.textContent("#state")) ?? "", /1001/);
    }
    using again = new ExampleProgram("web-chat", [port]);
    await again.until(/^chat on /m);
    for (const one of [page, other]) await one.waitForSelector("#state.on");
    await page.fill("#text", "back");
    await page.click("#say button");
    await other.waitForSelector("text=Ann: back");
    while ((await page.textContent("#names"))?.split(", ").length !== 2) await sleep(20);
    assert.deepEqual(errors, []);
  },
);
