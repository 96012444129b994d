"""The X-ray's scene: which rows, lines and words a state gives, and what folds when there are many."""

import copy

import pytest
from xray_states import (
    BLOCKED,
    CROWD,
    EPOLL,
    FORGOTTEN,
    IDLE,
    LISTENER,
    PREFORK,
    STATES,
    connection,
    fd,
    lines,
    process,
    rows,
    xray,
)

from evolution.views.xray_scene import ranges, scene
from evolution.views.xray_words import sentence


# --- the sentence ---
@pytest.mark.parametrize(
    ("state", "words"),
    [
        (IDLE, "One process, asleep in accept(3); 0 of 4,096 wait in the queue; 0 connections are held."),
        (BLOCKED, "One process, asleep in recv(4); 5 of 4,096 wait in the queue; 1 connection is held."),
        (
            PREFORK,
            "3 processes: 1 asleep in accept(3), 1 in recv(4), 1 in select; "
            "0 of 4,096 wait in the queue; 1 connection is held.",
        ),
        (
            FORGOTTEN,
            "2 processes: 2 asleep in accept(3); 0 of 4,096 wait in the queue; 2 connections are held, "
            "1 of them although the client has closed (CLOSE_WAIT), 1 by several processes at once.",
        ),
        (
            xray([process(100, LISTENER, threads=["epoll_wait(4)", "futex", "futex"])], length=1),
            "One process with 3 threads: 2 asleep in futex, 1 in epoll_wait(4); "
            "1 of 4,096 waits in the queue; 0 connections are held.",
        ),
        (
            xray([process(100, LISTENER, call=None, state="R")], length=2, limit=1),
            "One process, running; 2 of 1 wait in the queue, which is full; 0 connections are held.",
        ),
        (
            xray([process(100, state="Z", threads=[])], listeners=[]),
            "One process, zombie; nobody listens; 0 connections are held.",
        ),
        (
            xray([], listeners=[]),
            "No process of this server is left; nobody listens; 0 connections are held.",
        ),
        (None, "Nothing has been sampled yet: start a server, and its processes show here."),
    ],
)
def test_the_sentence_says_what_was_seen(state, words):
    assert sentence(state) == words


def test_an_unknown_limit_is_not_made_up():
    assert "; 3 wait in the queue;" in sentence(xray([process(100, LISTENER)], length=3, limit=None))


def test_what_the_sampler_left_out_is_counted():
    state = CROWD | {"hidden": {"connections": 1000}}
    assert sentence(state).endswith("; 1,320 connections in all.")
    assert rows(state)["more:held"]["text"] == "… and 1,313 more"


def test_many_calls_are_told_by_name():
    threads = [process(100, LISTENER, threads=["accept(3)", *(f"recv({n})" for n in range(4, 35))])]
    assert sentence(xray(threads)).startswith("One process with 32 threads: 31 asleep in recv, 1 in accept;")


# --- rows ---
def test_quiet_descriptors_share_one_row_that_unfolds():
    found = rows(IDLE, "processes")
    assert [key for key in found if key.startswith("fd:")] == ["fd:100:3"]
    quiet = found["quiet:100"]
    assert (quiet["text"], quiet["note"]) == ("/dev/null, pipes", "0–2")
    assert [inner["fd"] for inner in quiet["inner"]] == [0, 1, 2]


def test_a_thread_shows_what_it_sleeps_in_and_where():
    found = rows(BLOCKED)
    assert found["t:100:asleep in recv(4)"]["look"] == "sleeps.one"
    assert (found["fd:100:4"]["note"], found["fd:100:3"]["note"]) == ("recv", "")


@pytest.mark.parametrize(
    ("letter", "word"),
    [("R", "running"), ("S", "asleep"), ("D", "deep asleep"), ("T", "stopped"), ("Z", "zombie")],
)
def test_a_state_letter_stands_beside_its_word(letter, word):
    found = rows(xray([process(100, call=None, state=letter)]))["p:100"]
    assert (found["letter"], found["note"]) == (letter, word)


def test_connections_that_wait_lie_in_the_listener_and_those_taken_do_not():
    blocks = {block["key"]: block["rows"] for block in scene(BLOCKED)["columns"][1]["blocks"]}
    waiting = [row for row in blocks["listener:9"] if row["kind"] == "conn"]
    assert [row["key"] for row in waiting] == [f"conn:{port}" for port in range(5001, 5006)]
    assert {row["look"] for row in waiting} == {"client.queued"}
    queue = next(row for row in blocks["listener:9"] if row["kind"] == "queue")
    assert (queue["length"], queue["limit"], queue["text"]) == (5, 4096, "5 of 4,096 wait")
    assert [row["look"] for row in blocks["held:"] if row["kind"] == "conn"] == ["client.served"]


def test_several_listeners_do_not_say_in_whose_queue_a_connection_is():
    listeners = [{"inode": n, "address": "127.0.0.1:80", "length": 1, "limit": 9} for n in (8, 9)]
    state = xray([process(100, LISTENER)], [connection(5000)], listeners=listeners)
    blocks = {
        block["key"]: [row["key"] for row in block["rows"]] for block in scene(state)["columns"][1]["blocks"]
    }
    assert blocks["queued"] == ["queued", "conn:5000"]
    assert "2 wait in 2 queues" in sentence(state)


def test_bytes_and_a_forgotten_connection_are_named():
    state = xray(
        [process(100, LISTENER)],
        [connection(5000, (100, 4), unread=1536, unsent=20), connection(5001, (100, 5), state="CLOSE_WAIT")],
    )
    found = rows(state)
    assert found["conn:5000"]["note"] == "1.5 KiB unread · 20 B unsent"
    assert "1,536 bytes unread by the server" in found["conn:5000"]["facts"]
    assert (found["conn:5001"]["note"], found["conn:5001"]["wrong"]) == ("CLOSE_WAIT", True)


def test_an_epoll_table_shows_flags_and_what_is_disarmed_or_no_longer_open():
    found = [row for row in rows(EPOLL).values() if row["kind"] == "watch"]
    assert [row["chips"] for row in found] == [["IN", "EXCLUSIVE"], ["IN", "OUT", "ET"], ["ONESHOT"]]
    assert [row["text"] for row in found] == ["fd 3", "fd 5", "fd 6"]
    assert [(row["note"], row["wrong"]) for row in found] == [
        ("", False),
        ("", False),
        ("not open here", True),
    ]
    still = copy.deepcopy(EPOLL)
    still["processes"][0]["fds"].append(fd(6, "pipe", 3))
    assert [row["note"] for row in rows(still).values() if row["kind"] == "watch"] == ["", "", "disarmed"]


def test_a_client_is_beside_its_connection_under_its_own_name():
    clients = rows(BLOCKED, "clients")
    assert clients["client:5000"]["text"] == "silent 1"
    assert clients["client:5000"]["beside"] == "conn:5000"
    assert clients["client:5001"]["text"] == "port 5001"
    gone = BLOCKED | {"clients": [{"id": "c9", "label": "polite 9", "port": None, "state": "refused"}]}
    lost = rows(gone, "clients")["client:c9"]
    assert (lost["look"], lost["note"], "beside" in lost) == ("ends.refused", "refused", False)


# --- lines ---
def test_after_fork_several_lines_lead_to_one_listener():
    assert lines(PREFORK, "listener") == {(f"fd:{pid}:3", "listener:9") for pid in (100, 101, 102)}


def test_a_connection_held_twice_has_two_lines():
    assert lines(FORGOTTEN, "client") == {("fd:100:4", "conn:5000"), ("fd:101:4", "conn:5000")}
    assert rows(FORGOTTEN)["conn:5000"]["pid"] == "100 +1"


def test_each_descriptor_has_a_line_to_what_it_means():
    assert lines(EPOLL) == {
        ("fd:100:3", "listener:9"),
        ("fd:100:4", "epoll:100:4"),
        ("fd:100:5", "conn:5000"),
        ("client:5000", "conn:5000"),
    }


@pytest.mark.parametrize("name", STATES)
def test_every_line_has_both_its_ends(name):
    found = set(rows(STATES[name]))
    assert {end for line in lines(STATES[name]) for end in line} <= found


def test_a_descriptor_whose_object_has_vanished_has_no_line():
    assert lines(xray([process(100, LISTENER)], listeners=[])) == set()


# --- many ---
def test_many_connections_fold_and_the_telling_one_stays():
    found = rows(CROWD)
    assert [key for key in found if key.startswith("conn:")] == [
        f"conn:{n}" for n in [*range(5000, 5006), 5300]
    ]
    assert (found["more:held"]["text"], found["more:held"]["note"]) == ("… and 313 more", "313 ESTABLISHED")
    assert found["fds:100:more:held"]["text"] == "313 more connections"
    folded = [line for line in scene(CROWD)["lines"] if line["to"] == "more:held"]
    assert {(line["from"], line["n"]) for line in folded} == {
        ("fds:100:more:held", 313),
        ("client:more:held", 313),
    }


def test_twenty_four_connections_are_not_folded():
    state = xray([process(100, LISTENER)], [connection(5000 + i) for i in range(24)], length=24)
    assert len([key for key in rows(state) if key.startswith("conn:")]) == 24
    assert not [key for key in rows(state) if key.startswith("more:")]


def test_many_processes_fold_with_what_they_do():
    state = xray([process(100 + i, LISTENER, depth=min(i, 1)) for i in range(65)])
    found = rows(state, "processes")
    assert len([key for key in found if key.startswith("p:")]) == 8
    assert found["more:processes"]["text"] == "… and 57 more processes"
    assert found["more:doing"]["text"] == "57 asleep in accept(3)"
    assert ("more:processes", "listener:9") in lines(state, "listener")


def test_ranges():
    assert ranges([7, 0, 1, 2, 5, 8]) == "0–2, 5, 7, 8"
