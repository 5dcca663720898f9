"""The peer of every HTTP figure: a bare aiohttp server whose one POST handler reads the body and answers a small JSON.

python -m bench.bare_server        prints its port
"""

from __future__ import annotations

import asyncio
import gc

import uvloop
from aiohttp import web


async def answer(request: web.Request) -> web.Response:
    """Read all, answer little."""
    await request.read()
    return web.json_response({"success": True, "data": {}}, status=201)


async def serve() -> None:
    """Serve until killed."""
    app = web.Application()
    app.router.add_post("/api/v1/orders", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)
    gc.collect()
    gc.freeze()
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(serve())
