"""Calls of an empty function in another thread with anyio.

Called as `python_cases.py SUBJECT REQUEST`; the request and the printed line are those of `harness/case.ts`.
"""

import gc
import json
import os
import sys
import time

import anyio
import anyio.to_thread

AT_ONCE = 100


def empty():
    pass


async def one(ops):
    start = time.perf_counter_ns()
    for _ in range(ops):
        await anyio.to_thread.run_sync(empty)
    return time.perf_counter_ns() - start


async def several(ops):
    anyio.to_thread.current_default_thread_limiter().total_tokens = os.cpu_count()
    start = time.perf_counter_ns()
    for _ in range(0, ops, AT_ONCE):
        async with anyio.create_task_group() as group:
            for _ in range(AT_ONCE):
                group.start_soon(anyio.to_thread.run_sync, empty)
    return time.perf_counter_ns() - start


def main():
    request = json.loads(sys.argv[2])
    measure = {"thread": one, "thread-100": several}[request["bench"]]
    if request["warmUpOps"] > 0:
        anyio.run(measure, request["warmUpOps"])
    samples = []
    begin = time.perf_counter()
    while len(samples) < request["samplesMax"]:
        if samples and (time.perf_counter() - begin) * 1000 > request["budgetMs"]:
            break
        gc.collect()
        samples.append(anyio.run(measure, request["ops"]) / request["ops"])
    print(json.dumps({"samples": samples}))


main()
