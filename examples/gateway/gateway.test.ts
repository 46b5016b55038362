import assert from "node:assert/strict";
import { test as nodeTest } from "node:test";
import {
  CancelScope,
  failAfter,
  gather,
  moveOnAfter,
  now,
  run,
  runningTasks,
  sleep,
  sleepForever,
  taskGroup,
} from "arborio";
import { random } from "arborio/lowlevel";
import { simulate } from "arborio/sim";
import { onEveryBackend } from "arborio/testing";
import { type Handler, HttpResponse, openHttpClient, openServer } from "@arborio/http";
import { ExampleProgram } from "../testing/example-program.ts";
import { Gateway } from "./gateway.ts";
import type { Overview, PartResult } from "./overview.ts";

const test = onEveryBackend((title, body) => nodeTest(title, { timeout: 30_000 }, body));
const ON_VIRTUAL_TIME = { skip: { backend: "host", reason: "waits in virtual time" } } as const;

/** Bun gives a test five seconds unless told otherwise. */
const LONG = { timeout: 60_000 };

const LOCAL = { port: 0, host: "127.0.0.1", graceMs: 0, onError: () => {} };
const TIMES = { deadlineMs: 1000, attemptMs: 400 };
/** So that it is the deadline that ends all. */
const PATIENT = { deadlineMs: 1000, attemptMs: 60_000 };
/** What a simulated network adds to a few requests in a row, at most. */
const NETWORK_MS = 30;

/** A service at so many places, which does what it is told, and knows what it works on. */
class Service {
  readonly name: string;
  answer: Handler;
  asked = 0;
  working = 0;

  constructor(name: string, answer: Handler) {
    this.name = name;
    this.answer = answer;
  }

  readonly handle: Handler = async (request, context) => {
    this.asked += 1;
    this.working += 1;
    try {
      return await this.answer(request, context);
    } finally {
      this.working -= 1;
    }
  };
}

const good: Handler = async () => {
  await sleep(50);
  return HttpResponse.json("good", { headers: { "cache-control": "max-age=1" } });
};
const bad: Handler = () => new HttpResponse("", { status: 500 });
const stalling: Handler = sleepForever;

const GOOD: PartResult = { state: "ok", data: "good", isStale: false };
const STALE: PartResult = { state: "ok", data: "good", isStale: true };
const TIMED_OUT: PartResult = { state: "timed out" };

type Answer = { readonly tookMs: number; readonly parts: Overview; readonly status: number };

/** Runs `body` with a way to ask a gateway of such services: each is a part, at several places if they have the same name. */
async function withGateway(
  services: readonly Service[],
  body: (ask: (path?: string) => Promise<Answer>) => Promise<void>,
  times: typeof TIMES = TIMES,
): Promise<void> {
  const places = new Map<string, string[]>();
  for (const { name, handle } of services) {
    const { url } = await openServer(handle, LOCAL);
    places.set(name, [...(places.get(name) ?? []), url]);
  }
  const parts = [...places].map(([name, urls]) => ({ name, urls }));
  await using gateway = new Gateway({ parts, ...times });
  await using server = await openServer(gateway.handle, LOCAL);
  await using client = openHttpClient({ base: server.url });
  await body(async (path = "/overview") => {
    const response = await client.request(path);
    return { ...(response.json() as Answer), status: response.status };
  });
  // The services see a moment later that nobody waits for them.
  await sleep(NETWORK_MS);
  for (const { name, working } of services) assert.equal(working, 0, `${name} works for nobody`);
}

test("gateway: all parts are got at the same time, from the query that was asked", () => {
  const slow: Handler = async ({ url }) => {
    await sleep(50);
    return HttpResponse.json(new URL(url).search);
  };
  return withGateway([new Service("a", slow), new Service("b", slow)], async (ask) => {
    const { parts, status, tookMs } = await ask("/overview?user=7");
    const part = { state: "ok", data: "?user=7", isStale: false };
    assert.deepEqual({ status, parts }, { status: 200, parts: { a: part, b: part } });
    assert.ok(tookMs >= 49, `took ${tookMs} ms`);
  });
});

test(
  "gateway: what is not there at the deadline is left out, and no service works on",
  () => {
    const stuck = new Service("stuck", stalling);
    return withGateway(
      [new Service("quick", good), stuck],
      async (ask) => {
        await sleep(1);
        const tasks = runningTasks().length;
        const began = now();
        const { parts, status } = await ask();
        assert.deepEqual(parts, { quick: GOOD, stuck: TIMED_OUT });
        assert.equal(status, 200);
        assert.ok(now() - began < TIMES.deadlineMs + NETWORK_MS, `took ${now() - began} ms`);
        await sleep(NETWORK_MS);
        assert.equal(stuck.working, 0);
        assert.equal(stuck.asked, 1);
        // When connections are not kept any more.
        await sleep(200_000);
        assert.equal(runningTasks().length, tasks);
      },
      PATIENT,
    );
  },
  ON_VIRTUAL_TIME,
);

test(
  "gateway: the deadline ends a body that stalls as well",
  () => {
    const begins: Handler = () =>
      new HttpResponse(async (sink) => {
        await sink.send("[1,");
        await sleepForever();
      });
    return withGateway(
      [new Service("begins", begins)],
      async (ask) => {
        const { parts, status, tookMs } = await ask();
        assert.deepEqual([status, parts], [503, { begins: TIMED_OUT }]);
        assert.ok(tookMs <= TIMES.deadlineMs + 1);
      },
      PATIENT,
    );
  },
  ON_VIRTUAL_TIME,
);

test("gateway: a service that fails, and one that gives no JSON, are said to; their addresses are not", () => {
  const html: Handler = () => new HttpResponse("<h1>hello</h1>");
  const services = [new Service("bad", bad), new Service("html", html), new Service("good", good)];
  return withGateway(services, async (ask) => {
    const { parts } = await ask();
    assert.deepEqual(parts, {
      bad: { state: "failed", why: "status 500" },
      html: { state: "failed", why: "no JSON" },
      good: GOOD,
    });
    assert.equal(services[0]?.asked, 2, "tried again");
  });
});

test("gateway: other methods and paths are refused; what is its own fault is no service's", async () => {
  const errors: unknown[] = [];
  // A place that the client cannot ask: whoever wrote that has to know.
  const parts = [{ name: "part", urls: ["ftp://part.test/"] }];
  await using gateway = new Gateway({ parts, ...TIMES });
  const onError = (error: unknown): void => void errors.push(error);
  await using server = await openServer(gateway.handle, { ...LOCAL, onError });
  await using client = openHttpClient({ base: server.url });
  const refused = await client.request("/overview", { method: "POST", body: "" });
  assert.deepEqual([refused.status, refused.headers.get("allow")], [405, "GET, HEAD"]);
  assert.equal((await client.request("/circuits", { method: "HEAD" })).status, 200);
  assert.equal((await client.request("/")).status, 404);
  assert.deepEqual(errors, []);
  assert.equal((await client.request("/overview")).status, 500);
  assert.equal(errors.length, 1);
});

test(
  "gateway: where the first place is slow, the second is asked as well, and the first not waited for",
  () => {
    const [first, second] = [new Service("part", stalling), new Service("part", good)];
    return withGateway([first, second], async (ask) => {
      const { parts, tookMs } = await ask();
      assert.deepEqual(parts, { part: GOOD });
      assert.ok(tookMs >= 150 && tookMs < 150 + NETWORK_MS, `took ${tookMs} ms`);
      await sleep(NETWORK_MS);
      assert.equal(first.working, 0);
    });
  },
  ON_VIRTUAL_TIME,
);

test(
  "gateway: what is fresh is asked for once; while its service is bad, what it said before is shown, then it is back",
  () => {
    const service = new Service("part", good);
    return withGateway([service], async (ask) => {
      assert.deepEqual((await ask()).parts, { part: GOOD });
      assert.deepEqual((await ask()).parts, { part: GOOD });
      assert.equal(service.asked, 1);
      await sleep(2000);
      for (const wrong of [bad, stalling]) {
        service.answer = wrong;
        assert.deepEqual((await ask()).parts, { part: STALE });
      }
      service.answer = good;
      await sleep(10_000);
      assert.deepEqual((await ask()).parts, { part: GOOD });
    });
  },
  ON_VIRTUAL_TIME,
);

test(
  "gateway: a service that fails again and again is left in peace, and found again when it is back",
  () => {
    const service = new Service("part", bad);
    return withGateway([service], async (ask) => {
      for (let count = 0; count < 20; count++) await ask();
      // As many in a row as open the circuit.
      assert.equal(service.asked, 5);
      assert.deepEqual((await ask()).parts, { part: { state: "failed", why: "refused" } });
      await sleep(6000);
      service.answer = good;
      assert.deepEqual((await ask()).parts, { part: GOOD });
      await sleep(2000);
      assert.deepEqual((await ask()).parts, { part: GOOD });
    });
  },
  ON_VIRTUAL_TIME,
);

test(
  "gateway: a service that fails now and then gets few requests twice",
  () => {
    // Never so often in a row that the circuit opens.
    const service: Service = new Service("part", (request, context) =>
      service.asked % 5 === 0 ? HttpResponse.json("good") : bad(request, context),
    );
    return withGateway([service], async (ask) => {
      for (let count = 0; count < 100; count++) await ask();
      // A fifth more, and ten at first.
      assert.ok(service.asked > 110 && service.asked <= 130, `${service.asked} requests`);
    });
  },
  ON_VIRTUAL_TIME,
);

test(
  "gateway: a client that leaves ends the work of all services",
  () => {
    const services = [new Service("a", stalling), new Service("b", stalling)];
    return withGateway(services, async (ask) => {
      await moveOnAfter(200, () => ask());
      await sleep(NETWORK_MS);
      assert.deepEqual(
        services.map(({ working, asked }) => [working, asked]),
        [
          [0, 1],
          [0, 1],
        ],
      );
    });
  },
  ON_VIRTUAL_TIME,
);

nodeTest(
  "gateway: whatever its services do, it answers in time, and nothing is left of it",
  LONG,
  async () => {
    for (let seed = 1; seed <= 8; seed++) {
      await simulate({ seed }, async (world) => {
        const moody: Handler = async (request, context) => {
          await sleep(random() * 600);
          const mood = random();
          if (mood < 0.2) return await sleepForever();
          return mood < 0.4 ? bad(request, context) : good(request, context);
        };
        const services = ["a", "a", "b", "b", "c"].map((name) => new Service(name, moody));
        await withGateway(services, async (ask) => {
          await gather(
            Array.from({ length: 20 }, () => async () => {
              await sleep(random() * 5000);
              const began = now();
              const { parts } = await ask();
              assert.deepEqual(Object.keys(parts), ["a", "b", "c"]);
              assert.ok(now() - began < TIMES.deadlineMs + NETWORK_MS, `seed ${seed}`);
            }),
          );
        });
        await sleep(1000);
        const open = world
          .netstat()
          .filter(({ state }) => state !== "listen" && state !== "closed");
        assert.deepEqual(open, [], `seed ${seed}`);
      });
    }
  },
);

test(
  "gateway: asked to shut down, it gives those who wait what they wait for",
  async () => {
    const service = new Service("part", async () => {
      await sleep(300);
      return HttpResponse.json("good");
    });
    const scope = new CancelScope();
    await taskGroup(async (group) => {
      const { url } = await openServer(service.handle, LOCAL);
      await using gateway = new Gateway({ parts: [{ name: "part", urls: [url] }], ...TIMES });
      const server = await openServer(gateway.handle, { ...LOCAL, graceMs: 1000 });
      await using client = openHttpClient({ base: server.url });
      const serving = group.startSoon(() => scope.run(() => server.ended()));
      const asked = group.startSoon(() => client.request("/overview"));
      await sleep(100);
      scope.shutdown({ graceMs: 1000 });
      await serving.wait();
      assert.equal((await asked.result()).status, 200);
    });
  },
  ON_VIRTUAL_TIME,
);

nodeTest(
  "gateway, the program: shows its own services; Ctrl-C ends it; wrong usage says so",
  LONG,
  () =>
    run(
      () =>
        failAfter(40_000, async () => {
          using program = new ExampleProgram("gateway", [
            "--port=0",
            "--attempt=1800",
            "--deadline=2000",
          ]);
          const [, url = ""] = await program.until(/^gateway on (.*)$/m);
          await using client = openHttpClient({ base: new URL("/", url) });
          assert.equal((await client.request("/healthz")).status, 200);
          const { parts } = (await client.request("/overview")).json() as Answer;
          const states = Object.entries(parts).map(([name, { state }]) => `${name}: ${state}`);
          assert.deepEqual(states, [
            "profile: ok",
            "orders: ok",
            "news: ok",
            "offers: timed out",
            "weather: failed",
          ]);
          assert.equal((await client.request("/circuits")).status, 200);
          program.interrupt();
          assert.equal(await program.ended(), 0, program.printed);
          using wrong = new ExampleProgram("gateway", ["nonsense"]);
          assert.equal(await wrong.ended(), 2);
          assert.match(wrong.printed, /^got "nonsense", needs a name .*\nUsage: main\.ts /);
        }),
      { signals: [] },
    ),
);
