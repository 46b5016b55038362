"""A large file, read with anyio.

Called as `python_cases.py SUBJECT REQUEST`; the request and the printed line are those of `harness/case.ts`.
"""

import gc
import json
import os
import sys
import tempfile
import time

import anyio

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


async def measure(folder, mebibytes, chunk_bytes):
    path = cached_file(folder, mebibytes)
    start = time.perf_counter_ns()
    count = await read(path, chunk_bytes)
    elapsed = time.perf_counter_ns() - start
    if count != mebibytes * MIB:
        raise RuntimeError(f"read {count} bytes of {mebibytes * MIB}")
    return elapsed


def main():
    request = json.loads(sys.argv[2])
    chunk_bytes = CHUNK_BYTES[request["bench"]]
    with tempfile.TemporaryDirectory(prefix="arborio-bench-") as folder:
        if request["warmUpOps"] > 0:
            anyio.run(measure, folder, request["warmUpOps"], chunk_bytes)
        samples = []
        begin = time.perf_counter()
        while len(samples) < request["samplesMax"]:
            if samples and (time.perf_counter() - begin) * 1000 > request["budgetMs"]:
                break
            gc.collect()
            samples.append(anyio.run(measure, folder, request["ops"], chunk_bytes) / request["ops"])
    print(json.dumps({"samples": samples}))


main()
