"""Where a server listens: ``tcp://host:port``, and the socket made from it."""

import errno
import socket
import struct
from itertools import islice
from typing import NamedTuple

BACKLOG = 4096
"""Connections the kernel may hold for us before accept; it cuts this to net.core.somaxconn (listen(2))."""

TICK = 0.5
"""Seconds. No sleep of a server lasts longer without a look at the clock and at the request to stop."""


SHORTAGE = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
"""What accept fails with when we, not the client, lack something: trying again at once would spin."""


class AddressError(ValueError):
    """The address cannot be used; the message says what was expected, what came and what to do."""


class Address(NamedTuple):
    """A host and a TCP port; port 0 asks the kernel for a free one."""

    host: str
    port: int

    def __str__(self):
        return f"tcp://{self.host}:{self.port}"

    @classmethod
    def parse(cls, text):
        """Read ``tcp://host:port``, ``host:port`` or a port alone (then on 127.0.0.1).

        Raises AddressError for anything else.
        """
        if isinstance(text, cls):
            return text
        body = str(text).removeprefix("tcp://")
        host, colon, port = body.rpartition(":")
        host = host if colon else "127.0.0.1"
        if not host or "/" in body or ":" in host or not (port.isascii() and port.isdecimal()):
            raise AddressError(f"expected tcp://host:port, not {text!r}; for example tcp://127.0.0.1:9080")
        if int(port) > 65535:
            raise AddressError(f"expected a port from 0 to 65535, not {port}; 0 asks for any free one")
        return cls(host, int(port))


class Listener(socket.socket):
    """A socket whose `accept` gives the bare object of the socket module's C part.

    That makes a new connection 2 µs cheaper: no enum is made for its family and type, no Python layer is
    put around it. What goes missing with it is `makefile` and the `with` statement.
    """

    def accept(self):
        fd, peer = self._accept()  # the call that socket.socket.accept wraps
        return socket.SocketType(self.FAMILY, self.TYPE, 0, fd), peer

    FAMILY, TYPE = int(socket.AF_INET), int(socket.SOCK_STREAM)


def listen(address, reuse_port=False):
    """Return a listening TCP socket: socket, SO_REUSEADDR, bind, listen (tcp(7), socket(7)).

    SO_REUSEADDR lets a restarted server bind while old connections are still in TIME_WAIT.
    Accepted sockets inherit both time-outs, so no recv or send sleeps longer than a TICK either.
    With `reuse_port` several listeners share the port, each with a queue of its own (SO_REUSEPORT).
    Raises AddressError when the port is taken, forbidden, or the host is not one of this machine's.
    """
    return _bound(address, reuse_port, listening=True)


def queued(listener):
    """Connections that no accept has taken yet: tcpi_unacked of a listener's TCP_INFO (tcp(7))."""
    return struct.unpack_from("I", listener.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 64), 24)[0]


def take_queue(listener, accept):
    """Accept whoever is in the queue at this moment, by `accept(listener)`, which is None for "nobody"."""
    return list(islice(iter(lambda: accept(listener), None), queued(listener)))


def reserve(address):
    """Bind a port without listening, so that listeners made with `reuse_port` may join and strangers may not.

    A second copy of the server would join silently if it only asked for SO_REUSEPORT (socket(7) checks
    no more than the user). So the first bind is an exclusive one, and the door is opened behind it.
    Raises AddressError as `listen` does.
    """
    sock = _bound(address)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    return sock


def _bound(address, reuse_port=False, listening=False):
    address = Address.parse(address)
    sock = Listener(socket.AF_INET, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if reuse_port:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        wake_up_each(TICK, sock)
        sock.bind(address)
        if listening:
            sock.listen(BACKLOG)  # EADDRINUSE comes here if another copy started at the same moment
    except OSError as error:
        sock.close()
        raise AddressError(_explain(address, error)) from error
    return sock


def wake_up_each(seconds, sock):
    """Let a blocking accept, recv or send on `sock` give up after `seconds` (SO_RCVTIMEO, socket(7)).

    Unlike ``socket.settimeout`` this leaves the sleep where the reader of the code sees it: in the
    call itself, not in a poll before it.
    """
    timeval = struct.pack("ll", int(seconds), int(seconds % 1 * 1_000_000))
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, timeval)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, timeval)


def _explain(address, error):
    if error.errno == errno.EADDRINUSE:
        return f"port {address.port} on {address.host} is in use; stop the other server or choose port 0"
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"no permission for port {address.port}; ports below 1024 are root's, choose a higher one or 0"
    if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
        return f"{address.host!r} is not an address of this machine; expected one such as 127.0.0.1"
    return f"cannot listen on {address}: {error.strerror or error}"
