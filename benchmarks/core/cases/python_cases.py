"""The work of the core benches with asyncio, uvloop, trio, and anyio on each of them.

Called as `python_cases.py SUBJECT REQUEST`; the request and the printed line are those of `harness/case.ts`.
CPython has no optimiser to wait for, so the runner asks for a small warm-up only.
"""

import asyncio
import gc
import json
import os
import sys
import time

HOUR_S = 3600
TIMEOUT_S = 10
CONTENDERS = 1000
# Turns after which every task that was started has begun to wait.
SETTLE_TURNS = 5


def stopwatch():
    start = time.perf_counter_ns()
    return lambda: time.perf_counter_ns() - start


def resident_bytes():
    gc.collect()
    with open("/proc/self/statm", encoding="ascii") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class AsyncioCases:
    """asyncio as it is today: TaskGroup and timeout() need Python 3.11."""

    async def spawn(self, ops):
        elapsed = stopwatch()
        async with asyncio.TaskGroup() as group:
            for _ in range(ops):
                group.create_task(asyncio.sleep(0))
        return elapsed()

    async def checkpoint_yield(self, ops):
        elapsed = stopwatch()
        for _ in range(ops):
            await asyncio.sleep(0)
        return elapsed()

    async def timeout(self, ops):
        elapsed = stopwatch()
        for _ in range(ops):
            async with asyncio.timeout(TIMEOUT_S):
                await asyncio.sleep(0)
        return elapsed()

    async def cancel(self, ops):
        event = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(event.wait()) for _ in range(ops)]
            for _ in range(SETTLE_TURNS):
                await asyncio.sleep(0)
            elapsed = stopwatch()
            for task in tasks:
                task.cancel()
        return elapsed()

    async def rendezvous(self, ops):
        there, back = asyncio.Queue(1), asyncio.Queue(1)

        async def echo():
            for _ in range(ops):
                await back.put(await there.get())

        elapsed = stopwatch()
        async with asyncio.TaskGroup() as group:
            group.create_task(echo())
            for i in range(ops):
                await there.put(i)
                await back.get()
        return elapsed()

    async def channel(self, ops):
        queue = asyncio.Queue(100)

        async def produce():
            for i in range(ops):
                await queue.put(i)

        elapsed = stopwatch()
        async with asyncio.TaskGroup() as group:
            group.create_task(produce())
            for _ in range(ops):
                await queue.get()
        return elapsed()

    async def lock(self, ops):
        lock = asyncio.Lock()
        elapsed = stopwatch()
        for _ in range(ops):
            async with lock:
                pass
        return elapsed()

    async def lock_contended(self, ops):
        lock = asyncio.Lock()

        async def contend():
            for _ in range(ops // CONTENDERS):
                async with lock:
                    await asyncio.sleep(0)

        elapsed = stopwatch()
        async with asyncio.TaskGroup() as group:
            for _ in range(CONTENDERS):
                group.create_task(contend())
        return elapsed()

    async def memory(self, ops):
        event = asyncio.Event()
        before = resident_bytes()
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(event.wait()) for _ in range(ops)]
            for _ in range(SETTLE_TURNS):
                await asyncio.sleep(0)
            used = resident_bytes() - before
            for task in tasks:
                task.cancel()
        return used


class NurseryCases:
    """trio and anyio, whose words differ little; the subclasses give what does."""

    async def spawn(self, ops):
        elapsed = stopwatch()
        async with self.open_group() as group:
            for _ in range(ops):
                group.start_soon(self.checkpoint_fn)
        return elapsed()

    async def checkpoint(self, ops):
        check = self.check_fn
        with self.move_on_after(HOUR_S):
            elapsed = stopwatch()
            for _ in range(ops):
                await check()
            return elapsed()

    async def checkpoint_yield(self, ops):
        checkpoint = self.checkpoint_fn
        elapsed = stopwatch()
        for _ in range(ops):
            await checkpoint()
        return elapsed()

    async def timeout(self, ops):
        checkpoint, move_on_after = self.checkpoint_fn, self.move_on_after
        elapsed = stopwatch()
        for _ in range(ops):
            with move_on_after(TIMEOUT_S):
                await checkpoint()
        return elapsed()

    async def settle(self):
        for _ in range(SETTLE_TURNS):
            await self.checkpoint_fn()

    async def cancel(self, ops):
        async with self.open_group() as group:
            for _ in range(ops):
                group.start_soon(self.sleep_forever)
            await self.settle()
            elapsed = stopwatch()
            group.cancel_scope.cancel()
        return elapsed()

    async def rendezvous(self, ops):
        there_send, there_receive = self.open_channel(0)
        back_send, back_receive = self.open_channel(0)

        async def echo():
            for _ in range(ops):
                await back_send.send(await there_receive.receive())

        elapsed = stopwatch()
        async with self.open_group() as group:
            group.start_soon(echo)
            for i in range(ops):
                await there_send.send(i)
                await back_receive.receive()
        return elapsed()

    async def channel(self, ops):
        send, receive = self.open_channel(100)

        async def produce():
            async with send:
                for i in range(ops):
                    await send.send(i)

        elapsed = stopwatch()
        async with self.open_group() as group:
            group.start_soon(produce)
            async for _ in receive:
                pass
        return elapsed()

    async def lock(self, ops):
        lock = self.create_lock()
        elapsed = stopwatch()
        for _ in range(ops):
            async with lock:
                pass
        return elapsed()

    async def lock_contended(self, ops):
        lock, checkpoint = self.create_lock(), self.checkpoint_fn

        async def contend():
            for _ in range(ops // CONTENDERS):
                async with lock:
                    await checkpoint()

        elapsed = stopwatch()
        async with self.open_group() as group:
            for _ in range(CONTENDERS):
                group.start_soon(contend)
        return elapsed()

    async def memory(self, ops):
        before = resident_bytes()
        async with self.open_group() as group:
            for _ in range(ops):
                group.start_soon(self.sleep_forever)
            await self.settle()
            used = resident_bytes() - before
            group.cancel_scope.cancel()
        return used


class TrioCases(NurseryCases):
    def __init__(self):
        import trio

        self.checkpoint_fn = trio.lowlevel.checkpoint
        self.check_fn = trio.lowlevel.checkpoint_if_cancelled
        self.move_on_after = trio.move_on_after
        self.sleep_forever = trio.sleep_forever
        self.open_group = trio.open_nursery
        self.open_channel = trio.open_memory_channel
        self.create_lock = trio.Lock


class AnyioCases(NurseryCases):
    def __init__(self):
        import anyio

        self.checkpoint_fn = anyio.lowlevel.checkpoint
        self.check_fn = anyio.lowlevel.checkpoint_if_cancelled
        self.move_on_after = anyio.move_on_after
        self.sleep_forever = anyio.sleep_forever
        self.open_group = anyio.create_task_group
        self.open_channel = anyio.create_memory_object_stream
        self.create_lock = lambda: fast_lock(anyio.Lock)


def fast_lock(lock):
    """anyio 4 can acquire a free lock without a yield, as all the other subjects do; anyio 3 cannot."""
    try:
        return lock(fast_acquire=True)
    except TypeError:
        return lock()


def run_asyncio(main):
    return asyncio.run(main())


def run_uvloop(main):
    import uvloop

    loop = uvloop.new_event_loop()
    try:
        return loop.run_until_complete(main())
    finally:
        loop.close()


def run_trio(main):
    import trio

    return trio.run(main)


def run_anyio(backend, **options):
    def run(main):
        import anyio

        return anyio.run(main, backend=backend, backend_options=options)

    return run


SUBJECTS = {
    "asyncio": (AsyncioCases, run_asyncio),
    "uvloop": (AsyncioCases, run_uvloop),
    "trio": (TrioCases, run_trio),
    "anyio-asyncio": (AnyioCases, run_anyio("asyncio")),
    "anyio-uvloop": (AnyioCases, run_anyio("asyncio", use_uvloop=True)),
    "anyio-trio": (AnyioCases, run_anyio("trio")),
}


def main():
    subject, request = sys.argv[1], json.loads(sys.argv[2])
    make_cases, run = SUBJECTS[subject]
    measure = getattr(make_cases(), request["bench"].replace("-", "_"))
    if request["warmUpOps"] > 0:
        run(lambda: measure(request["warmUpOps"]))
    samples = []
    begin = time.perf_counter()
    while len(samples) < request["samplesMax"] and (time.perf_counter() - begin) * 1000 < request["budgetMs"]:
        gc.collect()
        samples.append(run(lambda: measure(request["ops"])) / request["ops"])
    print(json.dumps({"samples": samples}))


main()
