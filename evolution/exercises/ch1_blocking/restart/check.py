"""A server, its TIME_WAIT, and the same port again."""

import socket
import time

from evolution.course.verdict import TooSlow, Unrecognised, Wrong
from evolution.lab import procfs

RESTART = 3.0
"""Seconds a restart may take; TIME_WAIT lasts 60."""


def check(bench):
    """Return the lines that convinced us. Raises a Finding."""
    port = free_port()
    with bench.serve(port) as server:
        if server.port != port:
            raise Wrong("moved_port", f"asked for port {port}, /proc shows the listener on {server.port}")
        options, waiting = first_life(server, port)
        second_life(server, port, options, waiting)
        again = server.connect()
        again.send(b"hello again\n")
        reply = again.hear()
        if reply.text is None:
            raise Unrecognised(waiting, *again.transcript, "expected the restarted server to answer")
        again.close()
        twice(server, port)
    return (
        waiting,
        f"restarted at once, and listening on port {port}",
        f"a second listener on port {port} was refused while the first was alive",
    )


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def first_life(server, port):
    """Serve one client that the server closes first; return its options and the row of TIME_WAIT."""
    client = server.connect()
    client.send(b"hello\n")
    reply = client.hear()
    if reply.text is None or not reply.text.startswith(b"SO_REUSEADDR"):
        raise Unrecognised(*client.transcript, "expected the words of host.py")
    client.hear()  # the server closes
    client.close()
    end = time.monotonic() + RESTART
    while time.monotonic() < end:
        row = procfs.connection(port, client.port, ended=True)
        if row and row.state == "TIME_WAIT":
            return reply.text.decode(), f"as ss shows it: 127.0.0.1:{port} 127.0.0.1:{client.port} TIME_WAIT"
        time.sleep(0.01)
    raise TooSlow("expected a connection in TIME_WAIT after the server had closed first; there is none")


def second_life(server, port, options, waiting):
    """Wait until it listens again. Raises what it shows when it does not."""
    end = time.monotonic() + RESTART
    while time.monotonic() < end:
        ports = server.listeners()
        if port in ports and server.sandbox.output.count("listening ") >= 2:
            return
        if ports and port not in ports and server.sandbox.output.count("listening ") >= 2:
            raise Wrong("moved_port", waiting, f"asked for port {port}, /proc shows the listener on {ports[0]}")
        if server.sandbox.wait(0.02):
            story = (waiting, f"the first time: {options}", server.how_it_ended(), *server.traceback())
            if "Address already in use" in server.sandbox.errors:
                raise Wrong("no_option" if "SO_REUSEADDR 0" in options else "option_after_bind", *story)
            raise server.crashed(waiting)
    doing = server.where()
    raise Wrong("stale_time_wait", waiting, f"{RESTART:g} s after the restart nobody listens on port {port}; the server is {doing}")


def twice(server, port):
    """The same process asks for the port again while it listens there."""
    client = server.connect()
    reply = client.hear()
    count = max(server.listeners().count(port) for _ in range(3))  # a row can be missed, not invented
    if count > 1:
        raise Wrong("reuseport_instead", *client.transcript, f"/proc shows {count} listening sockets on port {port}")
    if reply.text is None or not reply.text.startswith(b"refused"):
        raise Unrecognised(*client.transcript, "expected OSError from open_listener while another server is alive")
