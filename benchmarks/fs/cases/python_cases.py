"""A large file, read with anyio."""

import functools
import os
import sys
import tempfile
import time

import anyio

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../../harness"))
from anyio_case import run_requested_case  # noqa: E402

MIB = 2**20
CHUNK_BYTES = {"file-read": 65_536, "file-read-1m": MIB}


def cached_file(folder, mebibytes):
    path = os.path.join(folder, f"file-{mebibytes}")
    if not os.path.exists(path):
        with open(path, "w+b") as file:
            file.truncate(mebibytes * MIB)
            file.seek(0)
            while file.read(MIB):
                pass
    return path


async def read(path, chunk_bytes):
    count = 0
    async with await anyio.open_file(path, "rb") as file:
        while chunk := await file.read(chunk_bytes):
            count += len(chunk)
    return count


async def measure(folder, chunk_bytes, mebibytes):
    path = cached_file(folder, mebibytes)
    start = time.perf_counter_ns()
    count = await read(path, chunk_bytes)
    elapsed = time.perf_counter_ns() - start
    if count != mebibytes * MIB:
        raise RuntimeError(f"read {count} bytes of {mebibytes * MIB}")
    return elapsed


with tempfile.TemporaryDirectory(prefix="arborio-bench-") as folder:
    run_requested_case(
        {bench: functools.partial(measure, folder, chunk_bytes) for bench, chunk_bytes in CHUNK_BYTES.items()}
    )
