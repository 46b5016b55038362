"""The echo servers of asyncio, uvloop, and anyio on three event loops.

Called as `python_servers.py SUBJECT`; what each prints and obeys is in `harness/server-control.ts`. asyncio, uvloop and
anyio set TCP_NODELAY on what they accept themselves.
"""

import asyncio
import gc
import json
import os
import sys
import threading

BACKLOG = 4096
CHUNK_BYTES = 65536


def obey():
    """Runs in a thread of its own: the same for every event loop, and it costs nothing while no line comes."""
    for _ in sys.stdin:
        gc.collect()
        print("settled", flush=True)
    os._exit(0)


def announce(port):
    threading.Thread(target=obey, daemon=True).start()
    print(json.dumps({"port": port, "pid": os.getpid()}), flush=True)


async def stream_echo(reader, writer):
    try:
        while chunk := await reader.read(CHUNK_BYTES):
            writer.write(chunk)
            await writer.drain()
    finally:
        writer.close()


async def serve_streams():
    server = await asyncio.start_server(stream_echo, "127.0.0.1", 0, backlog=BACKLOG)
    announce(server.sockets[0].getsockname()[1])
    await server.serve_forever()


class EchoProtocol(asyncio.Protocol):
    __slots__ = ("transport",)

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.transport.write(data)

    def pause_writing(self):
        self.transport.pause_reading()

    def resume_writing(self):
        self.transport.resume_reading()


async def serve_protocol():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(EchoProtocol, "127.0.0.1", 0, backlog=BACKLOG)
    announce(server.sockets[0].getsockname()[1])
    await server.serve_forever()


async def anyio_echo(stream):
    async with stream:
        async for chunk in stream:
            await stream.send(chunk)


async def serve_anyio():
    import anyio
    from anyio.abc import SocketAttribute

    multi = await anyio.create_tcp_listener(
        local_host="127.0.0.1", local_port=0, backlog=BACKLOG
    )
    announce(multi.extra(SocketAttribute.local_port))
    await multi.serve(anyio_echo)


def run_uvloop(main):
    import uvloop

    uvloop.install()
    asyncio.run(main())


def run_anyio(backend, **options):
    import anyio

    anyio.run(serve_anyio, backend=backend, backend_options=options)


SUBJECTS = {
    "asyncio-streams": lambda: asyncio.run(serve_streams()),
    "uvloop-streams": lambda: run_uvloop(serve_streams),
    "uvloop-protocol": lambda: run_uvloop(serve_protocol),
    "anyio-asyncio": lambda: run_anyio("asyncio"),
    "anyio-uvloop": lambda: run_anyio("asyncio", use_uvloop=True),
    "anyio-trio": lambda: run_anyio("trio"),
}

SUBJECTS[sys.argv[1]]()
