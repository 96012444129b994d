"""Three clients and a clock: one silent, one that talks all the time, one that speaks once. Who is closed, and when?"""

import select
import signal
import time
from contextlib import suppress

from evolution.course.verdict import TooSlow, Unrecognised, Wrong
from evolution.exercises.ch3_select.quiet import call, rest, sockets, story, tasks

IDLE = 1.0
EARLY = 0.75
"""Seconds since its last word, as seen from here: closed before that is too early, on any machine."""

LATE = 2.5
"""Seconds after which an idle client must be gone, if the server is not kept from running."""

PAUSE = 0.15
"""Seconds between two words of the talker."""

COMES = 0.7
"""Seconds after the first one's word at which a second client comes."""

SLACK = 0.4
"""Seconds past the first one's moment: a server that sleeps on until then has not set its clock by it."""


def check(bench):
    """Return the lines that convinced us. Raises a Finding."""
    scene, lonely, first = bench.together(lambda: crowd(bench), lambda: alone(bench), lambda: newcomer(bench))
    return (
        f"a silent client with nobody beside it was closed after {lonely:.1f} s",
        f"one beside whom another came after {COMES} s was closed after {first:.1f} s",
        f"beside others a silent client was closed after {scene.silent:.1f} s",
        f"one that spoke once was closed {scene.once:.1f} s after its word",
        f"one that spoke every {PAUSE} s was not closed in {scene.length:.1f} s",
        "the time of day was put forward by an hour: nobody was closed for that",
        "while nothing was due, it slept",
    )


def crowd(bench):
    with bench.serve() as server:
        nobody(server)
        scene = Scene(bench, server)
        scene.play()
        clock_is_set(bench, server)
    return scene


def alone(bench):
    """A silent client, and nobody else who could wake the server. Return after how many seconds it was closed."""
    with bench.serve() as server:
        begin = time.monotonic()
        client = call(server)
        if not select.select([client.sock], [], [], LATE)[0]:
            fact = f"a silent client, and nobody else: after {LATE} s it is still connected; the server is {server.where()}"
            if rest(server).asleep and not select.select([client.sock], [], [], 0)[0]:
                raise Wrong("never_closes", fact)
            raise TooSlow(fact)
        if server.sandbox.wait(0.1):
            raise server.crashed("a silent client, and nobody else")
        return time.monotonic() - begin


def newcomer(bench, tries=3):
    """A second client comes shortly before the first one's moment. Return after how many seconds the first was closed.

    Whoever sleeps on from the second one's coming until past that moment has not set its clock by the first.
    """
    with bench.serve() as server:
        for _ in range(tries):
            first = Person(server, bench)
            begin = time.monotonic()  # it hears the word after this,
            if not first.speak():
                raise Unrecognised(*story(first=first.client), "expected the same words back")
            with suppress(TooSlow):
                first.client.settle()
            latest = time.monotonic()  # and before this
            time.sleep(max(0, begin + COMES - time.monotonic()))
            came, before = time.monotonic(), sockets(server)
            second = Person(server, bench)
            second.client.note(f"connects {COMES} s after the first one's word")
            people = {"first": first, "second": second}
            sleep = asleep_again(server, before + 1, begin, people)
            closed = sleep and is_closed(server, people, sleep, latest + IDLE + SLACK)
            if closed and closed < came + IDLE - 0.05:  # a whole second has not gone by since the second one came
                return closed - begin
            for person in people.values():
                person.client.close()
        raise TooSlow(f"{tries} times one could not tell when the first of two clients was closed on this machine")


def asleep_again(server, count, begin, people):
    """Wait until it has so many sockets, and sleeps. Return which sleep that is, None when the first one's time is up before."""
    while (now := time.monotonic()) < begin + IDLE:
        if select.select([people["first"].client.sock], [], [], 0.005)[0] and now < begin + EARLY:
            fact = f"the first one is closed {now - begin:.2f} s after its word, it had {IDLE:g} s"
            raise Unrecognised(*said(people), fact)
        found = server.process()
        if found is None or found.state in "ZX":
            raise server.crashed(*said(people))
        if found.state == "S" and sockets(server) == count and server.process().voluntary == found.voluntary:
            return found.voluntary if time.monotonic() < begin + IDLE else None
    return None


def is_closed(server, people, sleep, late):
    """Return when the first one was closed. Raises Wrong when it is there at `late`, and the server in the same sleep."""
    sock = people["first"].client.sock
    if select.select([sock], [], [], max(0, late - time.monotonic()))[0]:
        return time.monotonic()
    for _ in range(2):
        found = server.process()
        if found is None or (found.state, found.voluntary) != ("S", sleep):
            return None
        time.sleep(0.03)
    if select.select([sock], [], [], 0)[0] or tasks(server) > 1:
        return None
    waited = time.monotonic() - people["first"].spoke
    fact = f"{waited:.1f} s after the first one's word it is still connected; the server has slept on since the second one came"
    raise Wrong("sleeps_past_a_deadline", *said(people), fact, server.where())


def said(people):
    return story(**{name: person.client for name, person in people.items()})


def nobody(server, what="nobody is connected"):
    found = rest(server)
    if found.kind in ("spinning", "waking"):
        raise Wrong("busy_poll", what, found.fact)
    if found.kind == "ended":
        raise alone_in_the_house(server.crashed(what))


def alone_in_the_house(found):
    """Return the finding with a question for a program that ends before anybody has come."""
    found.question = "Who is connected at this moment, and how long may the server sleep when nobody is?"
    return found


class Person:
    """A client, when it spoke last, and when it was closed, by the clock on this side."""

    def __init__(self, server, bench):
        self.bench, self.client = bench, call(server)
        self.spoke, self.closed, self.pause = time.monotonic(), None, 0.0

    def speak(self):
        """Say a word and hear it, or nothing, or the end. Return whether the echo came."""
        word = self.bench.word()
        self.pause = max(self.pause, time.monotonic() - self.spoke)
        self.client.send(word + b"\n")
        reply = self.client.hear()
        if reply.text == word:
            self.spoke = time.monotonic()
            return True
        if reply.silent in ("closes", "resets"):
            self.closed = time.monotonic()
        return False


class Scene:
    def __init__(self, bench, server):
        self.bench, self.server = bench, server
        self.silent = self.once = self.length = 0.0
        self.sleeps = 0

    def play(self):
        begin = time.monotonic()
        quiet, talker, shy = (Person(self.server, self.bench) for _ in range(3))
        people = {"silent": quiet, "talker": talker, "once": shy}
        spoken = False
        while time.monotonic() < begin + 2 * LATE and not (quiet.closed and shy.closed):
            self._speak(talker, people)
            if not spoken and time.monotonic() > begin + 0.6:
                spoken = True
                self._speak(shy, people)
            self._wait(people)
            if not quiet.closed and time.monotonic() > begin + LATE:
                raise self.too_long(quiet, talker, people)
        self.silent, self.once = quiet.closed - quiet.spoke, (shy.closed or 0) - shy.spoke
        self.length = time.monotonic() - begin
        self.judge(quiet, talker, shy, people)

    def _speak(self, person, people):
        if not person.speak():
            if self.server.sandbox.wait(0.5):
                raise self.server.crashed(*self.story(people))
            if person.closed and person.pause < EARLY and person is not people["once"]:
                fact = f"the talker was closed; its longest pause was {person.pause:.2f} s"
                raise self._early(person, people, fact)
            if person.closed and person is people["once"]:
                return
            if person.closed:
                raise TooSlow(f"a word every {PAUSE} s was the plan; once it took {person.pause:.1f} s on this machine")
            raise Unrecognised(*self.story(people), "expected the same words back")

    def _early(self, person, people, fact):
        lived = person.client.transcript
        if sum(line.startswith("client sends") for line in lived) > 1:
            return Wrong("counts_from_accept", *self.story(people), fact)
        return Unrecognised(*self.story(people), fact)

    def _wait(self, people):
        """Until the talker's next word: look who is closed, and what the server does meanwhile."""
        end = time.monotonic() + PAUSE
        watched = {each.client.sock: each for each in (people["silent"], people["once"]) if not each.closed}
        while (left := end - time.monotonic()) > 0:
            if self._sleeps():
                self.sleeps += 1
                if self.sleeps > 4:
                    fact = f"seen {self.sleeps} times: {self.server.where()}"
                    raise Wrong("sleep_in_loop", "three clients are connected", fact)
            for sock in select.select(list(watched), [], [], min(left, 0.02))[0]:
                watched.pop(sock).closed = time.monotonic()

    def _sleeps(self):
        found = self.server.process()
        if found is None or found.state in "ZX":
            raise self.server.crashed("three clients are connected")
        call = found.threads[0].call if found.threads else None
        return bool(call and call.text == "sleep" and len(found.threads) == 1)

    def too_long(self, quiet, talker, people):
        """The silent one is still there: is the server late, does it wait for silence, or does it never close?"""
        waited = time.monotonic() - quiet.spoke
        fact = f"after {waited:.1f} s the silent client is still connected; the server is {self.server.where()}"
        end = time.monotonic() + LATE
        while time.monotonic() < end and not quiet.closed:  # the talker is silent now
            if select.select([quiet.client.sock], [], [], 0.05)[0]:
                quiet.closed = time.monotonic()
        if self.server.sandbox.wait(0):
            return self.server.crashed(*self.story(people))
        found = rest(self.server)
        if found.kind in ("spinning", "waking"):
            return Wrong("busy_poll", *self.story(people), found.fact)
        if quiet.closed and talker.pause < EARLY:
            words = f"when the talker was silent too, it was closed {quiet.closed - talker.spoke:.1f} s after the talker's last word"
            return Wrong("any_activity_resets_all", *self.story(people), fact, words)
        if not quiet.closed and found.asleep:
            return Wrong("never_closes", *self.story(people), fact)
        return TooSlow(*self.story(people), fact)

    def judge(self, quiet, talker, shy, people):
        if self.server.sandbox.wait(0.1):
            raise self.server.crashed(*self.story(people))
        if self.silent < EARLY:
            raise Unrecognised(*self.story(people), f"the silent client was closed after {self.silent:.2f} s, it had {IDLE:g} s")
        if shy.closed and self.once < EARLY:
            fact = f"the second client was closed {self.once:.2f} s after its last word, it had {IDLE:g} s"
            raise Wrong("counts_from_accept", *self.story(people), fact)
        if not shy.closed:
            raise Unrecognised(*self.story(people), "expected that the client that spoke once is closed as well")
        if tasks(self.server) > 1:
            raise Unrecognised(f"it has {tasks(self.server)} processes and threads; one is asked for")
        idle = rest(self.server)
        if idle.kind in ("spinning", "waking"):
            raise Wrong("busy_poll", "one client is connected and idle", idle.fact)

    def story(self, people):
        lines = said(people)
        return lines if len(lines) <= 12 else (*lines[:5], "…", *lines[-5:])


def clock_is_set(bench, server, tries=3):
    """Two clients speak; the time of day makes a leap; the second speaks again. The first has most of its second left."""
    for number in range(1, tries + 1):
        first, second = Person(server, bench), Person(server, bench)
        if not (first.speak() and second.speak()):
            raise Unrecognised(*first.client.transcript, *second.client.transcript, "expected the same words back")
        server.sandbox.signal(signal.SIGUSR2)
        if server.sandbox.line(f"clock +{3600 * number}:", 2.0) is None:
            raise TooSlow("expected that a signal sets the clock in host.py; it has not come within 2 s")
        first.client.note("the time of day is put forward by an hour")
        echo = second.speak()
        with suppress(OSError):
            closed = bool(select.select([first.client.sock], [], [], 0.1)[0])
        took = time.monotonic() - first.spoke
        if (closed or not echo) and took < EARLY:
            raise Wrong("wall_clock", *first.client.transcript, f"{took:.2f} s after its last word it is closed")
        if not closed and echo:
            return
    raise TooSlow(f"between two words {took:.1f} s went by on this machine")
