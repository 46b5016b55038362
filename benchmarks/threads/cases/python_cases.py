"""Calls of an empty function in another thread with anyio."""

import os
import sys
import time

import anyio
import anyio.to_thread

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../../harness"))
from anyio_case import run_requested_case  # noqa: E402

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


run_requested_case({"thread": one, "thread-100": several})
