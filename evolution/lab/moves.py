"""Small moves for the cells of a chapter: knock at a port, ask a server, look at the kernel's tables.

Each is one or two system calls with a readable result, so that a cell of a notebook stays as short as
the question it asks. Everything is bounded in time, and nothing leaves 127.0.0.0/8.
"""

import errno
import socket
import sys
import time
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from evolution.core.address import Address
from evolution.lab import launch, procfs

SPECIMENS = Path(__file__).with_name("specimens")


@dataclass(frozen=True)
class Knock:
    """How the kernel answered a connect(2)."""

    outcome: str
    """"connected", the name of the error such as "ECONNREFUSED", or "no answer"."""
    seconds: float

    def __repr__(self):
        return f"{self.outcome} after {in_ms(self.seconds)}"


@dataclass(frozen=True)
class Answer:
    """A server's answer to one request."""

    status: int
    body: bytes
    seconds: float

    def __repr__(self):
        text = self.body.decode(errors="replace") if len(self.body) <= 60 else f"{len(self.body):,} bytes"
        return f"{self.status}: {text.strip()} (after {in_ms(self.seconds)})"


@dataclass(frozen=True)
class Rest:
    """What a process did during a moment of watching: its state, its sleep, its processor time."""

    pid: int
    state: str
    call: str
    """The system call it slept in at the end, such as "accept(3)"; "" when it was running."""
    cpu: float
    """Share of one core, 0 to 1."""
    switches: int
    """How often it went to sleep."""
    seconds: float

    def __repr__(self):
        doing = f"asleep in {self.call}" if self.call else "running"
        times = "time" if self.switches == 1 else "times"
        return (
            f"process {self.pid}: state {self.state}, {doing}; "
            f"{self.cpu:.1%} of a core, went to sleep {self.switches} {times} in {self.seconds:g} s"
        )


class Rows(list):
    """Rows of TCP's table that print one below the other."""

    def __repr__(self):
        return "\n".join(map(str, self)) or "no rows"


@dataclass(frozen=True)
class Row:
    """One socket of a port, as the kernel sees it."""

    end: str
    """"server", "client" or "listener": whose socket this row is."""
    state: str
    peer: int
    """The other end's port."""
    unread: int
    """Bytes that arrived and nobody has read; for a listener, connections that nobody has accepted."""
    accepted: bool

    def __str__(self):
        if self.end == "listener":
            return f"listener   {self.state:<12} {self.unread} waiting to be accepted"
        note = (
            ""
            if self.end == "client" or self.accepted or self.state == "TIME_WAIT"
            else ", held by no process"
        )
        return f"{self.end:<10} {self.state:<12} peer {self.peer}, {self.unread} bytes unread{note}"


def knock(address, timeout=1.0):
    """Try to connect and close again; say what came of it. Never raises for the network's answer."""
    started = time.monotonic()
    try:
        socket.create_connection(_local(address), timeout).close()
        outcome = "connected"
    except TimeoutError:
        outcome = "no answer"
    except OSError as error:
        outcome = errno.errorcode.get(error.errno, str(error))
    return Knock(outcome, time.monotonic() - started)


def ask(address, path="/", timeout=5.0):
    """Send one GET on a connection of its own and return the Answer. Raises TimeoutError or OSError."""
    started = time.monotonic()
    connection = HTTPConnection(*_local(address), timeout=timeout)
    try:
        connection.request("GET", path, headers={"Connection": "close"})
        reply = connection.getresponse()
        return Answer(reply.status, reply.read(), time.monotonic() - started)
    except HTTPException as error:
        raise ConnectionError(
            f"expected an HTTP answer, the server ended the connection ({error!r})"
        ) from None
    finally:
        connection.close()


def call(address, timeout=5.0):
    """Connect and return the socket: a client that has not said anything yet. Close it yourself."""
    return socket.create_connection(_local(address), timeout)


def pair():
    """Return two connected TCP sockets, (client, server): what connect and accept give."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname(), 5.0)
        server, _ = listener.accept()
        server.settimeout(5.0)
        return client, server


def table(address):
    """Return the rows of /proc/net/tcp that belong to a port, the listener first."""
    port = _local(address).port
    rows = Rows()
    for row in procfs.tcp(port=port):
        end = "listener" if row.state == "LISTEN" else "server" if row.local[1] == port else "client"
        peer = row.local[1] if end == "client" else row.remote[1]
        unread = row.rx - (row.state == "CLOSE_WAIT" and row.rx > 0)  # the kernel counts the end as a byte
        rows.append(Row(end, row.state, peer, unread, row.inode != 0))
    rows.sort(key=lambda row: (row.end != "listener", row.peer, row.end))
    return rows


def watch(server, seconds=0.5):
    """Watch a server's main process for a moment: does it sleep, in which call, and what does it cost?"""
    before = procfs.process(server.pid)
    time.sleep(seconds)
    after = procfs.process(server.pid)
    if before is None or after is None:
        raise ProcessLookupError(
            f"expected process {server.pid} to live, it has ended; start the server again"
        )
    sleeping = after.threads[0].call
    return Rest(
        server.pid,
        after.state,
        sleeping.text if sleeping else "",
        (after.cpu_ns - before.cpu_ns) / 1e9 / seconds,
        after.voluntary - before.voluntary,
        seconds,
    )


def specimen(name):
    """Start a server that is wrong on purpose, or from another world; return it as a Server.

    Raises ValueError for a name that is not in the folder specimens.
    """
    return launch.run([sys.executable, str(specimen_file(name))], model=name)


def specimen_file(name):
    """Return the path of a specimen, to be read. Raises ValueError for an unknown name."""
    path = SPECIMENS / f"{name}.py"
    if not path.is_file():
        known = ", ".join(sorted(path.stem for path in SPECIMENS.glob("*.py")))
        raise ValueError(f"expected a specimen, one of {known}; not {name!r}")
    return path


def in_ms(seconds):
    """A duration in the course's way: ms below a second, s above, two significant digits."""
    if seconds < 1:
        return f"{seconds * 1000:.2g} ms" if seconds < 0.1 else f"{seconds * 1000:.0f} ms"
    return f"{seconds:.1f} s"


def _local(address):
    """An Address from a server, a socket, a port or a text; 127.x only."""
    if hasattr(address, "address"):
        address = address.address
    elif hasattr(address, "getsockname"):
        address = Address(*address.getsockname())
    elif isinstance(address, tuple):
        address = Address(*address)
    address = Address.parse(str(address))
    if not address.host.startswith("127.") and address.host != "localhost":
        raise ValueError(f"expected an address of this machine such as 127.0.0.1, not {address.host}")
    return address
