"""The same conversation on asyncio: the loop comes with Python. With --uvloop it runs on libuv's instead."""

import asyncio
import re
import sys

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 6\r\n\r\n"


async def conversation(reader, writer):
    try:
        while True:
            request = await reader.readuntil(b"\r\n\r\n")
            if slow := re.match(rb"GET /slow\?seconds=([0-9.]+)", request):
                await asyncio.sleep(float(slow[1]))
            writer.write(HEAD + b"hello\n")
            await writer.drain()
            if b"connection: close" in request.lower():
                return
    except (asyncio.IncompleteReadError, ConnectionError):
        pass  # the client has left
    finally:
        writer.close()


async def main():
    server = await asyncio.start_server(conversation, "127.0.0.1", 0)
    print("listening {}:{}".format(*server.sockets[0].getsockname()), flush=True)
    await server.serve_forever()


if "--uvloop" in sys.argv:
    import uvloop

    uvloop.run(main())
else:
    asyncio.run(main())
