"""asyncio's Protocol, under its own loop or under uvloop's: callbacks on a transport.

It finds the end of each head and obeys "Connection: close", as all peers written for this bench do;
it judges nothing else.
"""

import asyncio
import sys

from replies import DONE, EMPTY_LINE, KEEP, LAST, announce


class Hello(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport
        self.unread = b""

    def data_received(self, data):
        if self.unread:
            data = self.unread + data
        *heads, self.unread = data.split(EMPTY_LINE)
        last = next((n for n, head in enumerate(heads) if DONE in head.lower()), None)
        if last is None:
            self.transport.write(KEEP * len(heads))
        else:
            self.transport.write(KEEP * last + LAST)
            self.transport.close()


async def main():
    server = await asyncio.get_running_loop().create_server(Hello, "127.0.0.1", 0, backlog=1024)
    announce(server.sockets[0])
    await server.serve_forever()


if __name__ == "__main__":
    if "uvloop" in sys.argv:
        import uvloop

        uvloop.run(main())
    else:
        asyncio.run(main())
