"""The stages HTTP and timers: what is done stands in web.py; here is what it means."""

from contextlib import suppress

from evolution.course.verdict import TooSlow, Unrecognised, Wrong
from evolution.exercises.ch5_race import crew, web
from evolution.exercises.ch5_race.workerman.stages import expect_alive, passed

IDLE = 0.6
"""The idle time-out of the server that speaks HTTP, in seconds."""


def in_http(bench):
    with crew.serving(bench, "http", 1, IDLE, "plain") as server:
        client = server.connect()
        keeps_alive(bench, server, client)
        pipelined(bench, client)
        closes(bench, server)
        timers(bench, server)


def keeps_alive(bench, server, client):
    word = bench.word()
    whole = web.request(word)
    client.send(whole[:9])
    with suppress(TooSlow):
        client.settle(1.0)
    client.send(whole[9:])
    heard = web.receive(client, 1)
    if heard.bodies != [b"echo " + word]:
        expect_alive(server, "HTTP", *client.transcript)
        expected = f"expected an answer with Content-Length and the body echo {word.decode()}"
        if heard.endless:
            raise Wrong("http_not_spoken", passed("HTTP"), *client.transcript, expected)
        raise Unrecognised(passed("HTTP"), *client.transcript, expected)


def pipelined(bench, client):
    words = [bench.word() for _ in range(4)]
    client.send(b"".join(map(web.request, words[:3])))
    heard = web.receive(client, 3, IDLE * 0.7)
    at_once = heard.closed and not heard.bodies
    if not heard.closed and not heard.bodies:
        heard = web.receive(client, 3)  # a busy machine
    story = (passed("HTTP"), *client.transcript, f"{len(heard.bodies)} of 3 answers came")
    if at_once:
        raise Wrong("closes_after_each", *story, "and the server has closed the connection")
    expected = [b"echo " + word for word in words]
    if heard.bodies == expected[:1] and not heard.closed:
        client.send(web.request(words[3]))
        heard = web.receive(client, 3, IDLE * 0.7)
        if heard.bodies[:1] == expected[3:]:
            raise Wrong("pipelined_lost", *story, "one more request is sent, and answered: two are lost")
        if heard.bodies != expected[1:]:  # else it was slow
            raise Unrecognised(*story, *client.transcript[-2:])
    elif heard.bodies != expected[:3]:
        raise Unrecognised(*story)


def closes(bench, server):
    """Raises a Finding unless `Connection: close` is followed by a close, long before the idle time-out."""
    for _ in range(3):
        client, words = server.connect(), [bench.word(), bench.word()]
        client.send(web.request(words[0], b"Connection: close"))
        heard = web.receive(client, 1)
        story = (passed("HTTP"), *client.transcript)
        if heard.bodies != [b"echo " + words[0]]:
            raise Unrecognised(*story)
        heard = heard if heard.closed else web.receive(client, 1, IDLE * 0.8)
        if heard.closed and heard.seconds < IDLE * 0.8:
            return
        client.send(web.request(words[1]))
        if web.receive(client, 1).bodies:
            raise Wrong("close_ignored", *story, "another request on this connection is answered as well")
    raise Unrecognised(*story, "the connection is not closed after this answer")


def timers(bench, server):
    most = IDLE + 2.0
    seen = web.keep_silent(bench, server, IDLE, most)
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
