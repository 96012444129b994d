"""What the checks of this chapter read from /proc: interest lists, and whether every thread is at rest."""

import signal
import time
from contextlib import suppress

from evolution.course.talk import CHEW, Reply
from evolution.course.verdict import TooSlow
from evolution.lab import procfs

STILL = 0.25
"""Seconds in which no thread moves: then nothing is under way any more."""


def interests(pid):
    """Return {descriptor: Interest} of all epoll tables that the process holds."""
    found = procfs.process(pid)
    tables = [each.fd for each in found.descriptors if each.kind == "epoll"] if found else []
    return {row.fd: row for table in tables for row in procfs.epoll_table(pid, table)}


def descriptor_of(pid, port):
    """Return the descriptor by which the process holds the connection from `port`, None when it does not."""
    for process in procfs.tree(pid):
        if process.pid == pid:
            for each in process.descriptors:
                if each.kind == "client" and each.peer[1] == port:
                    return each.fd
    return None


def row_text(row):
    """Return a row of an interest list as the kernel writes it."""
    return f"/proc/PID/fdinfo: tfd: {row.fd} events: {row.raw} ({' '.join(row.events) or 'nothing'})"


def pose(pid):
    """Return what every thread does now, or None while one of them runs or the process is gone."""
    found = procfs.process(pid)
    if found is None or found.state in "ZX" or any(each.state != "S" for each in found.threads):
        return None
    return tuple((each.tid, each.call and each.call.text) for each in found.threads), found.voluntary


def at_rest(pid, seconds=STILL, patience=4.0):
    """Wait until no thread has moved for `seconds`; return False when that does not come about in time."""
    end = time.monotonic() + patience
    last, since = None, 0.0
    while time.monotonic() < end:
        now = pose(pid)
        if now is None or now != last:
            last, since = now, time.monotonic()
        elif time.monotonic() - since >= seconds:
            return True
        time.sleep(0.01)
    return False


def spins(pid, seconds=0.4):
    """Return the processor time in s that was used meanwhile when it was never seen asleep, else 0."""
    before, end = procfs.process(pid), time.monotonic() + 8
    while time.monotonic() < end:
        time.sleep(0.01)
        now = procfs.process(pid)
        if before is None or now is None or now.state in "SZX":
            return 0.0
        if now.cpu_ns - before.cpu_ns > seconds * 1e9:
            return (now.cpu_ns - before.cpu_ns) / 1e9
    return 0.0


def restless(pid, seconds=0.4):
    """Return the processor time in s that all threads used before they came to rest, 0 when it was little."""
    before = procfs.process(pid)
    for _ in range(10):
        if at_rest(pid, patience=STILL + 0.2):
            return 0.0
        now = procfs.process(pid)
        if before is None or now is None:
            return 0.0
        if now.cpu_ns - before.cpu_ns > seconds * 1e9:
            return (now.cpu_ns - before.cpu_ns) / 1e9
    return 0.0


def until(condition, seconds=4.0):
    """Ask again and again; return what `condition()` says at last."""
    end = time.monotonic() + seconds
    while not (found := condition()) and time.monotonic() < end:
        time.sleep(0.005)
    return found


def time_out(pid):
    """Return the time-out in ms of the epoll_wait in which the process sleeps; 0 for none, and outside of one."""
    found = procfs.process(pid)
    for thread in found.threads if found else ():
        if thread.call and thread.call.text.startswith("epoll_wait"):
            with suppress(OSError, ValueError, IndexError), open(f"/proc/{pid}/task/{thread.tid}/syscall") as file:
                given = int(file.read().split()[4], 16) & 0xFFFFFFFF
                return 0 if given == 0xFFFFFFFF else given
    return 0


def for_ever(pid):
    """True when no thread at rest waits with a time-out, as far as /proc tells."""
    found = procfs.process(pid)
    naps = ("poll", "select", "nanosleep", "clock_nanosleep", "restart_syscall")
    if found is None or any(not each.call or each.call.name in naps for each in found.threads):
        return False
    return not time_out(pid)


def stop(server):
    """Let it stand still (SIGSTOP), once it sleeps: what is reported afterwards comes in the order of arrival.

    epoll keeps a level-triggered socket on its list of the ready until the next call has looked at it.
    """
    at_rest(server.pid, 0.03, patience=1.0)
    server.sandbox.signal(signal.SIGSTOP)
    if not until(lambda: (found := server.process()) and found.state in "TZX"):
        raise TooSlow("the server was to stand still for a moment (SIGSTOP), and did not within 4 s")


def connect(server):
    """Connect a client; raises Crashed when nobody listens any more."""
    try:
        return server.connect()
    except OSError as error:
        raise server.crashed(f"a client connects: {error.strerror}") from None


def ended(server, reply):
    """True when the server has ended: its clients see a close or a reset first, the report comes after it."""
    if reply.silent in ("ended", "closes", "resets"):
        server.sandbox.wait(1.0)
    return reply.silent == "ended" or not server.sandbox.alive


def hear(client):
    """Like client.hear(), and quicker about a process that sleeps in epoll_wait for ever: it need not be waited for."""
    server = client.server
    before = procfs.process(server.pid)
    for _ in range(12):
        reply = client.hear(0.3, hold=True)
        if reply.silent != "held":
            return reply
        now = procfs.process(server.pid)
        if before and now and now.cpu_ns - before.cpu_ns > CHEW * 1e9:
            doing = server.where()
            client.note(f"nothing comes: the server is {doing}")
            return Reply(None, "spinning", doing)
        if at_rest(server.pid, patience=STILL + 0.1) and for_ever(server.pid):
            reply = client.hear(0.05, hold=True)  # it may have spoken before it fell asleep
            if reply.silent != "held":
                return reply
            doing = server.where()
            client.note(f"nothing comes: the server is {doing}")
            return Reply(None, "asleep", doing)
    return client.hear()
