"""One thread waits, four work: is a socket ever in two hands, does it speak again, do clients wait for each other?"""

import re
import socket

from evolution.course.verdict import TooSlow, Unrecognised, Wrong
from evolution.exercises.ch4_epoll import seen


def check(bench):
    """Return the lines that convinced us. Raises a Finding."""
    with bench.serve() as server:
        control = Control(server)
        try:
            again(bench, server)
            row = held(bench, server, control)
            sending(bench, server, control)
            number = reuse(bench, server, control)
            resets(bench, server)
        finally:
            control.sock.close()
    return (
        "three requests on one connection, one after the other, were answered",
        f"while a worker held a client nobody else touched it: {row}",
        "another client was answered meanwhile, and the second request of the first came second",
        "while a long answer was being sent nobody else touched its client",
        f"descriptor {number} went to a new client while the old one was being closed, and nobody mixed them up",
        "five clients reset their connections, and the next one was answered",
    )


class Control:
    """The second port: what the threads do, and leave to go on."""

    def __init__(self, server):
        host, port = server.sandbox.line("control ", 4).split(":")
        self.sock = socket.create_connection((host, int(port)), 4)
        self.sock.settimeout(0.05)
        self.said = []
        self._rest = b""
        if not seen.until(lambda: "ready" in self.look()):
            raise TooSlow("the host's second port did not answer within 4 s")

    def look(self):
        """Take in what was told since; return all of it."""
        try:
            while data := self.sock.recv(65536):
                *lines, self._rest = (self._rest + data).split(b"\n")
                self.said += [line.decode() for line in lines]
        except OSError:  # nothing more for now
            pass
        return self.said

    def about(self, word, port):
        """Return the first line `word PORT …`, None without one."""
        return next((line for line in self.look() if line.startswith(f"{word} {port}")), None)

    def order(self, words):
        """Give an order and wait until it has been taken. Raises TooSlow."""
        count = self.said.count(f"did {words}")
        self.sock.sendall(words.encode() + b"\n")
        if not seen.until(lambda: self.look().count(f"did {words}") > count):
            raise TooSlow(f"the host did not hear {words!r} within 4 s")


def row_of(server, client):
    return seen.interests(server.pid).get(seen.descriptor_of(server.pid, client.port))


def expect(client, *wanted):
    """Hear one of `wanted`; return the words. Raises what can be seen about anything else."""
    reply = seen.hear(client)
    if reply.text in wanted:
        return reply.text
    server = client.server
    if seen.ended(server, reply):
        raise server.crashed(*client.transcript)
    torn(client)
    raise Unrecognised(*client.transcript, f"expected {' or '.join(each.decode() for each in wanted)}")


def torn(client):
    """Raise two_workers_one_socket when threads sleep in, or have died of, a recv that another one had done.

    A worker is sent to a socket that has something to read: if it sleeps there, somebody was quicker.
    """
    server = client.server
    found, rows = server.process(), seen.interests(server.pid)
    for thread in found.threads[1:] if found else ():
        call = thread.call.text if thread.call else ""
        row = rows.get(thread.call.fd) if call.startswith("recv(") else None
        if row and not {"ONESHOT", "ET"} & set(row.events):
            fact = f"thread {thread.tid} sleeps in {call}: it was sent to a socket that was read already"
            raise Wrong("two_workers_one_socket", *client.transcript, fact, seen.row_text(row))
    row = row_of(server, client)
    if row and not {"ONESHOT", "ET"} & set(row.events) and "BlockingIOError" in server.sandbox.errors:
        fact = "a worker found nothing to read: another one had been there first"
        raise Wrong("two_workers_one_socket", *client.transcript, *server.traceback(), fact, seen.row_text(row))


def again(bench, server):
    """One connection, three requests. It stays: nothing is closed before `reuse`."""
    client = seen.connect(server)
    for number in range(3):
        word = bench.word()
        client.send(word + b"\n")
        reply = seen.hear(client)
        if reply.text == word.upper():
            continue
        if seen.ended(server, reply):
            raise server.crashed(*client.transcript)
        row = row_of(server, client)
        armed = row and "IN" in row.events
        if number and reply.silent == "asleep" and not armed and server.unread(client.port):
            fact = seen.row_text(row) if row else "this client is in no interest list"
            raise Wrong("no_rearm", *client.transcript, fact, f"{len(word) + 1} bytes lie there unread")
        torn(client)
        raise Unrecognised(*client.transcript, f"expected {word.upper().decode()}")


def held(bench, server, control):
    """A worker is in the middle of a request, and the same client sends another; so does a second client."""
    client, other = seen.connect(server), seen.connect(server)
    first, second, third = (bench.word() for _ in range(3))
    client.send(b"hold " + first + b"\n")
    if not seen.until(lambda: control.about("in", client.port)):
        torn(client)
        if not server.sandbox.alive:
            raise server.crashed(*client.transcript)
        raise Unrecognised(*client.transcript, f"nobody has called handle; the server is {server.where()}")
    client.note("a worker is in handle with that, and stays there")
    client.send(second + b"\n")
    seen.until(lambda: control.about("overlap", client.port) or seen.at_rest(server.pid, patience=0.3), 0.6)
    judge_hands(server, control, client)
    row = row_of(server, client)
    used = seen.restless(server.pid)
    if used:
        judge_hands(server, control, client)
        fact = f"meanwhile the process used {used:.1f} s of processor time and did not come to rest"
        raise Wrong("queue_grows", *client.transcript, fact, seen.row_text(row) if row else "")
    other.note("one worker is busy with another client")
    other.send(third + b"\n")
    reply = seen.hear(other)
    if reply.text != third.upper():
        judge_hands(server, control, client)
        if not server.sandbox.alive:
            raise server.crashed(*other.transcript)
        torn(client)
        if reply.silent == "asleep":
            raise Wrong("one_at_a_time", *other.transcript, "three workers have nothing to do")
        raise Unrecognised(*other.transcript, f"expected {third.upper().decode()}")
    judge_hands(server, control, client)
    client.note("the worker may go on")
    control.order("go")
    expect(client, b"HOLD " + first.upper())
    expect(client, second.upper())
    return seen.row_text(row) if row else "it was in no interest list"


def judge_hands(server, control, client, sent=False):
    """Raise when anybody else had the held client in hand: who, and with which flags."""
    overlap, read = control.about("overlap", client.port), control.about("read", client.port)
    row = row_of(server, client)
    flags = seen.row_text(row) if row else "this client is in no interest list"
    if overlap:
        client.note("a second thread enters handle for the same client")
    elif read and read.endswith("worker"):
        client.note("a second worker calls recv for the same client")
    else:
        return
    if overlap and overlap.endswith("main"):
        raise Wrong("order_lost", *client.transcript, "the loop has read both requests, and two workers have one each")
    if row and "ONESHOT" in row.events and sent:
        raise Wrong("rearm_before_sent", *client.transcript, flags)
    if row and "ONESHOT" in row.events:
        raise Wrong("rearm_before_done", *client.transcript, flags)
    if row and "ET" in row.events:
        raise Wrong("edge_for_oneshot", *client.transcript, flags)
    raise Wrong("two_workers_one_socket", *client.transcript, flags)


def sending(bench, server, control):
    """A worker is in the middle of a long answer, which the client does not read yet; the client sends another line."""
    client = seen.connect(server)
    client.send(b"big\n")
    if seen.until(lambda: control.about("sending", client.port), 2.0) and seen.at_rest(server.pid, patience=2.0):
        client.note("a worker is sending a long answer, and sleeps there until the client reads")
        word = bench.word()
        client.send(word + b"\n")
        seen.until(lambda: control.about("read", client.port) or seen.at_rest(server.pid, patience=0.3), 0.6)
        judge_hands(server, control, client, sent=True)
        swallow(client)
        expect(client, word.upper())
    else:
        swallow(client)


def swallow(client):
    """Read the long answer. Raises when it does not come whole."""
    server, got = client.server, 0
    client.sock.settimeout(4)
    try:
        while data := client.sock.recv(1 << 20):
            line, end, rest = data.partition(b"\n")
            got += len(line)
            if end:
                client._unread += rest  # the next answer may have come with it
                return
    except OSError:  # nothing comes any more
        pass
    if seen.ended(server, client.hear(0.05, hold=True)):
        raise server.crashed(*client.transcript)
    story = server.traceback() if "Traceback" in server.sandbox.errors else ()
    raise Unrecognised(*client.transcript, f"of a long answer {got:,} bytes came, and no end", *story)


def resets(bench, server):
    """More clients than there are workers reset; then one more comes."""
    before, story = server.process(), ()
    for _ in range(5):
        client, word = seen.connect(server), bench.word()
        client.send(word + b"\n")
        reply = seen.hear(client)
        if reply.text != word.upper():
            break
        client.reset()
        seen.at_rest(server.pid, 0.05, patience=1.0)
        if not story and "Traceback" in server.sandbox.errors:
            story = server.traceback()
    else:
        client, word = seen.connect(server), bench.word()
        client.note("five clients have reset their connections; a new one comes")
        client.send(word + b"\n")
        reply = seen.hear(client)
        if reply.text == word.upper():
            return
    if seen.ended(server, reply):
        raise server.crashed(*client.transcript)
    now = server.process()
    died = len(before.threads) - len(now.threads) if before and now else 0
    if died > 0 and story:
        fact = f"/proc/PID/task: {died} threads fewer than before"
        raise Wrong("reset_ends_worker", *client.transcript, *story, fact)
    raise Unrecognised(*client.transcript, f"expected {word.upper().decode()}")


def reuse(bench, server, control):
    """A worker is in the middle of closing when the next client gets the same number."""
    client, word = seen.connect(server), bench.word()
    client.send(word + b"\n")
    expect(client, word.upper())
    fd = seen.descriptor_of(server.pid, client.port)
    control.order("hold close")
    client.half_close()
    if not seen.until(lambda: control.about("closed", client.port)):
        control.order("let close")
        raise Unrecognised(*client.transcript, f"nobody closes descriptor {fd}; the server is {server.where()}")
    new = seen.connect(server)
    new.note(f"a worker has closed descriptor {fd}, and is on its way out of close; a new client connects")
    first, second = bench.word(), bench.word()
    new.send(first + b"\n")
    seen.until(lambda: new._has_something() or seen.at_rest(server.pid, patience=0.4), 1.5)
    number = seen.descriptor_of(server.pid, new.port)
    new.note(f"it has descriptor {number}; the worker goes on")
    control.order("let close")
    seen.at_rest(server.pid, patience=1.0)
    for word in (first, second):
        if word is second:
            new.send(second + b"\n")
        reply = seen.hear(new)
        if reply.text == word.upper():
            continue
        died = seen.ended(server, reply)
        errors = server.sandbox.errors
        if number == fd and (not died or re.search(r"KeyError|AttributeError|FileNotFoundError|OSError", errors)):
            story = server.traceback() if "Traceback" in errors else ()
            raise Wrong("unlocked_table", *new.transcript, *story, f"descriptor {fd} was the old client's number as well")
        if died:
            raise server.crashed(*new.transcript)
        raise Unrecognised(*new.transcript, f"expected {word.upper().decode()}")
    new.close()
    client.close()
    return fd
