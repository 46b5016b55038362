"""aiohttp's WebSockets, with the event loop of asyncio or of uvloop.

Called as `aiohttp_server.py SUBJECT`; what it prints and obeys is in `harness/server-control.ts`.
"""

import asyncio
import gc
import json
import os
import sys
import threading

from aiohttp import web

BACKLOG = 4096


def obey():
    """Runs in a thread of its own: it costs nothing while no line comes."""
    for _ in sys.stdin:
        gc.collect()
        print("settled", flush=True)
    os._exit(0)


async def echo(request):
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    async for message in socket:
        await socket.send_str(message.data)
    return socket


async def main():
    app = web.Application()
    app.router.add_get("/", echo)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=BACKLOG).start()
    threading.Thread(target=obey, daemon=True).start()
    print(json.dumps({"port": runner.addresses[0][1], "pid": os.getpid()}), flush=True)
    await asyncio.Event().wait()


if sys.argv[1] == "aiohttp-uvloop":
    import uvloop

    uvloop.install()
asyncio.run(main())
