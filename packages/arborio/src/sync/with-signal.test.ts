import assert from "node:assert/strict";
import { test as nodeTest } from "node:test";
import "../platform/host.ts";
import { checkpoint } from "../core/checkpoint.ts";
import { StrayCancelledError } from "../core/errors.ts";
import { ExceptionGroup } from "../core/exception-group.ts";
import { waitAllTasksBlocked } from "../core/idle.ts";
import { CancelScope } from "../core/scope.ts";
import { taskGroup } from "../core/task-group.ts";
import { onEveryBackend } from "../testing/every-backend.ts";
import { shielded } from "./shield.ts";
import { sleepForever } from "./timeouts.ts";
import { withSignal } from "./with-signal.ts";

const test = onEveryBackend(nodeTest);

/** A controller whose signal counts its listeners. */
class CountingController extends AbortController {
  listeners = 0;

  constructor() {
    super();
    const { signal } = this;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    const known = new Set<unknown>();
    signal.addEventListener = (type: string, listener: never, options?: never) => {
      known.add(listener);
      this.listeners = known.size;
      add(type, listener, options);
    };
    signal.removeEventListener = (type: string, listener: never, options?: never) => {
      known.delete(listener);
      this.listeners = known.size;
      remove(type, listener, options);
    };
  }
}

test("withSignal: cuts its body short when the signal aborts, and throws the signal's reason (§3.6)", async (group) => {
  const controller = new CountingController();
  const reason = new RangeError("client went away");
  group.startSoon(async () => {
    await waitAllTasksBlocked();
    assert.equal(controller.listeners, 1);
    controller.abort(reason);
  });
  let cleaned = false;
  const cut = withSignal(controller.signal, async () => {
    try {
      await sleepForever();
    } finally {
      await shielded(() => checkpoint());
      cleaned = true;
    }
  });
  await assert.rejects(cut, (error) => error === reason);
  assert.deepEqual([cleaned, controller.listeners], [true, 0]);
});

test("withSignal: with the platform's default reason it throws an AbortError", async () => {
  const error = await withSignal(AbortSignal.abort(), () => checkpoint()).catch(
    (reason: unknown) => reason,
  );
  assert.equal((error as Error).name, "AbortError");
});

test("withSignal: a body that ends keeps its value, also if the signal aborts in its last step (§3.6)", async () => {
  const controller = new CountingController();
  assert.equal(await withSignal(controller.signal, () => 1), 1);
  assert.equal(controller.listeners, 0);
  const value = await withSignal(controller.signal, () => {
    controller.abort();
    return 2;
  });
  assert.deepEqual([value, controller.listeners], [2, 0]);
});

test("withSignal: with a signal that is aborted already, the body runs to its first checkpoint (§1.2)", async () => {
  const controller = new CountingController();
  const reason = new RangeError("before");
  controller.abort(reason);
  let begun = false;
  const cut = withSignal(controller.signal, async () => {
    begun = true;
    await checkpoint();
    assert.fail("went on although cancelled");
  });
  await assert.rejects(cut, (error) => error === reason);
  assert.deepEqual([begun, controller.listeners], [true, 0]);
  assert.equal(await withSignal(controller.signal, () => "no checkpoint"), "no checkpoint");
});

test("withSignal: an error of the body comes out as it is, also beside the cancellation (§3.3)", async () => {
  const controller = new CountingController();
  const own = new RangeError("own");
  const failing = withSignal(controller.signal, async () => {
    controller.abort();
    throw own;
  });
  await assert.rejects(failing, (error) => error === own);
  const other = new CountingController();
  const mixed = withSignal(other.signal, () =>
    taskGroup(async (group) => {
      group.startSoon(() => sleepForever());
      group.startSoon(async () => {
        await sleepForever().catch(() => {});
        throw own;
      });
      await checkpoint();
      await waitAllTasksBlocked();
      other.abort(new Error("the signal's"));
    }),
  ).catch((error: unknown) => error);
  const error = await mixed;
  assert.deepEqual([controller.listeners, other.listeners], [0, 0]);
  assert.ok(error instanceof ExceptionGroup);
  assert.deepEqual(error.leaves(), [own]);
});

test("withSignal: scope.cancel() of the body's own scope is not the signal's doing: undefined", async () => {
  const controller = new CountingController();
  const value = await withSignal(controller.signal, async (scope) => {
    scope.cancel("own");
    controller.abort(new Error("too late"));
    await checkpoint();
  });
  assert.deepEqual([value, controller.listeners], [undefined, 0]);
});

test("withSignal: cancelled from around it, it passes Cancelled on, and the signal has no listener left", async () => {
  const controller = new CountingController();
  const outer = new CancelScope();
  await outer.run(async () => {
    const cut = withSignal(controller.signal, () => sleepForever());
    outer.cancel();
    controller.abort();
    await cut;
  });
  assert.deepEqual([outer.cancelledCaught, controller.listeners], [true, 0]);
});

test("withSignal: is no checkpoint (§2.1)", async () => {
  const outer = new CancelScope();
  await outer.run(async () => {
    outer.cancel();
    assert.equal(await withSignal(new AbortController().signal, () => 1), 1);
  });
  assert.equal(outer.cancelledCaught, false);
});

test("withSignal: the signal of another scope brings that one's Cancelled, which is stray here (§3.4)", async (group) => {
  const elsewhere = new CancelScope();
  group.startSoon(() => elsewhere.run(() => sleepForever()));
  await waitAllTasksBlocked();
  const failing = taskGroup(async () => {
    const cut = withSignal(elsewhere.signal, () => sleepForever());
    elsewhere.cancel();
    await cut;
  }).catch((error: unknown) => error);
  const error = await failing;
  assert.ok(error instanceof ExceptionGroup && error.errors[0] instanceof StrayCancelledError);
});

test("withSignal: arguments of the wrong kind are TypeErrors", async () => {
  await assert.rejects(
    withSignal((() => 1) as never, new AbortController().signal as never),
    TypeError,
  );
  await assert.rejects(
    withSignal(undefined as never, () => 1),
    TypeError,
  );
  await assert.rejects(withSignal(new AbortController().signal, 1 as never), TypeError);
});

test(
  "withSignal: after 100,000 operations, ended, failed and cancelled, a long-lived signal has no listener left (§3.6)",
  async () => {
    const controller = new CountingController();
    const failure = new RangeError("expected");
    for (let i = 0; i < 100_000; i++) {
      const kind = i % 4;
      if (kind === 0) await withSignal(controller.signal, () => i);
      else if (kind === 1)
        await withSignal(controller.signal, () => Promise.reject(failure)).catch(() => {});
      else if (kind === 2) await withSignal(controller.signal, () => checkpoint());
      else
        await withSignal(controller.signal, (scope) => {
          scope.cancel();
          return checkpoint();
        });
    }
    assert.equal(controller.listeners, 0);
  },
  { skip: { backend: "simulator", reason: "each resumption is a turn of the host there" } },
);

test("withSignal: many at once on one signal have a listener each while they run", async () => {
  const controller = new CountingController();
  const calls = Array.from({ length: 100 }, () =>
    withSignal(controller.signal, () => sleepForever()).catch((error: unknown) => error),
  );
  assert.equal(controller.listeners, 100);
  const reason = new Error("all");
  controller.abort(reason);
  assert.ok((await Promise.all(calls)).every((error) => error === reason));
  assert.equal(controller.listeners, 0);
});
