/** Messages of a kind, and messages as streams. */
import assert from "node:assert/strict";
import { simTest } from "../connection/raw-client.test.kit.ts";
import { peerOf } from "./raw-peer.test.kit.ts";
import { WebSocketClosedError } from "./web-socket-closed-error.ts";
import type { WebSocketConnection } from "./web-socket-connection.ts";
import { WebSocketMessageError } from "./web-socket-message-error.ts";

simTest(
  "WebSocketConnection: sendStream keeps characters whole that chunks share",
  async (group) => {
    const peer = peerOf(group, async (socket) => {
      await socket.sendStream("text", ["a\uD83D", "", "\uDE00b", "\uD83D"]);
      await socket.sendStream("binary", []);
    });
    assert.equal(await peer.next(), "text a\u{1F600}b\u{FFFD}");
    assert.equal(await peer.next(), "binary ");
    peer.stream.close();
  },
);

simTest(
  "WebSocketConnection: sendStream that fails in the middle breaks the WebSocket off, at its beginning it does not",
  async (group) => {
    const failing = async (socket: WebSocketConnection, ...chunks: string[]): Promise<void> => {
      await assert.rejects(
        socket.sendStream(
          "text",
          (function* () {
            yield* chunks;
            throw new Error("no more");
          })(),
        ),
        /no more/,
      );
    };
    const peer = peerOf(group, async (socket) => {
      await failing(socket);
      await socket.send("between");
      await failing(socket, "half");
      await assert.rejects(socket.send("after"), WebSocketClosedError);
    });
    assert.equal(await peer.next(), "text between");
    assert.equal(await peer.next(), "close 1011 a message was cut");
    await peer.close(1011);
    assert.equal(await peer.next(), "end");
  },
);

simTest(
  "WebSocketConnection: receiveStream gives a message as it comes, and the next receive skips what is left",
  async (group) => {
    const peer = peerOf(group, async (socket) => {
      const message = await socket.receiveStream();
      assert.equal(message.type, "text");
      assert.equal(new TextDecoder().decode(await message.receive(2)), "he");
      await socket.send("go on");
      let rest = "";
      for await (const chunk of message) rest += new TextDecoder().decode(chunk);
      assert.equal(rest, "llo");
      const skipped = await socket.receiveStream();
      assert.equal(skipped.type, "binary");
      assert.equal(await socket.receive(), "next");
      await assert.rejects(async () => {
        await skipped.receive();
        await skipped.receive();
      }, /the next message was received/);
    });
    await peer.send(1, "hel", false);
    assert.equal(await peer.next(), "text go on");
    await peer.send(0, "lo");
    await peer.send(2, "xxx", false);
    await peer.send(0, "yyy", true);
    await peer.send(1, "next");
    assert.equal(await peer.next(), "close 1000");
    peer.stream.close();
  },
);

simTest(
  "WebSocketConnection: receiveText, receiveBytes, receiveJson and sendJson take and give their kind",
  async (group) => {
    const peer = peerOf(group, async (socket) => {
      assert.equal(await socket.receiveText(), "a text");
      assert.deepEqual(await socket.receiveBytes(), Uint8Array.of(1, 2));
      assert.deepEqual(await socket.receiveJson(), { a: [1, "ü"] });
      await socket.sendJson({ b: null });
      await assert.rejects(socket.sendJson(undefined), /got undefined, needs a value that JSON/);
      await assert.rejects(socket.sendJson(1n), TypeError);
      const wrong = [
        [() => socket.receiveText(), 1003, /receiveText: got 2 bytes, needs a text/],
        [() => socket.receiveBytes(), 1003, /receiveBytes: got a text of 2 .*, needs bytes/],
        [() => socket.receiveJson(), 1003, /receiveText: got 1 bytes/],
        [() => socket.receiveJson(), 1007, /receiveJson: /],
      ] as const;
      for (const [receive, code, pattern] of wrong) {
        await assert.rejects(receive, (error) => {
          assert.ok(error instanceof WebSocketMessageError);
          assert.match(error.message, pattern);
          return error.closeCode === code;
        });
      }
      // It goes on.
      assert.equal(await socket.receiveText(), "good");
    });
    await peer.send(1, "a text");
    await peer.send(2, Uint8Array.of(1, 2));
    await peer.send(1, '{"a": [1, "ü"]}');
    assert.equal(await peer.next(), 'text {"b":null}');
    await peer.send(2, Uint8Array.of(1, 2));
    await peer.send(1, "ab");
    await peer.send(2, Uint8Array.of(1));
    await peer.send(1, "{");
    await peer.send(1, "good");
    assert.equal(await peer.next(), "close 1000");
    peer.stream.close();
  },
);

simTest(
  "WebSocketConnection: a message that its body does not want closes it with the code for that, and is no error of the body",
  async (group) => {
    for (const [opcode, code] of [
      [2, 1003],
      [1, 1007],
    ] as const) {
      const peer = peerOf(group, async (socket) => {
        for (;;) await socket.receiveJson();
      });
      await peer.send(opcode, "{");
      assert.equal(await peer.next(), `close ${code}`);
      peer.stream.close();
    }
  },
);
