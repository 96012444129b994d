"""What a server *is*: an address and three callbacks. What it *does* is written out in each model."""

import sys
import traceback
from contextlib import suppress
from pathlib import Path

from evolution.core.address import Address
from evolution.core.signals import Stop


class Worker:
    """The part of a server that every model has in common.

    Set the callbacks, then call `serve_forever`, which blocks until SIGTERM or SIGINT:

        worker.on_connect = ...  # (conn)
        worker.on_message = ...  # (conn, data): some bytes of the stream, not "a message"
        worker.on_close = ...    # (conn): once for every connection, however it ended
        worker.on_start = ...    # (address): listening now, with the port the kernel chose

    A callback that raises costs its connection and one line on stderr, never the server.
    """

    workers = 1
    """Processes or threads that serve; each model says what the number means for it."""

    def __init__(self, address, workers=None):
        """Raises AddressError for a malformed address and ValueError for fewer than one worker."""
        self.address = Address.parse(address)
        if workers is not None:
            if workers < 1:
                raise ValueError(f"expected at least 1 worker, not {workers}")
            self.workers = workers
        self.stop = Stop()
        self.on_start = self.on_connect = self.on_close = lambda _: None
        self.on_message = lambda conn, data: None

    def serve_forever(self):
        raise NotImplementedError("each model writes its own loop")

    def listening(self, listener):
        """Tell on_start where clients can reach us; the port in `address` may have been 0."""
        self.address = Address(*listener.getsockname())
        self.stop.sleepers["listener"] = listener
        self.on_start(self.address)

    def opened(self, conn):
        """Call on_connect."""
        self.stop.sleepers["client"] = conn.sock
        try:
            self.on_connect(conn)
        except (Exception, SystemExit) as error:
            self._failed(conn, "on_connect", error)

    def received(self, conn, data):
        """Call on_message."""
        try:
            self.on_message(conn, data)
        except (Exception, SystemExit) as error:
            self._failed(conn, "on_message", error)

    def closed(self, conn):
        """Close the socket and call on_close."""
        conn.sock.close()
        try:
            self.on_close(conn)
        except (Exception, SystemExit) as error:
            self._failed(conn, "on_close", error)

    @staticmethod
    def _failed(conn, callback, error):
        conn.abort()
        complain(f"{callback} raised", error)


def complain(text, error=None):
    """Print one line on stderr; of an `error` that was raised it tells what it is and where it comes from."""
    if error is not None:
        last = traceback.extract_tb(error.__traceback__)[-1]
        what = "".join(traceback.format_exception_only(error))  # even if its __str__ raises
        text = f"{text} {what} ({Path(last.filename).name}:{last.lineno})"
    with suppress(OSError):  # whoever read our stderr may be gone
        print(" ".join(text.split()), file=sys.stderr, flush=True)
