"""Short programs with anyio.

Called as `python_cases.py SUBJECT REQUEST`; the request and the printed line are those of `harness/case.ts`.
"""

import gc
import json
import sys
import time

import anyio

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


def main():
    request = json.loads(sys.argv[2])
    measure = {"process": one, "process-10": several}[request["bench"]]
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
