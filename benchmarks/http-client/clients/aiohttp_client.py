"""aiohttp's client, with the event loop of asyncio or of uvloop.

Called as `aiohttp_client.py SUBJECT PORT`; what it prints and obeys is in `client-control.ts`.
"""

import asyncio
import json
import os
import sys
import time

import aiohttp

IN_FLIGHT = 64


async def get(session, url, amount):
    left = amount

    async def flow():
        nonlocal left
        while left > 0:
            left -= 1
            async with session.get(url) as response:
                text = await response.text()
            if text != "Hello, world!":
                raise RuntimeError(f"GET gave {text!r}")

    await asyncio.gather(*(flow() for _ in range(IN_FLIGHT)))


async def main():
    url = f"http://127.0.0.1:{sys.argv[2]}/"
    loop = asyncio.get_running_loop()
    connector = aiohttp.TCPConnector(limit=IN_FLIGHT)
    async with aiohttp.ClientSession(connector=connector) as session:
        print(json.dumps({"pid": os.getpid()}), flush=True)
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            word, amount = line.split()
            if word != "get":
                raise RuntimeError(f"no work is called {word}")
            start = time.perf_counter()
            await get(session, url, int(amount))
            seconds = time.perf_counter() - start
            print(json.dumps({"operations": int(amount), "seconds": seconds}), flush=True)


if sys.argv[1] == "aiohttp-client-uvloop":
    import uvloop

    uvloop.install()
asyncio.run(main())
