import assert from "node:assert/strict";
import { test as nodeTest } from "node:test";
import { CancelScope, checkpoint, EndOfStream, taskGroup, waitAllTasksBlocked } from "arborio";
import { connectTcp, type Listener, listenTcp } from "arborio/net";
import { LineStream } from "arborio/streams";
import { onEveryBackend } from "arborio/testing";
import { Room } from "./room.ts";
import { type ChatLimits, LIMITS, serveChat } from "./server.ts";

const test = onEveryBackend((title, body) => nodeTest(title, { timeout: 20_000 }, body));

/** Runs `body` beside a server, in a scope that it may shut down. */
async function withChat(
  body: (listener: Listener, scope: CancelScope) => Promise<void>,
  limits: Partial<ChatLimits> = {},
): Promise<void> {
  const scope = new CancelScope();
  await scope.run(async () => {
    await using listener = await listenTcp(0, { host: "127.0.0.1" });
    await taskGroup(async (group) => {
      group.startSoon(() => serveChat(listener, { ...LIMITS, ...limits }));
      await body(listener, scope);
      listener.close();
    });
  });
  assert.equal(scope.cancelledCaught, false);
}

async function connect(listener: Listener): Promise<LineStream> {
  return new LineStream(await connectTcp("127.0.0.1", listener.port));
}

/** Connects and says a name. */
async function join(listener: Listener, name: string): Promise<LineStream> {
  const guest = await connect(listener);
  assert.equal(await guest.receive(), "* what is your name?");
  await guest.send(name);
  assert.match(await guest.receive(), new RegExp(`^\\* welcome, ${name}; here: `));
  return guest;
}

test("chat: what one says the others read, and who comes and goes", () =>
  withChat(async (listener) => {
    using anna = await join(listener, "anna");
    const ben = await join(listener, "ben");
    assert.equal(await anna.receive(), "* ben has come");
    await anna.send("hello");
    assert.equal(await ben.receive(), "anna: hello");
    await ben.send("bye");
    assert.equal(await anna.receive(), "ben: bye");
    ben.close();
    assert.equal(await anna.receive(), "* ben has gone");
  }));

test("chat: a name that is taken, or none, is asked for again; a line too long ends the connection", () =>
  withChat(
    async (listener) => {
      using _anna = await join(listener, "anna");
      using other = await connect(listener);
      await other.receive();
      for (const wrong of ["anna", "", "no spaces"]) {
        await other.send(wrong);
        assert.match(await other.receive(), /please$/);
      }
      await other.send("x".repeat(201));
      assert.equal(await other.receive(), "* that line is too long");
      await assert.rejects(other.receive(), EndOfStream);
    },
    { lineBytesMax: 200 },
  ));

test("chat: a guest who says no name in time is shown out", () =>
  withChat(
    async (listener) => {
      using guest = await connect(listener);
      await guest.receive();
      assert.equal(await guest.receive(), "* good bye");
      await assert.rejects(guest.receive(), EndOfStream);
    },
    { nameMs: 20 },
  ));

test("chat: a shutdown lets nobody in, tells the guests, and lets them go in time", () =>
  withChat(async (listener, scope) => {
    using anna = await join(listener, "anna");
    scope.shutdown({ graceMs: 5000 });
    assert.equal(await anna.receive(), "* the server is closing");
    await assert.rejects(anna.receive(), EndOfStream);
    await assert.rejects(connect(listener));
  }));

test("chat: a guest who reads too slowly is shown out, and holds up nobody", async () => {
  const room = new Room();
  const deaf = room.enter("deaf");
  const anna = room.enter("anna");
  assert.ok(deaf !== undefined && anna !== undefined);
  const heard: string[] = [];
  await taskGroup(async (group) => {
    group.startSoon(async () => {
      for await (const line of anna.lines) heard.push(line);
    });
    for (let count = 0; room.names.includes("deaf"); count++) {
      room.say(`line ${count}`);
      await checkpoint();
    }
    await waitAllTasksBlocked();
    room.leave("anna");
  });
  assert.ok(heard.length > 100);
  assert.ok(heard.includes("* deaf has gone: reads too slowly"));
  // What had been kept for the slow one can still be read.
  const kept = await Array.fromAsync(deaf.lines);
  assert.equal(kept.length, 100);
});
