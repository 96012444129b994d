"""Several workers behind one port: who is woken and who serves is counted, and does not depend on luck."""

import os
import signal

import pytest

from evolution.lab import sharing


@pytest.mark.parametrize(("way", "woken"), [("accept", 1), ("epoll", 4), ("exclusive", 1), ("reuseport", 1)])
def test_how_many_are_woken_for_one_client(way, woken):
    with sharing.share(way) as server:
        dealt = sharing.deal(server, 5)
    assert sum(dealt.served.values()) == 5
    assert sum(dealt.woken.values()) == 5 * woken, dealt


def test_accept_takes_turns_and_exclusive_does_not():
    with sharing.share("accept") as server:
        assert sorted(sharing.deal(server, 8).served.values()) == [2, 2, 2, 2]
    assert sorted(sharing.deal("exclusive", 8).served.values()) == [0, 0, 0, 8]


def test_a_lock_lets_one_look():
    with sharing.share("mutex") as server:
        dealt = sharing.deal(server, 4)
        calls = [thread.call.text for process in server.tree()[1:] for thread in process.threads]
    assert sum(dealt.served.values()) == 4
    assert sum(call.startswith("epoll_wait") for call in calls) == 1, calls


def test_the_queue_of_a_dead_worker_dies_with_it():
    with sharing.share("reuseport") as server:
        pids = [each.pid for each in server.tree()[1:]]
        os.kill(pids[0], signal.SIGSTOP)
        dealt = sharing.deal(server, 40, 0.05)
        waiting = len(dealt.waiting)
        assert 0 < waiting < 40
        os.kill(pids[0], signal.SIGKILL)
        assert (dealt.look(2.0).reset, dealt.waiting) == (waiting, [])
    assert f"{waiting} of 40 clients reset" in repr(dealt)


def test_an_unknown_way_is_named():
    with pytest.raises(ValueError, match=r"one of accept, .*; not .luck."):
        sharing.share("luck")
