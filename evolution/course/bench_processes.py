"""What a check sees of the processes that an answer makes: who is there, in which state, asleep in what.

    family = Family(server)
    family.below(pid)                  [procfs.Process], without pid itself
    family.until(lambda: …, 4.0)       the first true value, or the last false one
    family.holders(port)               who holds the connection with the client at this port
    family.connect()                   a client; when nobody listens any more, the story of the end is raised
    family.hear(client)                what it hears; silence ends once all processes sleep for good
    family.rests(pid)                  True once it has slept so long that it will sleep for ever
    family.lines(pid)                  evidence: one line for each process

Facts before time: a process that sleeps in wait, accept or recv is only woken from outside, and that is us.
"""

import time
from contextlib import suppress
from pathlib import Path

from evolution.course.talk import NAP, STILL
from evolution.lab import procfs
from evolution.lab.procfs.tree import walk

WORDS = {"R": "running", "S": "asleep", "D": "asleep", "T": "stopped", "Z": "a zombie"}
PATIENCE = 4.0
"""Seconds for what should happen at once."""

MAY_WAKE = ("poll", "select", "epoll_wait", "sleep", "futex", "sigwait", "restart_syscall")
"""Calls that may have a time-out of their own."""


class Family:
    """The processes of a running answer, seen through /proc."""

    def __init__(self, server):
        self.server = server

    def all(self):
        """Return every process of the answer: the first one, its descendants, and orphans with theirs."""
        roots = (self.server.pid, *self.server.orphans())
        return [process for root in roots for process, _ in walk(root)]

    def below(self, pid=None):
        """Return all descendants of `pid`, the answer's first process unless told otherwise."""
        return [process for process, depth in walk(pid or self.server.pid) if depth]

    def states(self, pid=None):
        """Return {pid: letter} of the children of `pid`, zombies included; cheap enough to ask often."""
        found = {}
        for child in procfs.children(pid or self.server.pid):
            with suppress(OSError, IndexError):
                text = Path(f"/proc/{child}/stat").read_text(errors="replace")
                found[child] = procfs.parse_stat(text).state
        return found

    def zombies(self, pid=None):
        return [child for child, state in self.states(pid).items() if state in "ZX"]

    def holders(self, port=None):
        """Return the pids that hold the connection with the client at `port`; without, the listener."""
        state = "LISTEN" if port is None else None
        rows = procfs.server_sockets(self.server.port)[0]
        inodes = {row.inode for row in rows if row.state == state or (port and row.remote[1] == port)} - {0}
        return [
            process.pid
            for process, _ in walk(self.server.pid)
            if any(each.inode in inodes for each in process.descriptors)
        ]

    def until(self, condition, seconds):
        """Look until `condition()` is true or `seconds` are over; return what it said last."""
        deadline = time.monotonic() + seconds
        while not (found := condition()) and time.monotonic() < deadline:
            time.sleep(0.004)
        return found

    def connect(self, *before):
        """Return a connected client. Raises Crashed, with the lines `before`, when nobody listens."""
        try:
            return self.server.connect()
        except ConnectionError:
            raise self.server.crashed(*before, "a client is refused: nobody listens any more") from None

    def hear(self, client, patience=PATIENCE):
        """Return the Reply to a client: "held" once all processes sleep for good, or after `patience`."""
        deadline, before = time.monotonic() + patience, self._asleep()
        while True:
            reply = client.hear(STILL + 0.05, hold=True)
            now = self._asleep()
            if reply.silent != "held" or (now and now == before) or time.monotonic() > deadline:
                return reply
            before = now

    def _asleep(self):
        """Return who sleeps where, None when one is awake or may wake by itself."""
        found = {}
        for process, _ in walk(self.server.pid):
            call = call_of(process)
            if process.state not in "SZ" or call.split("(")[0] in MAY_WAKE:
                return None
            found[process.pid] = (process.state, call, process.voluntary)
        return found

    def rests(self, pid, seconds=4.0):
        """Return whether `pid` falls asleep for good within `seconds`: nothing but we could wake it."""
        last, since = None, time.monotonic()
        deadline = since + seconds
        while time.monotonic() < deadline:
            found = procfs.process(pid)
            if found is None or found.state in "ZX":
                return False
            call = call_of(found)
            now = (found.state, call, found.voluntary, found.cpu_ns)
            if found.state != "S" or now != last:
                last, since = now, time.monotonic()
            elif time.monotonic() - since > (NAP if not call or call.split("(")[0] in MAY_WAKE else STILL):
                return True
            time.sleep(0.01)
        return False

    def lines(self, pid=None):
        """Return one line for `pid` and each descendant, for the evidence."""
        pid = pid or self.server.pid
        return tuple(f"process {each.pid} is {doing(each)}" for each, _ in walk(pid))


def call_of(process):
    """Return the call in which a process sleeps, such as "accept(3)"; "" when that cannot be seen."""
    thread = process.threads[0] if process.threads else None
    return thread.call.text if thread and thread.call else ""


def doing(process):
    """Return `asleep in accept(3)`, `a zombie`, and so on."""
    call = call_of(process) if process.state == "S" else ""
    return f"asleep in {call}" if call else WORDS.get(process.state, f"in state {process.state}")
