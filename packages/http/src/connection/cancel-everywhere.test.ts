/** Cancelled at every checkpoint, in the client and in the handler: all cleanup has run, and nothing is left. */
import assert from "node:assert/strict";
import { CancelScope, sleep, taskGroup } from "arborio";
import { cancelEverywhere } from "arborio/testing";
import { testClient } from "../testing/test-client.ts";
import type { HttpRequest } from "../web/http-request.ts";
import { HttpResponse } from "../web/http-response.ts";
import { bytesOf, get, post, RawClient, simTest } from "./raw-client.test.kit.ts";

simTest(
  "a download, cancelled at every checkpoint of the client: the producer has ended, and nothing is left",
  async () => {
    await cancelEverywhere(async (round) => {
      let running = 0;
      const opened = testClient(
        () =>
          new HttpResponse(async (sink) => {
            running += 1;
            try {
              for (let count = 0; count < 3; count++) await sink.send("piece");
            } finally {
              running -= 1;
            }
          }),
      );
      round.after(() => {
        assert.equal(running, 0);
        assert.equal(opened.statistics().connectionsOpen, 0);
      });
      await using client = opened;
      const response = await client.fetch("/");
      assert.equal(await response.text(), "piecepiecepiece");
    });
  },
  [1],
);

simTest(
  "an upload, cancelled at every checkpoint of the client: the handler has ended, and nothing is left",
  async () => {
    await cancelEverywhere(async (round) => {
      let running = 0;
      const opened = testClient(async (request) => {
        running += 1;
        try {
          let bytes = 0;
          for await (const piece of (request as HttpRequest).bodyStream ?? [])
            bytes += piece.length;
          return new HttpResponse(`${bytes}`);
        } finally {
          running -= 1;
        }
      });
      round.after(() => {
        assert.equal(running, 0);
        assert.equal(opened.statistics().connectionsOpen, 0);
      });
      await using client = opened;
      async function* pieces(): AsyncGenerator<string> {
        for (let count = 0; count < 3; count++) {
          await sleep(1);
          yield "piece";
        }
      }
      const response = await client.fetch("/", { method: "POST", body: pieces() });
      assert.equal(await response.text(), "15");
    });
  },
  [1],
);

/** A handler of six steps, with its cleanup counted. */
class Steps {
  running = 0;
  readonly #step: () => Promise<void>;

  constructor(step: () => Promise<void>) {
    this.#step = step;
  }

  async handle(request: Request): Promise<Response> {
    return await this.#during(async () => {
      await this.#step();
      const text = await request.text();
      await this.#step();
      await taskGroup(async (group) => {
        group.startSoon(this.#step);
        await this.#step();
      });
      return new HttpResponse((sink) =>
        this.#during(async () => {
          for (let count = 0; count < 2; count++) {
            await this.#step();
            await sink.send(text);
          }
        }),
      );
    });
  }

  async #during<T>(fn: () => Promise<T>): Promise<T> {
    this.running += 1;
    try {
      return await fn();
    } finally {
      this.running -= 1;
    }
  }
}

simTest(
  "a handler, cancelled at each of its checkpoints by its client's leaving: its cleanup has run, and others are served",
  async () => {
    for (let checkpoint = 0; checkpoint < 8; checkpoint++) {
      let reached = 0;
      const reported: unknown[] = [];
      const leaving = new CancelScope();
      const steps = new Steps(async () => {
        if (reached++ === checkpoint) leaving.cancel();
        await sleep(1);
      });
      await using client = testClient((request) => steps.handle(request), {
        onError: (error) => void reported.push(error),
      });
      const ask = async (): Promise<void> => {
        using stream = client.connect();
        const raw = new RawClient(stream);
        await raw.send(post("text"));
        assert.equal((await raw.response()).body, "texttext");
      };
      await leaving.run(ask);
      assert.equal(leaving.cancelledCaught, checkpoint < 6);
      await sleep(5);
      assert.equal(steps.running, 0, `checkpoint ${checkpoint}`);
      assert.deepEqual(client.statistics().connectionsOpen, 0, `checkpoint ${checkpoint}`);
      assert.deepEqual(reported, []);
      await ask();
    }
  },
  [1, 2],
);

simTest(
  "a server that is closed while requests go on, cancelled at every checkpoint: all has ended",
  async () => {
    await cancelEverywhere(async (round) => {
      let running = 0;
      const client = testClient(async () => {
        running += 1;
        try {
          await sleep(5);
          return new HttpResponse("hello");
        } finally {
          running -= 1;
        }
      });
      round.after(() => {
        assert.equal(running, 0);
        assert.equal(client.statistics().connectionsOpen, 0);
      });
      try {
        await client.connect().send(bytesOf(get()));
        await sleep(1);
      } finally {
        await client.close({ graceMs: 1000 });
      }
    });
  },
  [1],
);
