"""A small Workerman, stage by stage: the first stage that fails names what is missing."""

import json
import select
import signal
import time
from contextlib import suppress

from evolution.course.verdict import TooSlow, Unrecognised, Wrong
from evolution.lab import procfs

PATIENCE = 3.0
"""Seconds for whatever an answer may take its time for."""

NAP = 0.4
"""Seconds that the handler of host.py sleeps when a message says nap."""

IDLE = 0.6
"""The idle time-out of the server that speaks HTTP, in seconds."""

MOST_BIRTHS = 10
"""Reactors that may be born in two seconds when each one dies at once: a back-off leaves five or six."""

STAGES = (
    "lines",
    "many clients",
    "reactors",
    "supervision",
    "statistics",
    "reload",
    "stop",
    "HTTP",
    "timers",
    "back-off",
)


def check(bench):
    """Return the lines that convinced us. Raises a Finding."""
    bench.together(lambda: in_lines(bench), lambda: in_http(bench), lambda: cursed(bench))
    return (
        f"{len(STAGES)} of {len(STAGES)} stages: {', '.join(STAGES)}",
        "no process, no port and no descriptor was left",
    )


def passed(stage):
    """Return a line of evidence: how far it has come."""
    done = STAGES[: STAGES.index(stage)]
    return f"stages passed: {', '.join(done)}" if done else "no stage passed yet"


def crew(server):
    """Return the pids of the living children, grandchildren included."""
    return {each.pid for each in procfs.tree(server.pid) if each.pid != server.pid and each.state not in "ZX"}


def until(condition, seconds=PATIENCE):
    """Wait until `condition()` is true; return what it said last."""
    end = time.monotonic() + seconds
    while not (found := condition()) and time.monotonic() < end:
        time.sleep(0.02)
    return found


def hear(client, seconds=PATIENCE):
    """Return the next line without its newline; None when there is none in time or the connection ends."""
    reply = client.hear(seconds, hold=True)
    return reply.text


def expect_alive(server, stage, *story):
    """Raises Crashed, or Wrong for a signal that killed it."""
    report = server.sandbox.wait(0.05)
    if report is not None:
        raise server.crashed(passed(stage), *story)


def in_lines(bench):
    with bench.serve("text", 2, 60, "plain") as server:
        lines(bench, server)
        many_clients(bench, server)
        reactors(bench, server)
        supervision(bench, server)
        statistics(bench, server)
        reload(bench, server)
        stop(bench, server)


def lines(bench, server):
    first, second = bench.word(), bench.word()
    client = server.connect()
    client.send(first[:3])
    client.settle()
    client.send(first[3:] + b"\n" + second + b"\n")
    got = [hear(client), hear(client)]
    if got == [b"echo " + first, b"echo " + second]:
        client.close()
        return
    expect_alive(server, "lines", *client.transcript)
    said = got[0] or b""
    if said == b"echo " + first[:3] or (got[0] == b"echo " + first and got[1] is None) or second in said:
        raise Wrong("line_is_a_packet", passed("lines"), *client.transcript)
    raise Unrecognised(passed("lines"), *client.transcript)


def many_clients(bench, server):
    silent = [server.connect() for _ in range(8)]
    word, client = bench.word(), server.connect()
    client.send(word + b"\n")
    if hear(client) != b"echo " + word:
        expect_alive(server, "many clients", *client.transcript)
        doing = server.where()
        raise Wrong(
            "one_client_at_a_time",
            passed("many clients"),
            "eight silent clients are connected",
            *client.transcript,
            f"the main process is {doing}",
        )
    for each in (*silent, client):
        each.close()


def who(client):
    client.send(b"who\n")
    return int(hear(client) or 0)


def napping(server):
    """Return (a client whose reactor sleeps in the handler now, clients of the other one). None when there is none."""
    sleeper = server.connect()
    pid = who(sleeper)
    sleeper.send(b"nap\n")
    until(lambda: (server.unread(sleeper.port) or 0) == 0, 1.0)
    others = []
    for _ in range(24):
        client = server.connect()
        others.append(client)
        client.send(b"who\n")
    end = time.monotonic() + NAP * 0.8
    while time.monotonic() < end and not select.select([sleeper.sock], [], [], 0)[0]:
        ready = select.select([each.sock for each in others], [], [], 0.02)[0]
        answered = [each for each in others if each.sock in ready]
        if answered:
            return sleeper, pid, others, answered
    return sleeper, pid, others, []


def reactors(bench, server):
    children = until(lambda: len(crew(server)) >= 2 and crew(server)) or crew(server)
    for _ in range(3):
        sleeper, pid, others, answered = napping(server)
        pids = {int(hear(each) or 0) for each in answered}
        hear(sleeper)
        for each in (sleeper, *others):
            each.close()
        if answered and pids - {pid, 0} and {pid, *pids} <= {server.pid, *children}:
            if server.pid in (pid, *pids):
                raise Unrecognised(
                    passed("reactors"), "the master itself has answered a client; it should only supervise"
                )
            return
        expect_alive(server, "reactors")
    raise Wrong(
        "one_reactor",
        passed("reactors"),
        f"two reactors were asked for; the main process has {len(children)} children",
        f"process {pid} slept in the handler for {NAP} s; 24 other clients came, none was answered by another process meanwhile",
    )


def supervision(bench, server):
    before = crew(server)
    client = server.connect()
    victim = who(client)
    client.send(b"die\n")
    client.hear(PATIENCE, hold=True)
    story = (f"reactor {victim} dies in the handler; it had {len(before)} processes in its crew",)
    if server.sandbox.wait(0.3):
        raise Wrong("dies_with_its_worker", passed("supervision"), *story, server.how_it_ended())
    if not until(lambda: len(crew(server) - {victim}) >= len(before)):
        raise Wrong(
            "worker_not_replaced",
            passed("supervision"),
            *story,
            f"{PATIENCE:g} s later there are {len(crew(server))}",
        )
    expect_alive(server, "supervision", *story)


def told(server):
    """Ask for statistics; return the new line as a dict, None without one."""
    before = server.sandbox.output.count("\n")
    server.sandbox.signal(signal.SIGUSR1)

    def fresh():
        for line in server.sandbox.output.splitlines()[before:]:
            with suppress(ValueError):
                found = json.loads(line)
                if isinstance(found, dict):
                    return found
        return None

    server.sandbox.until(lambda: fresh() or not server.sandbox.alive, 1.5)
    return fresh()


def statistics(bench, server):
    sleeper, pid, others, answered = napping(server)
    hear(sleeper)
    mine = [pid, *(int(hear(each) or 0) for each in others)]
    clients = [sleeper, *others]
    facts, open_now, end = None, len(clients), time.monotonic() + PATIENCE
    while time.monotonic() < end:
        facts = told(server)
        if not server.sandbox.alive:
            raise Wrong(
                "signal_kills_it",
                passed("statistics"),
                "SIGUSR1 is sent to the main process",
                server.how_it_ended(),
            )
        if facts is None or facts.get("connections") == open_now:
            break
        time.sleep(0.1)  # a client that has left may not have been noticed yet
    story = (
        passed("statistics"),
        f"{open_now} clients are connected, {len(set(mine))} reactors answered them; SIGUSR1 is sent",
    )
    if facts is None:
        raise Wrong("no_statistics", *story, "no line of JSON came within 1.5 s")
    if facts.get("connections") != open_now:
        if facts.get("connections") in {mine.count(each) for each in mine} | {0}:
            raise Wrong("counts_one_worker", *story, f"it says {json.dumps(facts)}")
        raise Unrecognised(*story, f"it says {json.dumps(facts)}")
    if (
        facts.get("workers") != 2
        or not isinstance(facts.get("messages"), int)
        or facts["messages"] < open_now
    ):
        raise Unrecognised(
            *story, f"it says {json.dumps(facts)}; expected 2 workers and at least {open_now} messages"
        )
    for each in clients:
        each.close()


def reload(bench, server):
    before = crew(server)
    idle = server.connect()
    who(idle)
    sleeper = server.connect()
    who(sleeper)
    sleeper.send(b"nap\n")
    until(lambda: (server.unread(sleeper.port) or 0) == 0, 1.0)
    server.sandbox.signal(signal.SIGHUP)
    story = ["a client's message is in the handler; SIGHUP is sent to the main process"]
    refused = None
    for _ in range(6):
        try:
            client = server.connect()
        except OSError as error:
            refused = error
            break
        word = bench.word()
        client.send(word + b"\n")
        if hear(client) != b"echo " + word:
            story += client.transcript
            break
        client.close()
    rested = hear(sleeper)
    if server.sandbox.wait(0.05):
        raise Wrong("signal_kills_it", passed("reload"), *story, server.how_it_ended())
    if rested != b"rested":
        raise Wrong("reload_drops", passed("reload"), *story, *sleeper.transcript[-2:])
    if refused or len(story) > 1:
        raise Wrong(
            "reload_drops",
            passed("reload"),
            *story,
            f"a client that came meanwhile: {refused or 'no answer'}",
        )
    replaced = lambda: len(crew(server)) == len(before) and not crew(server) & before  # noqa: E731
    sleeper.close()
    if not until(replaced):
        now, stayed = crew(server), crew(server) & before
        if not stayed:
            raise Unrecognised(
                passed("reload"), *story, f"{PATIENCE:g} s later there are {len(now)} reactors"
            )
        story.append(
            f"{PATIENCE:g} s later {len(stayed)} of {len(before)} old reactors still run, beside {len(now - before)} new ones"
        )
        idle.close()
        if until(replaced):
            raise Wrong(
                "hangs_on_idle_clients",
                passed("reload"),
                *story,
                "an idle client was connected; when it left, they went too",
            )
        raise Wrong("old_workers_stay" if now - before else "no_reload", passed("reload"), *story)
    idle.close()


def stop(bench, server):
    idle = server.connect()
    who(idle)
    sleeper = server.connect()
    who(sleeper)
    sleeper.send(b"nap\n")
    until(lambda: (server.unread(sleeper.port) or 0) == 0, 1.0)
    server.sandbox.signal(signal.SIGTERM)
    story = [
        "one client is idle, the message of another is in the handler; SIGTERM is sent to the main process"
    ]
    rested = hear(sleeper)
    report = server.sandbox.wait(PATIENCE)
    if report and report.company:
        raise Wrong("leaves_workers", passed("stop"), *story, server.how_it_ended())
    if rested != b"rested":
        raise Wrong("kills_in_flight", passed("stop"), *story, *sleeper.transcript[-2:])
    if report is None:
        raise Wrong(
            "hangs_on_idle_clients",
            passed("stop"),
            *story,
            f"{PATIENCE:g} s later it is still there, {server.where()}",
        )
    if report.status:
        raise Wrong("exit_not_zero", passed("stop"), *story, server.how_it_ended(), *server.traceback())


def receive(client, count, seconds=PATIENCE):
    """Return what came: `count` bodies at most, and whether the server has closed."""
    data, closed, end = b"", False, time.monotonic() + seconds
    while time.monotonic() < end and not closed:
        bodies = bodies_of(data)
        if len(bodies) >= count:
            break
        if select.select([client.sock], [], [], 0.05)[0]:
            try:
                more = client.sock.recv(65536)
            except OSError:
                more = b""
            data, closed = data + more, not more
    return bodies_of(data), closed


def bodies_of(data):
    """Return the bodies of all whole HTTP answers in `data`."""
    found = []
    while b"\r\n\r\n" in data:
        head, _, rest = data.partition(b"\r\n\r\n")
        length = next(
            (
                line.partition(b":")[2]
                for line in head.lower().split(b"\r\n")
                if line.startswith(b"content-length:")
            ),
            None,
        )
        if length is None or not length.strip().isdigit() or len(rest) < int(length):
            break
        found.append(rest[: int(length)])
        data = rest[int(length) :]
    return found


def request(word, *headers):
    return b"\r\n".join([b"GET /" + word + b" HTTP/1.1", b"Host: me", *headers, b"", b""])


def in_http(bench):
    with bench.serve("http", 1, IDLE, "plain") as server:
        keeps_alive(bench, server)
        idle(bench, server)


def keeps_alive(bench, server):
    words = [bench.word() for _ in range(5)]
    client = server.connect()
    whole = request(words[0])
    client.send(whole[:9])
    with suppress(TooSlow):
        client.settle(1.0)
    client.send(whole[9:])
    bodies, closed = receive(client, 1)
    if bodies != [b"echo " + words[0]]:
        expect_alive(server, "HTTP", *client.transcript)
        raise Wrong(
            "http_not_spoken",
            passed("HTTP"),
            *client.transcript,
            f"expected an answer with Content-Length and the body {(b'echo ' + words[0]).decode()}; came {bodies or 'no whole answer'}",
        )
    client.send(b"".join(map(request, words[1:4])))
    bodies, closed = receive(client, 3)
    if bodies != [b"echo " + word for word in words[1:4]]:
        story = (passed("HTTP"), *client.transcript, f"{len(bodies)} of 3 answers came")
        if closed and not bodies:
            raise Wrong("closes_after_each", *story, "and the server has closed the connection")
        if bodies == [b"echo " + words[1]]:
            raise Wrong("pipelined_lost", *story)
        raise Unrecognised(*story)
    client.send(request(words[4], b"Connection: close"))
    bodies, closed = receive(client, 2, IDLE * 0.6)
    if bodies != [b"echo " + words[4]] or not closed:
        raise Wrong(
            "close_ignored",
            passed("HTTP"),
            *client.transcript[-1:],
            f"{len(bodies)} answers, and the connection is {'closed' if closed else 'still open'}",
        )


def idle(bench, server):
    silent, busy = server.connect(), server.connect()
    begin, gone = time.monotonic(), None
    while time.monotonic() < begin + IDLE * 2.5:
        word = bench.word()
        busy.send(request(word))
        bodies, closed = receive(busy, 1)
        if bodies != [b"echo " + word]:
            if closed and time.monotonic() - begin > IDLE * 0.8:
                raise Wrong(
                    "cuts_the_busy",
                    passed("timers"),
                    f"a client that asks every {IDLE / 3:.1f} s is closed after {time.monotonic() - begin:.1f} s; idle means {IDLE} s without a message",
                )
            raise Unrecognised(passed("timers"), *busy.transcript[-2:])
        pause_until = time.monotonic() + IDLE / 3
        while (left := pause_until - time.monotonic()) > 0:
            if gone is None and select.select([silent.sock], [], [], left)[0]:
                gone = time.monotonic() - begin
            elif gone is not None:
                time.sleep(left)
    if gone is None and not select.select([silent.sock], [], [], PATIENCE)[0]:
        raise Wrong(
            "idle_forever",
            passed("timers"),
            f"a silent client is still connected after {time.monotonic() - begin:.1f} s; idle is {IDLE} s",
        )
    if gone is not None and gone < IDLE * 0.5:
        raise Unrecognised(
            passed("timers"), f"a silent client was closed after {gone:.2f} s; idle is {IDLE} s"
        )


def cursed(bench):
    with bench.serve("text", 2, 60, "cursed") as server:
        births = server.sandbox.scratch / "births"
        end = time.monotonic() + 2.0
        count = 0
        while time.monotonic() < end and count <= MOST_BIRTHS * 3:
            count = births.read_text().count("\n") if births.exists() else 0
            time.sleep(0.02)
        story = (
            passed("back-off"),
            f"every reactor but the first dies at its start: {count} were born in 2 s",
        )
        if count > MOST_BIRTHS:
            raise Wrong("respawn_storm", *story)
        if server.sandbox.wait(0.05):
            raise Wrong("dies_with_its_worker", *story, server.how_it_ended())
        if count < 3:
            raise Wrong("worker_not_replaced", *story)
