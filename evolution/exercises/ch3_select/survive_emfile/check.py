"""More clients come than the server has descriptors for. Who is served, what does it cost, and what comes later?"""

import select
import time

from evolution.course.verdict import TooSlow, Unrecognised, Wrong
from evolution.exercises.ch3_select.quiet import rest, seen
from evolution.lab import procfs

FILES = 24
"""Descriptors that the process may have: host.py sets the limit."""

SURE = 12
"""Clients that must get in, whatever the answer needs for itself."""

CLIENTS = 30
PATIENCE = 6.0

NAP = 0.03
"""Seconds that it may sleep on while a word lies unread: more cannot come from a busy machine, which wakes it at once."""

QUICK = 0.05
"""Seconds for three echoes in a row: a server that sleeps at each try takes longer."""


def check(bench):
    """Return the lines that convinced us. Raises a Finding."""
    with bench.serve() as server:
        crowd = Crowd(bench, server)
        crowd.come()
        crowd.serve_on()
        crowd.make_room()
        crowd.later()
    return (
        f"{CLIENTS} clients came to a process that may have {FILES} descriptors: {len(crowd.inside)} got in",
        f"the others {'were turned away' if crowd.away else 'waited'}, and meanwhile the server slept",
        "those inside had their echo all the time",
        "when some had left, others were served",
    )


class Crowd:
    """The clients, and who of them has had an echo."""

    def __init__(self, bench, server):
        self.bench, self.server = bench, server
        self.inside, self.waiting, self.away = [], [], []
        self.lines = (f"{CLIENTS} clients connect; the process may have {FILES} descriptors",)

    def come(self):
        """Some come in order; then all others at once. Rest, or processor time, says that it is over."""
        for _ in range(SURE):
            client, word = self.connect(), self.bench.word()
            client.send(word + b"\n")
            if client.hear().text != word:
                if self.server.sandbox.wait(0.5):
                    raise self.ended()
                lines = (f"{len(self.inside)} clients have their echo", *client.transcript)
                raise Unrecognised(*lines, f"expected that at least {SURE} get in, with {FILES} descriptors")
            self.inside.append((client, word))
        self.waiting = [(self.connect(), self.bench.word()) for _ in range(CLIENTS - SURE)]
        for client, word in self.waiting:
            client.send(word + b"\n")
        kind = self.hear()
        self.lines += (f"{len(self.inside)} have their echo, {len(self.waiting)} have nothing yet, {len(self.away)} were closed",)
        if kind == "ended" or (self.away and self.server.sandbox.wait(0.3)):
            raise self.ended()
        if kind == "spinning":
            raise Wrong("accept_spin", *self.lines, "it uses a processor all the time", seen(self.server))
        if not self.waiting and not self.away:
            raise Unrecognised(*self.lines, f"expected that {FILES} descriptors are not enough for all")

    def connect(self):
        try:
            return self.server.connect()
        except ConnectionError:
            self.lines += ("a client is refused",)
            raise (self.ended() if self.server.sandbox.wait(1.0) else self.closed()) from None

    def listens(self):
        return any(row.state == "LISTEN" for row in procfs.tcp(port=self.server.port))

    def closed(self):
        if self.listens():
            return TooSlow(*self.lines, "but the server listens")
        return Wrong("closes_listener", *self.lines, f"nobody listens on port {self.server.port} any more")

    def hear(self):
        """Take echoes until nothing more comes; return how the server spends its time then."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if self._take(0.05):
                continue
            found = rest(self.server, most=100)
            if not self._take(0):
                return found.kind
        raise TooSlow(*self.lines, f"in {PATIENCE:g} s it did not come to rest")

    def _take(self, seconds):
        """Sort those who have something; return whether there was one."""
        socks = {client.sock: (client, word) for client, word in self.waiting}
        for client, _ in self.inside:
            socks[client.sock] = (client, None)
        ready = select.select(list(socks), [], [], seconds)[0]
        for sock in ready:
            client, word = socks[sock]
            reply = client.hear()
            if word is None:
                raise self.thrown_out(client, reply)
            self.waiting.remove((client, word))
            if reply.text == word:
                self.inside.append((client, word))
            elif reply.silent in ("closes", "resets"):
                self.away.append(client)
            else:
                raise Unrecognised(*self.lines, *client.transcript, "expected the same words back")
        return bool(ready)

    def thrown_out(self, client, reply):
        if self.server.sandbox.wait(0.5):
            return self.ended()
        if reply.silent in ("closes", "resets"):
            return Wrong("throws_out_a_client", *self.lines, *client.transcript)
        return Unrecognised(*self.lines, *client.transcript)

    def ended(self):
        found = self.server.crashed(*self.lines)
        raised = " ".join(self.server.traceback()[:1])
        if found.outcome == "crashed" and ("Errno 24" in raised or "Too many open files" in raised):
            return Wrong("dies", *found.evidence)
        return found

    def serve_on(self):
        """Those inside are served at once while nobody else can get in."""
        for client, _ in (self.inside[0], self.inside[-1]):
            took, end = [], time.monotonic() + PATIENCE / 2
            while len(took) < 3 or sum(took[-3:]) > QUICK:
                if time.monotonic() > end:
                    slow = f"its echoes take {min(took):.2f} s and more, and one cannot see why"
                    raise TooSlow(*self.lines, *client.transcript[-2:], slow)
                begin, word = time.monotonic(), self.bench.word()
                client.send(word + b"\n")
                nap = self.nap(client)
                if nap[:1] != ("sleep",):  # out of any other call it may not come back
                    self.echo(client, word)
                if nap:
                    raise Wrong("sleeps_for_everybody", *self.lines, *client.transcript[-2:], *nap[1:])
                took.append(time.monotonic() - begin)

    def echo(self, client, word):
        reply = client.hear()
        if reply.text == word:
            return
        if reply.silent == "ended" or (reply.silent in ("closes", "resets") and self.server.sandbox.wait(1.0)):
            raise self.ended()
        if reply.silent in ("closes", "resets"):
            raise self.thrown_out(client, reply)
        raise Unrecognised(*self.lines, *client.transcript[-3:], "expected the same words back")

    def nap(self, client):
        """Wait for the echo. Return the call, and evidence, when it sleeps on in there for NAP, with the word unread."""
        end, since, last = time.monotonic() + 2 * QUICK, 0.0, None
        while not select.select([client.sock], [], [], 0.004)[0] and (last or time.monotonic() < end):
            found = self.server.process()
            call = found.threads[0].call if found and found.threads else None
            if call is None or found.state != "S" or not self.server.unread(client.port):
                last = None
            elif found.voluntary != last:
                since, last = time.monotonic(), found.voluntary
            elif time.monotonic() - since > NAP:
                where = self.server.where()
                seen = (where,) if where.startswith(f"asleep in {call.text}") else ()
                return call.text, f"the word lay there unread while it slept on in {call.text}", *seen
        return ()

    def make_room(self):
        """Five leave: their descriptors are free again."""
        for _ in range(5):
            client, _ = self.inside.pop(1)
            client.half_close()
            reply = client.hear()
            if reply.silent not in ("closes", "resets"):
                raise Unrecognised(*self.lines, *client.transcript[-3:], "expected that it closes this connection")
            client.close()
        self.lines += ("five of those inside leave",)

    def later(self):
        """Somebody who waits is served now, and a new one as well, if nobody waits."""
        if not self.waiting:
            self.waiting = [(self.connect(), self.bench.word())]
            self.waiting[0][0].send(self.waiting[0][1] + b"\n")
        before = len(self.inside)
        kind = self.hear()
        if len(self.inside) > before:
            return
        self.lines += ("nobody else is served",)
        if kind == "ended":
            raise self.ended()
        if not self.listens():
            raise self.closed()
        if self.patient() == before and kind == "asleep":
            raise Wrong("never_listens_again", *self.lines, f"it is {self.server.where()}")
        if len(self.inside) == before:
            raise Unrecognised(*self.lines, f"it is {self.server.where()}")

    def patient(self):
        """It may have a pause of its own: grant it a moment. Return how many are inside then."""
        end = time.monotonic() + 2.5
        while time.monotonic() < end and self.waiting and not self._take(0.1):
            pass
        return len(self.inside)
