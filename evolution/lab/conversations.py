"""What the clients of each card say: one generator per card, read top to bottom.

    def silent(me):
        yield from me.connect()
        yield from me.stay(me.options["for"])
        me.end("done")

`me` is a Client (client.py). Bare yields are waits: (what to wait for, until when).
"""

import math
import socket

from evolution.lab.client import NOTHING, READ


def polite(me):
    yield from me.connect()
    yield from me.ask(me.request())
    yield from me.answer()
    me.end("done")


def keep_alive(me):
    yield from me.connect()
    requests = me.options["requests"]
    for number in range(1, requests + 1):
        yield from me.ask(me.request(last=number == requests))
        yield from me.answer()
        if number < requests:
            me.tell("idle")
            yield from me.stay(me.options["pause"])
    me.end("done")


def silent(me):
    yield from me.connect()
    yield from me.stay(me.options["for"])
    me.end("done", f"left after {me.options['for']:g} s")


def dripping(me):
    yield from me.connect()
    request = me.request()
    for index in range(len(request)):
        yield from me.send(request[index : index + 1])
        if index + 1 < len(request) and (yield READ, me.loop.now() + me.options["interval"]):
            break  # an early answer, or the end
    else:
        me.tell("asked")
    yield from me.answer()
    me.end("done")


def slow_reader(me):
    yield from me.connect()
    yield from me.ask(me.request())
    yield from me.answer(size=me.options["sip"], pause=me.options["interval"])
    me.end("done")


def half_closing(me):
    yield from me.connect()
    yield from me.ask(me.request(last=False))
    me.sock.shutdown(socket.SHUT_WR)
    yield from me.answer()
    me.end("done")


def resetting(me):
    yield from me.connect()
    request, when = me.request(), me.options["when"]
    if when == "asking":
        yield from me.send(request[: len(request) // 2])
        yield from me.stay(me.options["for"])
        return me.reset("it reset after half of its request")
    yield from me.ask(request)
    if when == "waiting":
        yield NOTHING, me.loop.now() + me.options["for"]
        return me.reset("it reset after its request")
    yield READ, math.inf
    me.answers.feed(me.receive(1) or b"")
    me.progress()
    yield NOTHING, me.loop.now() + me.options["for"]
    me.reset("it reset after the first byte of the answer")


def pipelining(me):
    yield from me.connect()
    requests = me.options["requests"]
    yield from me.ask(me.request(last=False) * (requests - 1) + me.request())
    yield from me.answer(count=requests)
    me.end("done", f"{requests} answers")


def idle(me):
    yield from me.connect()
    yield from me.stay(me.options["for"])
    me.end("done", f"left after {me.options['for']:g} s")


def vanishing(me):
    yield from me.connect(quick=True)
    me.reset("it was gone before the server could accept it")


_ALL = (polite, keep_alive, silent, dripping, slow_reader)
_ALL += (half_closing, resetting, pipelining, idle, vanishing)
SCRIPTS = {script.__name__: script for script in _ALL}
