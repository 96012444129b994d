"""asyncio's streams: a coroutine for each connection that reads to the end of a head and writes."""

import asyncio

from replies import DONE, EMPTY_LINE, KEEP, LAST, announce


async def serve(reader, writer):
    try:
        while True:
            head = await reader.readuntil(EMPTY_LINE)
            if DONE in head.lower():
                writer.write(LAST)
                break
            writer.write(KEEP)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    writer.close()


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=1024)
    announce(server.sockets[0])
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
