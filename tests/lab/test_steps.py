"""A run of the classic Reactor: every frame follows from what the Reactor has noted."""

import pytest

from evolution.lab import reactor_run as steps

pytestmark = pytest.mark.xdist_group("steps")  # what is measured once serves all tests of this file


@pytest.fixture(scope="module")
def once():
    return steps.reactor_run()


@pytest.fixture(scope="module")
def level():
    return steps.reactor_run(oneshot=False)


def test_each_request_passes_the_queue_twice_and_one_pair_of_hands(once):
    assert once.counts["entries"] == 2 * once.requests == 8
    assert once.counts["both"] == once.counts["vain"] == 0
    assert once.counts["answers"] == once.requests
    assert not any(map(steps.in_two_hands, once.frames))


def test_the_seven_steps_come_in_their_order_for_each_connection(once):
    for name in "ABC":
        seen = [frame["step"] for frame in once.frames if frame["conn"] == name]
        turns = "".join(map(str, dict.fromkeys(seen)))
        assert turns == "13467", seen
    assert {frame["step"] for frame in once.frames} == set(range(1, 8))


def test_a_reported_connection_is_silent_until_a_worker_arms_it(once):
    for before, frame in zip(once.frames, once.frames[1:], strict=False):
        for name in frame["queue"]:
            assert frame["epoll"][name] == "", frame
        for name in set(frame["hands"].values()) & set(before["hands"].values()):
            assert frame["epoll"][name] == "", frame


def test_the_queue_is_what_was_put_and_not_yet_taken(once):
    put = taken = 0
    for frame in once.frames:
        put += frame["step"] in (3, 6)
        taken += "from the queue" in frame["words"]
        assert frame["length"] == put - taken == len(frame["queue"])


def test_without_oneshot_two_workers_meet_and_the_queue_grows(level):
    assert level.counts["entries"] > 2 * level.requests
    assert level.counts["both"] > 0
    shown = level.as_dict()["frames"]
    assert len(shown) == steps.MOST_FRAMES
    assert any(map(steps.in_two_hands, shown))
    assert "Without EPOLLONESHOT" in level.sentence and f"{level.counts['entries']:,}" in level.sentence


def test_what_is_left_out_is_counted():
    frames = [{"hands": {}, "n": n} for n in range(500)]
    frames[300]["hands"] = {"worker 1": "A", "worker 2": "A"}
    shown = steps.shortened([frame | {"left_out": 0} for frame in frames])
    assert len(shown) == steps.MOST_FRAMES
    gap = next(i for i, frame in enumerate(shown) if frame["left_out"])
    assert shown[gap]["n"] - shown[gap - 1]["n"] - 1 == shown[gap]["left_out"]
    assert 300 in [frame["n"] for frame in shown]
