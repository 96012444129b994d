"""The stages HTTP and timers: what is done stands in web.py; here is what it means."""

import time
from contextlib import suppress

from evolution.course.verdict import TooSlow, Unrecognised, Wrong
from evolution.exercises.ch5_race import crew, web
from evolution.exercises.ch5_race.workerman.stages import expect_alive, passed

IDLE = 0.6
"""The idle time-out of the server that speaks HTTP, in seconds."""


ATTEMPTS = 3
"""Conversations, when one ends in the middle: a server that got no processor meanwhile takes it for idle."""


class CutOff(Exception):
    """The connection ended, and its idle time-out may have been the reason."""


def in_http(bench):
    with crew.serving(bench, "http", 1, IDLE, "plain") as server:
        for left in reversed(range(ATTEMPTS)):
            client = Patient(server.connect())
            try:
                keeps_alive(bench, server, client, left)
                pipelined(bench, client)
                break
            except CutOff:
                continue
        else:
            raise TooSlow(*client.story, f"it is closed after {IDLE} s without a message, {ATTEMPTS} times")
        closes(bench, server)
        timers(bench, server)


class Patient:
    """A client that knows for how long it has been idle."""

    def __init__(self, client):
        self.client, self.active = client, time.monotonic()

    @property
    def story(self):
        return (passed("HTTP"), *self.client.transcript)

    @property
    def idle(self):
        """Seconds since the connection began, or since the last answer."""
        return time.monotonic() - self.active

    def hear(self, count, seconds=crew.PATIENCE):
        """Return what came. Raises CutOff for an end without an answer that the time-out may have made."""
        heard = web.receive(self.client, count, seconds)
        if heard.bodies:
            self.active = heard.at
        elif heard.closed and not heard.raw and self.idle > IDLE * 0.8:
            raise CutOff
        return heard


def keeps_alive(bench, server, patient, left):
    client, word = patient.client, bench.word()
    whole = web.request(word)
    client.send(whole[:9])
    with suppress(TooSlow):
        client.settle(IDLE / 3)
    in_time = patient.idle < IDLE / 2
    client.send(whole[9:])
    try:
        heard = patient.hear(1)
    except CutOff:
        if left or not in_time:
            raise
        heard = web.Heard([], True, b"", patient.idle)  # each time asked in time, and never answered
    if heard.bodies != [b"echo " + word]:
        expect_alive(server, "HTTP", *client.transcript)
        expected = f"expected an answer with Content-Length and the body echo {word.decode()}"
        if heard.endless:
            raise Wrong("http_not_spoken", *patient.story, expected)
        if heard.bare:
            raise Wrong("bare_newlines", *patient.story, "expected lines that end with \\r\\n (RFC 9112)")
        raise Unrecognised(*patient.story, expected)


def pipelined(bench, patient):
    words = [bench.word() for _ in range(4)]
    patient.client.send(b"".join(map(web.request, words[:3])))
    heard = patient.hear(3, IDLE * 0.4)
    at_once = heard.closed and not heard.raw
    if not heard.closed and not heard.bodies:
        heard = patient.hear(3)  # a busy machine
    told = f"{len(heard.bodies)} of 3 answers came"
    if at_once:
        raise Wrong("closes_after_each", *patient.story, told, "and the server has closed the connection")
    expected = [b"echo " + word for word in words]
    if heard.bodies == expected[:1] and not heard.closed:
        patient.client.send(web.request(words[3]))
        heard = patient.hear(3, IDLE * 0.7)
        if heard.bodies[:1] == expected[3:]:
            lost = "one more request is sent, and answered: two are lost"
            raise Wrong("pipelined_lost", *patient.story, told, lost)
        if heard.bodies != expected[1:]:  # else it was slow
            raise Unrecognised(*patient.story, told)
    elif heard.bodies != expected[:3]:
        raise Unrecognised(*patient.story, told)


def closes(bench, server):
    """Raises a Finding unless `Connection: close` is followed by a close, long before the idle time-out."""
    for _ in range(3):
        client, words = server.connect(), [bench.word(), bench.word()]
        patient = Patient(client)
        client.send(web.request(words[0], b"Connection: close"))
        try:
            heard = patient.hear(1)
        except CutOff:
            continue
        story = patient.story
        if heard.bodies != [b"echo " + words[0]]:
            raise Unrecognised(*story)
        heard = heard if heard.closed else web.receive(client, 1, IDLE * 0.8)
        if heard.closed and heard.seconds < IDLE * 0.8:
            return
        client.send(web.request(words[1]))
        if web.receive(client, 1).bodies:
            raise Wrong("close_ignored", *story, "another request on this connection is answered as well")
    raise Unrecognised(*patient.story, "expected an answer, and after it the end of the connection")


def timers(bench, server):
    most = IDLE + 2.0
    for _ in range(ATTEMPTS):
        seen = web.keep_silent(bench, server, IDLE, most)
        if not (seen.cut and seen.gap > IDLE * 0.95):  # else the busy client itself had no time to ask
            break
    if seen.story:
        if not seen.cut or seen.cut < IDLE * 0.8:
            raise Unrecognised(passed("timers"), *seen.story)
        if seen.gap > IDLE * 0.95:
            raise TooSlow(passed("timers"), f"this client could not ask for {seen.gap:.1f} s")
        asks = f"a client that asks every {IDLE / 3:.1f} s is closed after {seen.cut:.1f} s"
        raise Wrong("cuts_the_busy", passed("timers"), f"{asks}; idle means {IDLE} s without a message")
    if seen.silent is None:
        stays = f"a silent client is still connected after {most:.1f} s, while others talk; idle is {IDLE} s"
        if seen.after_all:
            raise Wrong(
                "any_activity_resets_all", passed("timers"), stays, "once they are quiet, it is closed"
            )
        raise Wrong("idle_forever", passed("timers"), stays, "and when they are quiet, too")
    if seen.silent < IDLE * 0.5:
        early = f"a silent client was closed after {seen.silent:.2f} s; idle is {IDLE} s"
        raise Unrecognised(passed("timers"), early)
    if seen.dripping is None:
        drips = f"a client that sends one byte of a request every {IDLE / 3:.1f} s"
        closed = f"a silent one was closed after {seen.silent:.1f} s"
        stays = f"{drips} is still connected after {most:.1f} s; {closed}"
        raise Wrong("any_byte_resets", passed("timers"), stays)
