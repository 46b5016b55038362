"""Short programs with anyio."""

import os
import sys
import time

import anyio

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../../harness"))
from anyio_case import run_requested_case  # noqa: E402

PROGRAM = "true"
AT_ONCE = 10


async def once():
    async with await anyio.open_process(
        [PROGRAM], stdin=-3, stderr=None, start_new_session=True
    ) as process:
        async for _ in process.stdout:
            pass
        code = await process.wait()
        if code != 0:
            raise RuntimeError(f"{PROGRAM} ended with {code}")


async def one(ops):
    start = time.perf_counter_ns()
    for _ in range(ops):
        await once()
    return time.perf_counter_ns() - start


async def several(ops):
    begun = 0

    async def work():
        nonlocal begun
        while begun < ops:
            begun += 1
            await once()

    start = time.perf_counter_ns()
    async with anyio.create_task_group() as group:
        for _ in range(AT_ONCE):
            group.start_soon(work)
    return time.perf_counter_ns() - start


run_requested_case({"process": one, "process-10": several})
