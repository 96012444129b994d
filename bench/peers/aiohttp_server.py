"""aiohttp's web server: one route, no access log."""

import asyncio
import socket

from aiohttp import web
from replies import BODY, TEXT, announce


async def hello(request):
    return web.Response(body=BODY, headers={"Content-Type": TEXT})


async def main():
    app = web.Application()
    app.router.add_get("/", hello)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    await web.SockSite(runner, listener).start()
    announce(listener)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
