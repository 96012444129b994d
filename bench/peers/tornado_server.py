"""tornado: one handler, no log."""

import asyncio
import logging

from replies import BODY, TEXT, announce
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler


class Hello(RequestHandler):
    def get(self):
        self.set_header("Content-Type", TEXT)
        self.finish(BODY)

    def compute_etag(self):
        return None


async def main():
    logging.getLogger("tornado.access").disabled = True
    sockets = bind_sockets(0, "127.0.0.1", backlog=1024)
    HTTPServer(Application([("/", Hello)])).add_sockets(sockets)
    announce(sockets[0])
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
