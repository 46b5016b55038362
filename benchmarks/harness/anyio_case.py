"""The inside of one case process, for cases of anyio. What `case.ts` is for scripts."""

import gc
import json
import sys
import time

import anyio


def run_requested_case(cases):
    """Runs the case that the command line asks for, and prints its samples.

    Called as `python_cases.py SUBJECT REQUEST`; the request and the printed line are those of `case.ts`.
    A case does so many operations, and returns what all of them took, in nanoseconds.
    """
    request = json.loads(sys.argv[2])
    case = cases[request["bench"]]
    if request["warmUpOps"] > 0:
        anyio.run(case, request["warmUpOps"])
    samples = []
    begin = time.perf_counter()
    while len(samples) < request["samplesMax"]:
        if samples and (time.perf_counter() - begin) * 1000 > request["budgetMs"]:
            break
        gc.collect()
        samples.append(anyio.run(case, request["ops"]) / request["ops"])
    print(json.dumps({"samples": samples}))
