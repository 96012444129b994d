"""A small Workerman, stage by stage: the first stage that fails names what is missing.

What is done to the answer stands in crew.py; here is what it means. HTTP is in over_http.py, the reload
in reloading.py.
"""

import json
import signal

from evolution.course.verdict import Unrecognised, Wrong
from evolution.exercises.ch5_race import crew
from evolution.exercises.ch5_race.crew import PATIENCE, hear, until, who
from evolution.exercises.ch5_race.workerman.over_http import in_http
from evolution.exercises.ch5_race.workerman.reloading import goes_on, reload
from evolution.exercises.ch5_race.workerman.stages import STAGES, expect_alive, passed

MOST_BIRTHS = 10
"""Reactors that may be born in two seconds when each one dies at once: a back-off leaves five or six."""


def check(bench):
    """Return the lines that convinced us. Raises a Finding."""
    bench.together(lambda: in_lines(bench), lambda: in_http(bench), lambda: cursed(bench))
    return (
        f"{len(STAGES)} of {len(STAGES)} stages: {', '.join(STAGES)}",
        "no process, no port and no descriptor was left",
    )


def in_lines(bench):
    with crew.serving(bench, "text", 2, 60, "plain") as server:
        for stage in (lines, many_clients, reactors, supervision, statistics, reload, stop):
            stage(bench, server)


def lines(bench, server):
    first, second = bench.word(), bench.word()
    client = server.connect()
    client.send(first[:3])
    client.settle()
    client.send(first[3:] + b"\n" + second + b"\n")
    got = [hear(client)]
    got += [hear(client, 1.5)] if got[0] is not None else [None]
    if got == [b"echo " + first, b"echo " + second]:
        client.close()
        return
    expect_alive(server, "lines", *client.transcript)
    half = got[0] in (first[:3], b"echo " + first[:3])
    as_one = got[0] == b"echo " + first and (got[1] == second or (got[1] is None and client.open))
    if half or as_one:
        raise Wrong("line_is_a_packet", passed("lines"), *client.transcript)
    if got[0] is None and client.open and client.unfinished.startswith(b"echo " + first):
        raise Wrong("no_newline", passed("lines"), *client.transcript, "the client waits for its end")
    raise Unrecognised(passed("lines"), *client.transcript)


def many_clients(bench, server):
    silent = [server.connect() for _ in range(8)]
    word, client = bench.word(), server.connect()
    client.send(word + b"\n")
    if hear(client) != b"echo " + word:
        story = ("eight silent clients are connected", *client.transcript)
        expect_alive(server, "many clients", *story)
        story += (f"the main process is {server.where()}",)
        if crew.waits_for_one(server, client):
            raise Wrong("one_client_at_a_time", passed("many clients"), *story)
        raise Unrecognised(passed("many clients"), *story)
    for each in (*silent, client):
        each.close()


def reactors(bench, server):
    until(lambda: len(crew.crew(server)) >= 2, 1.0)
    seen, in_threads = set(), False
    for _ in range(3):
        pid, sleeper, clients, early = crew.beside_a_busy_one(server)
        meanwhile = {crew.number(hear(each)) for each in early}
        in_threads |= meanwhile == {pid}
        seen |= {pid, *meanwhile, *(crew.number(hear(each)) for each in clients if each not in early)} - {0}
        hear(sleeper)
        for each in (sleeper, *clients):
            each.close()
        if meanwhile - {pid, 0}:
            return expect_reactors(server, seen)
    expect_alive(server, "reactors")
    alive = crew.crew(server)
    story = (
        passed("reactors"),
        f"two reactors were asked for; {len(alive)} child processes have called on_start",
        f"process {pid} slept in the handler; {crew.CROWD} other clients came",
        "no other process has answered one of them",
    )
    if len(seen) == 1 and (seen == {server.pid} or len(alive) == 1):
        if in_threads:
            raise Wrong("threads_not_processes", *story, "the same process did, meanwhile")
        raise Wrong("one_reactor", *story)
    if crew.beside_a_stopped_one(server, pid) - {pid}:  # one that works in threads may take all that come
        return expect_reactors(server, seen)
    raise Unrecognised(*story)


def expect_reactors(server, seen):
    """Raises a Finding unless all that have answered are reactors: born as such, and not the master."""
    story = (passed("reactors"), f"the main process is {server.pid}; answers came from {sorted(seen)}")
    if server.pid in seen:
        raise Wrong("master_serves", *story)
    if server.pid in crew.born(server):
        raise Wrong("on_start_in_the_master", *story, f"on_start was called in {crew.born(server)}")
    if not until(lambda: len(crew.crew(server)) == 2):
        was = f"on_start was called in {crew.born(server)}"
        raise Unrecognised(*story, f"two reactors were asked for, {len(crew.crew(server))} are there; {was}")


def supervision(bench, server):
    before = crew.crew(server)
    client = server.connect()
    victim = who(client)
    client.send(b"die\n")
    hear(client)
    story = (f"reactor {victim} dies in the handler; there were {len(before)}",)
    until(lambda: server.status is not None, 0.3)
    if server.status is not None:
        raise Wrong("dies_with_its_worker", passed("supervision"), *story, server.how_it_ended())
    if not until(lambda: len(crew.crew(server) - {victim}) >= len(before)):
        expect_alive(server, "supervision", *story)
        after = crew.crew(server)
        if victim not in before or victim in after:
            raise Unrecognised(passed("supervision"), *story, "it still lives")
        now = f"{PATIENCE:g} s later there are {len(after)}"
        raise Wrong("worker_not_replaced", passed("supervision"), *story, now)
    expect_alive(server, "supervision", *story)


def statistics(bench, server):
    _, sleeper, clients, _ = crew.beside_a_busy_one(server)
    hear(sleeper)
    mine = [who(each) for each in (sleeper, *clients)]
    many = len(mine)

    def fits(facts, open_now=many):
        counted = isinstance(facts.get("messages"), int) and facts["messages"] >= open_now
        return facts.get("connections") == open_now and facts.get("workers") == 2 and counted

    facts, printed = crew.told_at_last(server, fits)
    expect_alive(server, "statistics", "SIGUSR1 is sent to the main process", killed_by=signal.SIGUSR1)
    story = (
        passed("statistics"),
        f"{many} clients are connected, {len(set(mine))} reactors answered them; SIGUSR1 is sent",
    )
    if facts is None and printed.strip():
        raise Unrecognised(*story, "expected one line of JSON", f"printed was {printed.strip()[:200]!r}")
    if facts is None:
        raise Wrong("no_statistics", *story, f"nothing is printed within {PATIENCE:g} s")
    story = (*story, f"it says {json.dumps(facts)}")
    if not fits(facts):
        said = facts.get("connections")
        if said in {mine.count(each) for each in mine} | {0}:
            raise Wrong("counts_one_worker", *story)
        if isinstance(said, int) and said > many:
            lost, after = crew.loses_the_dead(server, (sleeper, *clients), said)
            if after and lost > 1 and after.get("connections", 0) >= said - 2:
                now = f"two leave, and a reactor with {lost} of them dies: then it says {json.dumps(after)}"
                raise Wrong("counts_the_dead", *story, now)
            if not lost and after and after.get("connections") == said:
                raise Wrong("never_counted_down", *story, f"two leave: then it says {json.dumps(after)}")
        raise Unrecognised(*story, f"expected 2 workers, {many} connections, {many} messages at least")
    for each in (sleeper, *clients):
        each.close()


def stop(bench, server):
    idle = server.connect()
    who(idle)
    sleeper, _ = crew.nap(server)
    server.signal(signal.SIGTERM)
    story = [
        passed("stop"),
        "one client is idle, the message of another is in the handler; SIGTERM is sent to the main process",
    ]
    rested = hear(sleeper)
    report = server.wait(PATIENCE if rested else 0.5)
    goes_on(server, 1, story[1:], "stop")
    if report and report.company:
        raise Wrong("leaves_workers", *story, server.how_it_ended())
    if report and report.status and server.traceback():
        raise server.crashed(*story)
    if rested != b"rested":
        story += sleeper.transcript[-2:]
        if sleeper.open:
            raise Unrecognised(*story)
        raise Wrong("kills_in_flight", *story)
    if report is None:
        story += [f"{PATIENCE:g} s later it is still there, {server.where()}"]
        sleeper.close()
        if crew.goes_when_poked(server, idle, crew.crew(server)):
            raise Wrong("sleeps_on", *story, "then a client stirs, and others come: now a reactor goes")
        idle.close()
        if server.wait(1.5):
            raise Wrong("hangs_on_idle_clients", *story, "when the idle client left, it ended")
        raise Unrecognised(*story)
    if report.status:
        raise Wrong("exit_not_zero", *story, server.how_it_ended())


def cursed(bench):
    with crew.serving(bench, "text", 2, 60, "cursed") as server:
        count = lambda: len(crew.born(server))  # noqa: E731
        until(lambda: count() > MOST_BIRTHS * 3, 2.0)
        births = count()
        story = (
            passed("back-off"),
            f"every reactor but the first dies at its start: {births} were born in 2 s",
        )
        if births > MOST_BIRTHS * 2:
            raise Wrong("respawn_storm", *story)
        if births > MOST_BIRTHS:
            raise Unrecognised(*story, f"expected {MOST_BIRTHS} at most")
        if server.status is not None:
            raise Wrong("dies_with_its_worker", *story, server.how_it_ended())
        if not until(lambda: count() > max(births, 2)):
            if births < 3:
                raise Wrong("worker_not_replaced", *story, f"and none in {PATIENCE:g} s more")
            raise Wrong("gives_up", *story, f"and none in {PATIENCE:g} s more")
