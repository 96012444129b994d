"""A Reactor under a small server: what is watched, who is called back, when, and what a callback may do."""

import signal
import time

from evolution.course.verdict import TooSlow, Unrecognised, Wrong
from evolution.exercises.ch4_epoll import seen

BIG = 8_000_000
"""Bytes of the big answer: more than the kernel takes at once."""

PERIOD = 400
"""Milliseconds of the timer that is disturbed by traffic."""


def check(bench):
    """Return the lines that convinced us. Raises a Finding."""
    with bench.serve() as server:
        witness = greet(bench, server)
        row = watched(server, witness)
        pending(bench, server)
        raising(bench, server)
        big(bench, server)
        removed(bench, server, witness)
        late = disturbed(bench, server)
    return (
        f"a client that may speak: {row}",
        "a callback that raised, and a timer that raised: the others were served all the same",
        f"{BIG:,} bytes went out as there was room, and EPOLLOUT was watched only meanwhile",
        "a socket that was removed in the middle of a batch was not called back any more",
        f"a timer of {PERIOD} ms fired once, after {late:.0f} ms, while another client spoke all the time",
    )


def greet(bench, server):
    client = seen.connect(server)
    echo(bench, client)
    return client


def echo(bench, client):
    word = bench.word()
    client.send(word + b"\n")
    expect(client, word)


def expect(client, wanted):
    """Hear a line that begins with `wanted`; return it."""
    reply = seen.hear(client)
    if reply.text is not None and reply.text.startswith(wanted):
        return reply.text
    if seen.ended(client.server, reply):
        raise client.server.crashed(*client.transcript)
    errors = client.server.traceback() if "Traceback" in client.server.sandbox.errors else ()
    raise Unrecognised(*client.transcript, f"expected {wanted.decode()}", *errors)


def row_of(server, client):
    return seen.interests(server.pid).get(seen.descriptor_of(server.pid, client.port))


def watched(server, client):
    """The host asked for EPOLLIN, and for nothing else."""
    row = row_of(server, client)
    if row is None:
        raise Unrecognised(*client.transcript, "this client is in no interest list of epoll")
    if "OUT" in row.events:
        raise Wrong("epollout_always_on", "add(conn, EPOLLIN, …) was called", seen.row_text(row))
    used = seen.spins(server.pid)
    if used:
        raise Wrong("never_sleeps", "nobody says anything", f"it used {used:.1f} s of processor time, never asleep")
    return seen.row_text(row)


def raising(bench, server):
    """Two callbacks raise; whoever else is there must not notice, and whoever looks after the server must."""
    other, printed = greet(bench, server), len(server.output)
    for order, what in ((b"boom\n", "its callback raises ValueError"), (b"late boom\n", "a timer of 10 ms raises")):
        client = greet(bench, server)
        client.send(order)
        client.note(what)
        client.hear(0.15, hold=True)
        if not server.sandbox.wait(0.05):
            word = bench.word()
            other.send(word + b"\n")
            reply = seen.hear(other)
            if reply.text == word:
                client.close()
                continue
            if not seen.ended(server, reply):
                raise Unrecognised(*client.transcript, *other.transcript, f"expected {word.decode()}")
        if "ValueError: boom" in server.sandbox.errors:
            story = (*client.transcript, server.how_it_ended(), *server.traceback()[:1])
            raise Wrong("callback_exception_kills_loop", *story, "all other clients have lost their server with it")
        raise server.crashed(*client.transcript)
    if not seen.until(lambda: len(server.output) > printed, 2.0):
        raise Wrong("exception_swallowed", *client.transcript, "two callbacks have raised, and nothing was printed")
    other.close()


def big(bench, server):
    """More than the kernel takes at once: room is asked for, and only until it is no longer needed."""
    client = greet(bench, server)
    client.send(b"big %d\n" % BIG)
    seen.at_rest(server.pid, patience=1.0)
    row = row_of(server, client)
    client.note("the host calls modify(conn, EPOLLOUT) until all is sent, then modify(conn, EPOLLIN)")
    left = BIG + 1
    client.sock.settimeout(4)
    try:
        while left and (data := client.sock.recv(1 << 20)):
            left -= len(data)
    except TimeoutError:
        if server.sandbox.wait(0.2):
            raise server.crashed(*client.transcript) from None
        if row is None or "OUT" not in row.events:
            flags = seen.row_text(row) if row else "this client is in no interest list"
            raise Unrecognised(*client.transcript, f"{left:,} bytes never came", flags) from None
        raise TooSlow(*client.transcript, f"{left:,} of {BIG:,} bytes had not come after 4 s") from None
    if left:
        server.sandbox.wait(1.0)
        raise server.crashed(*client.transcript, f"{left:,} bytes never came")
    seen.until(lambda: (now := row_of(server, client)) and "OUT" not in now.events, 1.0)
    row = row_of(server, client)
    if row and "OUT" in row.events:
        used = seen.restless(server.pid)
        spin = (f"it used {used:.1f} s of processor time with nothing to send",) if used else ()
        raise Wrong("epollout_always_on", *client.transcript, "all is sent", seen.row_text(row), *spin)
    echo(bench, client)
    client.close()


def removed(bench, server, witness):
    """A removes B while B's event is in the same batch."""
    a, b = greet(bench, server), greet(bench, server)
    seen.stop(server)
    for client, line in ((a, b"remove %d\n" % b.port), (b, b"hello\n")):
        client.send(line)
        if not seen.until(lambda client=client: server.unread(client.port)):
            raise TooSlow(*client.transcript, "this has not arrived within 4 s")
    a.note(f"while the server is stopped B (port {b.port}) sends too; it goes on, and both are in one batch")
    server.sandbox.signal(signal.SIGCONT)
    reply = seen.hear(a)
    told = witness.hear(0.25, hold=True)
    if told.text == b"called after remove":
        raise Wrong("callback_after_remove", *a.transcript, "B's callback was called after remove(B) had returned")
    if seen.ended(server, reply) or seen.ended(server, told):
        if "KeyError" in server.sandbox.errors:
            raise Wrong("removed_is_looked_up", *a.transcript, server.how_it_ended(), *server.traceback())
        raise server.crashed(*a.transcript)
    if reply.text != b"removed":
        raise Unrecognised(*a.transcript, "expected removed")
    for client in (a, b):
        client.close()


def pending(bench, server):
    """Two timers, the long one first: where does the loop sleep, and which is first?"""
    client = greet(bench, server)
    client.send(b"timers 2500 250\n")
    client.note("call_later(2.5, …), then call_later(0.25, …)")
    seen.until(lambda: not server.unread(client.port), 1.0)
    if used := seen.spins(server.pid):
        fact = f"meanwhile it used {used:.1f} s of processor time, never asleep"
        raise Wrong("never_sleeps", *client.transcript, "nobody speaks, and a timer is still to come", fact)
    found = seen.until(lambda: (now := server.process()) and now.state == "S" and not server.unread(client.port) and now)
    if found and len(found.threads) > 1:
        raise Wrong("timers_in_threads", *client.transcript, f"/proc/PID/task: {len(found.threads)} threads")
    time.sleep(0.02)
    found = server.process()
    call = found.threads[0].call if found and found.threads else None
    if call and call.name in ("nanosleep", "clock_nanosleep"):
        raise Wrong("handler_blocks_loop", *client.transcript, f"the server is {server.where()}")
    reply = client.hear(0.8, hold=True)
    if reply.silent == "held":
        forgotten(client)
        reply = client.hear()
    if reply.text and reply.text.startswith(b"fired 250 after"):
        early(client, reply, 250)
        again = client.hear(0.1, hold=True)
        if again.text and again.text.startswith(b"fired 250 "):
            raise Wrong("timer_repeats", *client.transcript, "call_later was called once for each")
        client.close()
        return
    if seen.ended(server, reply):
        raise server.crashed(*client.transcript)
    if reply.text and reply.text.startswith(b"fired 2500 after"):
        early(client, reply, 2500)
        raise Wrong("timers_in_a_row", *client.transcript)
    if reply.silent == "asleep" and seen.time_out(server.pid) > 60_000:
        fact = f"/proc/PID/syscall: the time-out of its epoll_wait is {seen.time_out(server.pid) / 1000:,.0f} s"
        raise Wrong("timeout_in_ms", *client.transcript, fact)
    raise Unrecognised(*client.transcript, "expected the timer of 250 ms to fire, and first")


def forgotten(client):
    """Raise when a timer is overdue and the loop sleeps in epoll for ever."""
    server = client.server
    if seen.at_rest(server.pid, patience=1.0) and seen.for_ever(server.pid) and not client._has_something():
        fact = f"the timer of 250 ms is overdue; the server is {server.where()}, without a time-out"
        raise Wrong("sleeps_past_its_timer", *client.transcript, fact)


def early(client, reply, period):
    """Raise when a timer fired before its time; return how many ms it took."""
    try:
        took = float(reply.text.split()[3])
    except (IndexError, ValueError):
        raise Unrecognised(*client.transcript, "expected the words of host.py") from None
    if took < period - 1:
        raise Wrong("timer_too_early", *client.transcript, f"it was to wait {period} ms")
    return took


def disturbed(bench, server):
    """A timer while another client speaks all the time; then once more silence."""
    client, chatter = greet(bench, server), greet(bench, server)
    for _ in range(4):
        client.send(b"timers %d\n" % PERIOD)
        begin = last = time.monotonic()
        longest, after = 0.0, 0
        while not client._has_something() and after < 40:
            echo(bench, chatter)
            now = time.monotonic()
            longest, last = max(longest, now - last), now
            after += now - begin > 1.2 * PERIOD / 1000
            time.sleep(0.02)
        if not client._has_something():
            client.note(f"another client speaks every {longest * 1000:.0f} ms at the latest, and is answered")
            took = (time.monotonic() - begin) * 1000
            raise Wrong("timer_drift", *client.transcript, f"after {took:.0f} ms the timer of {PERIOD} ms has not fired")
        reply = client.hear()
        took = early(client, reply, PERIOD)
        again = client.hear(0.25, hold=True)
        if again.text:
            raise Wrong("timer_repeats", *client.transcript, "call_later was called once")
        if longest * 1000 < PERIOD * 0.8:
            return took
    raise TooSlow(f"one pause after another on this machine: the client was heard only every {longest * 1000:.0f} ms")
