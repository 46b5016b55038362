import assert from "node:assert/strict";
import nodeTest from "node:test";
import { checkpoint } from "../core/checkpoint.ts";
import { ExceptionGroup } from "../core/exception-group.ts";
import { CancelScope } from "../core/scope.ts";
import { taskGroup } from "../core/task-group.ts";
import { sleep, sleepForever } from "../sync/timeouts.ts";
import { assertExceptionGroup, cancelEverywhere, onEveryBackend } from "../testing.ts";
import { gather } from "./gather.ts";
import { matchErrors } from "./match-errors.ts";

const test = onEveryBackend(nodeTest);

type Same<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

class NotFound extends Error {}
class Denied extends Error {}

const throwing = (error: unknown) => (): never => {
  throw error;
};

const rejection = (outcome: Promise<unknown>): Promise<unknown> =>
  outcome.then(
    () => assert.fail("did not throw"),
    (error: unknown) => error,
  );

test("matchErrors: without an error it returns the value, and no handler runs (§4.5)", async () => {
  const value = await matchErrors(async () => 1, [[Error, () => assert.fail("handled")]]);
  const typed: Same<typeof value, number> = true;
  assert.deepEqual([value, typed], [1, true]);
});

test("matchErrors: a handler gets the part of the group that is its, pruned, nesting kept (§4.5)", async () => {
  const errors = [
    new NotFound("a"),
    new Denied("b"),
    new NotFound("c"),
    new TypeError("d"),
  ] as const;
  const inner = new ExceptionGroup([errors[1], errors[2]], "inner");
  const group = new ExceptionGroup([errors[0], inner, errors[3]], "outer");
  const seen: unknown[] = [];
  const value = await matchErrors(
    async (): Promise<number> => throwing(group)(),
    [
      [
        NotFound,
        async (part) => {
          await checkpoint();
          seen.push(part);
          return "first";
        },
      ],
      [Denied, (part) => void seen.push(part)],
      [(error: unknown) => (error as Error).message === "d", (part) => seen.push(part)],
    ],
  );
  const typed: Same<typeof value, number | string | undefined> = true;
  assert.deepEqual([value, typed], ["first", true]);
  assertExceptionGroup(seen[0], [/^a$/, [/^c$/]]);
  assertExceptionGroup(seen[1], [[/^b$/]]);
  assertExceptionGroup(seen[2], [/^d$/]);
  assert.deepEqual(
    (seen as ExceptionGroup[]).map(({ title }) => title),
    ["outer", "outer", "outer"],
  );
});

test("matchErrors: the first case that fits takes an error, the later ones do not see it (§4.5)", async () => {
  const group = new ExceptionGroup([new NotFound("a"), new Denied("b")]);
  const seen: string[][] = [];
  const note = (part: ExceptionGroup): void => void seen.push(part.leaves().map(String));
  await matchErrors(throwing(group), [
    [NotFound, note],
    [Error, note],
    [Error, () => assert.fail("nothing is left")],
  ]);
  assert.deepEqual(seen, [["Error: a"], ["Error: b"]]);
});

test("matchErrors: a bare error is sorted like a group of one, and passes bare (§4.5)", async () => {
  const error = new NotFound("x");
  const value = await matchErrors(throwing(error), [
    [Denied, () => assert.fail("not its kind")],
    [AggregateError, () => assert.fail("not its kind either")],
    [NotFound, (part) => part.errors[0] as NotFound],
  ]);
  assert.equal(value, error);
  assert.equal(await rejection(matchErrors(throwing(error), [[Denied, () => 1]])), error);
  assert.equal(await rejection(matchErrors(throwing(error), [])), error);
  assert.equal(await matchErrors(throwing("text"), [[(what) => what === "text", () => 1]]), 1);
  assert.equal(await rejection(matchErrors(throwing(undefined), [])), undefined);
});

test("matchErrors: what nothing matches is thrown on as the pruned group (§4.5)", async () => {
  const inner = new ExceptionGroup([new NotFound("b"), new Denied("c")], "inner");
  const group = new ExceptionGroup([new NotFound("a"), inner], "outer");
  const thrown = await rejection(matchErrors(throwing(group), [[NotFound, () => 1]]));
  assertExceptionGroup(thrown, [[/^c$/]]);
  assert.equal(thrown.title, "outer");
  const same = await rejection(matchErrors(throwing(group), [[TypeError, () => 1]]));
  assert.equal(same, group);
});

test("matchErrors: what handlers throw comes together with what is left (§4.5)", async () => {
  const group = new ExceptionGroup(
    [new NotFound("a"), new Denied("b"), new TypeError("c")],
    "outer",
  );
  const thrown = await rejection(
    matchErrors(throwing(group), [
      [NotFound, throwing(new Error("from the handler"))],
      [Denied, async () => Promise.reject(new Error("from another"))],
    ]),
  );
  assertExceptionGroup(thrown, [/^from the handler$/, /^from another$/, [/^c$/]]);
  const only = await rejection(
    matchErrors(throwing(group), [[Error, throwing(new Error("alone"))]]),
  );
  assertExceptionGroup(only, [/^alone$/]);
});

test("matchErrors: a bare error's handler throws bare (§4.5)", async () => {
  const other = new Error("other");
  assert.equal(
    await rejection(matchErrors(throwing(new NotFound()), [[NotFound, throwing(other)]])),
    other,
  );
});

test("matchErrors: a handler that throws its group has not handled it (§4.5)", async () => {
  const inner = new ExceptionGroup([new NotFound("b"), new Denied("c")], "inner");
  const group = new ExceptionGroup([new NotFound("a"), inner], "outer");
  const rethrow = (part: ExceptionGroup): never => {
    throw part;
  };
  const thrown = await rejection(
    matchErrors(throwing(group), [
      [NotFound, rethrow],
      [Denied, () => 1],
    ]),
  );
  assertExceptionGroup(thrown, [/^a$/, [/^b$/]]);
  const bare = new NotFound("bare");
  assert.equal(await rejection(matchErrors(throwing(bare), [[NotFound, rethrow]])), bare);
});

test("matchErrors: Cancelled is never matched, also inside of groups (§4.5)", async () => {
  const seen: string[] = [];
  const note = (part: ExceptionGroup): void => void seen.push(...part.leaves().map(String));
  const all = [[() => true, note]] as const;
  const scope = new CancelScope();
  await scope.run(() => matchErrors(() => (scope.cancel(), checkpoint()), all));
  assert.ok(scope.cancelledCaught);
  assert.deepEqual(seen, []);
  const real = new Error("cleanup");
  const bad = async (): Promise<void> => {
    await sleepForever().catch(() => {});
    throw real;
  };
  const both = (error: unknown): Promise<never> =>
    checkpoint().then(
      () => assert.fail("not cancelled"),
      (cancelled: unknown) => throwing(new AggregateError([error, cancelled]))(),
    );
  const fns = [
    async () => taskGroup((group) => void group.startSoon(bad)),
    async () => void (await gather([bad])),
    async () => bad().catch(both),
  ];
  for (const fn of fns) {
    const outer = new CancelScope();
    const cancelling = (): Promise<void> => {
      const running = fn();
      outer.cancel();
      return running;
    };
    await outer.run(() => matchErrors(cancelling, all));
    assert.ok(outer.cancelledCaught);
  }
  assert.deepEqual(seen, ["Error: cleanup", "Error: cleanup", "AggregateError"]);
});

test("matchErrors: what is left goes beside a Cancelled, so that its scope sees it (§4.4)", async () => {
  const cleanup = (error: Error) => async () => {
    await sleepForever().catch(() => {});
    throw error;
  };
  const errors = [new NotFound("a"), new Denied("b")];
  const scope = new CancelScope();
  const outcome = scope.run(() =>
    matchErrors(
      () =>
        taskGroup((group) => {
          for (const error of errors) group.startSoon(cleanup(error));
          group.startSoon(() => scope.cancel());
        }),
      [[NotFound, () => 1]],
    ),
  );
  assertExceptionGroup(await rejection(outcome), [/^b$/]);
  assert.ok(scope.cancelledCaught);
  const other = new CancelScope();
  const bare = other.run(() =>
    matchErrors(
      () => gather([cleanup(errors[1] as Error), () => other.cancel()]),
      [[NotFound, () => 1]],
    ),
  );
  assert.equal(await rejection(bare), errors[1]);
  assert.ok(other.cancelledCaught);
});

test("matchErrors: a handler that is cancelled passes the Cancelled on (§4.5)", async () => {
  const scope = new CancelScope();
  await scope.run(async () => {
    const outcome = matchErrors(throwing(new ExceptionGroup([new NotFound()])), [
      [
        NotFound,
        async () => {
          scope.cancel();
          await checkpoint();
        },
      ],
    ]);
    const thrown = await rejection(outcome);
    assert.equal(thrown, scope.own);
    throw thrown;
  });
  assert.ok(scope.cancelledCaught);
});

test("matchErrors: one error object in two places is dealt with once for both (§4.5)", async () => {
  const error = new NotFound("twice");
  const group = new ExceptionGroup([error, new ExceptionGroup([error, new Denied("b")])]);
  let count = 0;
  const thrown = await rejection(
    matchErrors(throwing(group), [[NotFound, (part) => (count += part.leaves().length)]]),
  );
  assertExceptionGroup(thrown, [[/^b$/]]);
  assert.equal(count, 2);
});

test("matchErrors: is a checkpoint; wrong arguments reject before the function runs (§2.1)", async () => {
  let called = 0;
  const fn = (): number => called++;
  await new CancelScope().run(async (scope) => {
    scope.cancel();
    await assert.rejects(matchErrors(fn, []), { name: "Cancelled" });
  });
  await assert.rejects(matchErrors(Promise.resolve() as never, []), /matchErrors: got a promise/);
  await assert.rejects(matchErrors(fn, [["x" as never, () => 1]]), TypeError);
  await assert.rejects(matchErrors(fn, [[Error, 5 as never]]), TypeError);
  await assert.rejects(matchErrors(fn, [Error as never]), /needs a list of pairs/);
  assert.equal(called, 0);
});

test(
  "matchErrors: finds the cancellation among 200,000 errors without overflowing the stack (§4.5)",
  async () => {
    const scope = new CancelScope();
    let handled = 0;
    const failing = async (): Promise<never> => {
      scope.cancel();
      const errors: unknown[] = Array.from({ length: 200_000 }, () => new NotFound());
      throw new ExceptionGroup([...errors, await rejection(checkpoint())]);
    };
    await scope.run(() =>
      matchErrors(failing, [[NotFound, (group) => (handled = group.errors.length)]]),
    );
    assert.equal(handled, 200_000);
    assert.ok(scope.cancelledCaught);
  },
  { skip: { backend: "simulator", reason: "it is the same everywhere" } },
);

test(
  "matchErrors: cancelled at every step, it passes the Cancelled on",
  async () => {
    const { rounds } = await cancelEverywhere(async () => {
      const fn = async (): Promise<void> => {
        await sleep(1);
        throw new ExceptionGroup([new NotFound(), new Denied()]);
      };
      await matchErrors(fn, [
        [NotFound, () => sleep(1)],
        [Denied, () => sleep(1)],
      ]);
    });
    assert.ok(rounds.entry >= 4 && rounds.waiting >= 3 && rounds.woken >= 3);
  },
  { skip: { backend: "host", reason: "a sweep is the same everywhere" } },
);
