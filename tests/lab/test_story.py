"""The story: every mark in it was seen by somebody, and is claimed for no longer than it was seen."""

import pytest
from witnesses import SERVER, connecting, connection, event, process, queued, sample, spans, thread, told

from evolution.lab.story import Story

# --- what a span may claim ---


def test_without_a_sample_a_client_waits():
    story = told(connecting(1, 1.0), event(1, 1.1, "connected"), event(1, 1.2, "asked"))
    assert spans(story) == [("connecting", 1.0, 1.1), ("waiting", 1.1, None)]


def test_each_client_is_counted_where_it_is_and_nowhere_else():
    story = told(connecting(1, 1.0), connecting(2, 1.0), event(2, 1.1, "connected"))
    story.as_dict()
    story.feed(event(1, 1.2, "refused"))
    story.as_dict()
    assert {state: n for state, n in story.counts.items() if n} == {"refused": 1, "waiting": 1}
    assert min(story.counts.values()) >= 0 and None not in story.counts


def test_queued_from_the_first_sample_that_saw_it_to_the_first_that_did_not():
    story = told(
        connecting(1, 1.0),
        event(1, 1.1, "connected"),
        event(1, 1.2, "asked"),
        sample(2.0, queued(5001)),
        sample(3.0, queued(5001)),
        sample(4.0, connection(5001, [(SERVER, 7)])),
    )
    assert spans(story)[2:] == [("queued", 2.0, 4.0), ("served", 4.0, None)]
    served = story.as_dict()["lanes"][0]["spans"][-1]
    assert (served["pid"], served["note"]) == (SERVER, "held as descriptor 7")


def test_a_sample_is_an_interval():
    """Accepted somewhere between 4.0 and 4.2: queued is claimed up to its end, served from its end on."""
    story = told(
        connecting(1, 1.0),
        event(1, 1.1, "connected"),
        event(1, 1.2, "asked"),
        sample(2.0, queued(5001), took=0.2),
        sample(4.0, connection(5001, [(SERVER, 7)]), took=0.2),
    )
    assert spans(story)[2:] == [("queued", 2.0, 4.2), ("served", 4.2, None)]


def test_the_first_byte_ends_queued():
    story = told(
        connecting(1, 1.0),
        event(1, 1.1, "connected"),
        event(1, 1.1, "asked"),
        sample(2.0, queued(5001)),
        event(1, 2.5, "receiving", bytes=10, total=10),
        event(1, 2.6, "answered"),
        event(1, 2.7, "done"),
    )
    assert spans(story)[2:] == [("queued", 2.0, 2.5), ("sending", 2.5, 2.7)]
    assert story.as_dict()["lanes"][0]["end"] == {"state": "done", "t": 2.7, "note": ""}


def test_a_sample_that_does_not_see_the_connection_contradicts_it():
    story = told(connecting(1, 1.0), event(1, 1.1, "connected"), sample(2.0, queued(5001)), sample(3.0))
    assert spans(story)[2:] == [("queued", 2.0, 3.0), ("waiting", 3.0, None)]


def test_a_full_queue_is_not_called_queued():
    half_open = connection(5001, accepted=False, state="SYN_RECV")
    story = told(connecting(1, 1.0), event(1, 1.1, "connected"), sample(2.0, half_open))
    assert [state for state, _, _ in spans(story)] == ["connecting", "waiting", "waiting"]


def test_a_silent_client_is_served_only_by_a_thread_that_sleeps_on_it():
    common = connecting(1, 1.0, "silent"), event(1, 1.1, "connected")
    held = connection(5001, [(SERVER, 7)])
    asleep = told(*common, sample(2.0, held, processes=[process(call="recv(7)")]))
    assert spans(asleep)[-1] == ("served", 2.0, None)
    assert asleep.as_dict()["lanes"][0]["spans"][-1]["note"] == "recv(7)"
    watching = told(*common, sample(2.0, held, processes=[process(call="epoll_wait(4)")]))
    assert spans(watching)[-1] == ("idle", 2.0, None)


def test_of_several_holders_the_one_that_sleeps_on_it_serves():
    crew = [process(), process(101, "recv(7)", depth=1), process(102, depth=1)]
    held = connection(5001, [(SERVER, 7), (101, 7), (102, 7)])
    story = told(connecting(1, 1.0), event(1, 1.1, "connected"), sample(2.0, held, processes=crew))
    assert story.as_dict()["lanes"][0]["spans"][-1]["pid"] == 101


def test_what_was_seen_before_the_answer_says_nothing_about_the_pause_after_it():
    held = connection(5001, [(SERVER, 7)])
    on_it = [process(call="recv(7)")]
    story = told(
        connecting(1, 1.0, "keep_alive"),
        event(1, 1.0, "connected"),
        event(1, 1.0, "asked"),
        sample(1.5, held, processes=on_it),
        event(1, 2.0, "receiving", bytes=5, total=5),
        event(1, 2.0, "answered"),
        event(1, 2.0, "idle"),
        sample(3.0, held, processes=on_it),
    )
    assert spans(story) == [
        ("waiting", 1.0, 1.5),
        ("served", 1.5, 2.0),
        ("sending", 2.0, 2.0),
        ("idle", 2.0, 3.0),
        ("served", 3.0, None),
    ]


def test_what_was_seen_before_the_first_byte_says_nothing_about_the_sending():
    held = connection(5001, [(SERVER, 7)])
    story = told(
        connecting(1, 0.0),
        event(1, 0.0, "connected"),
        event(1, 0.0, "asked"),
        sample(0.5, held, processes=[process(call="recv(7)")]),
        event(1, 1.0, "receiving", bytes=5, total=10),
        event(1, 9.0, "answered"),
        event(1, 9.0, "done"),
    )
    assert "pid" not in story.as_dict()["lanes"][0]["spans"][-1]
    assert story.lanes["c1"].seen["held"] == 0.0


def test_what_was_seen_while_sending_says_nothing_about_the_pause_after_it():
    held = connection(5001, [(SERVER, 7)])
    story = told(
        connecting(1, 0.0, "keep_alive"),
        event(1, 0.0, "connected"),
        event(1, 0.0, "asked"),
        event(1, 1.0, "receiving", bytes=5, total=10),
        sample(1.5, held, processes=[process(call="send(7)")]),
        event(1, 2.0, "answered"),
        event(1, 2.0, "idle"),
    )
    assert spans(story)[-1] == ("idle", 2.0, None)
    assert story.as_dict()["lanes"][0]["spans"][-2]["pid"] == SERVER


def test_the_same_sight_counts_anew_after_an_answer():
    """The picture was looked at in between; still the later sample must be noticed."""
    held, on_it = connection(5001, [(SERVER, 7)]), [process(call="recv(7)")]
    story = told(connecting(1, 0.0, "keep_alive"), event(1, 0.0, "connected"), event(1, 0.0, "asked"))
    story.sample(sample(0.5, held, processes=on_it))
    for state in ("receiving", "answered", "idle"):
        story.feed(event(1, 1.0, state))
    story.changes()
    story.sample(sample(1.5, held, processes=on_it))
    assert spans(story)[-1] == ("served", 1.5, None)


def test_a_connection_that_is_missed_later_is_noticed():
    story = told(connecting(1, 0.0), event(1, 0.0, "connected"), sample(0.5, queued(5001)))
    story.changes()
    story.sample(sample(1.0))
    assert spans(story)[-1] == ("waiting", 1.0, None)


def test_a_sample_around_the_first_byte_says_nothing_about_what_follows():
    """Whether recv(7) was read before or after the answer came is not known."""
    story = told(
        connecting(1, 1.0, "keep_alive"),
        event(1, 1.0, "connected"),
        event(1, 1.0, "asked"),
        sample(1.9, connection(5001, [(SERVER, 7)]), processes=[process(call="recv(7)")], took=0.2),
        event(1, 2.0, "receiving", bytes=5, total=5),
        event(1, 2.0, "idle"),
    )
    assert spans(story)[-1] == ("idle", 2.0, None)


def test_sending_shows_the_share_that_has_arrived():
    story = told(
        connecting(1, 0.0),
        event(1, 0.0, "connected"),
        event(1, 0.0, "asked"),
        event(1, 1.0, "receiving", bytes=10, total=100),
        event(1, 1.1, "receiving", bytes=11, total=100),
        event(1, 2.0, "receiving", bytes=60, total=100),
    )
    rising = [span for span in story.as_dict()["lanes"][0]["spans"] if span["state"] == "sending"]
    assert [(span["from"], span["to"], span["share"]) for span in rising] == [
        (1.0, 2.0, 0.11),
        (2.0, None, 0.6),
    ]


def test_a_port_used_again_belongs_to_whoever_had_it_then():
    story = told(
        connecting(1, 1.0, port=5000),
        event(1, 1.0, "connected"),
        sample(2.0, queued(5000)),
        event(1, 2.5, "reset", own=True),
        connecting(2, 3.0, port=5000),
        event(2, 3.0, "connected"),
        sample(4.0, queued(5000)),
    )
    assert spans(story, "c1") == [("waiting", 1.0, 2.0), ("queued", 2.0, 2.5)]
    assert spans(story, "c2") == [("waiting", 3.0, 4.0), ("queued", 4.0, None)]


# --- the server's side ---


def test_processes_and_threads_have_lanes():
    story = told(
        sample(0.0, processes=[process(threads=[thread(200, "futex")]), process(101, None, "Z", depth=1)]),
        sample(1.0, processes=[process(call=None, state="R", threads=[thread(200, "futex")])]),
    )
    lanes = {lane["id"]: lane for lane in story.as_dict()["processes"]}
    assert [lane["label"] for lane in lanes.values()] == ["server 100", "thread 200", "worker 101"]
    assert lanes["p100"]["spans"] == [
        {"state": "asleep", "from": 0.0, "to": 1.0, "note": "accept(3)"},
        {"state": "running", "from": 1.0, "to": None, "note": ""},
    ]
    assert lanes["t200"]["spans"] == [{"state": "asleep", "from": 0.0, "to": None, "note": "futex"}]
    assert lanes["p101"]["spans"] == [{"state": "zombie", "from": 0.0, "to": 1.0, "note": ""}]
    assert lanes["p101"]["end"]["state"] == "gone" and lanes["p101"]["end"]["t"] == 1.0


def test_the_queue_is_a_step_line():
    lengths = [0, 3, 3, 1]
    story = told(*(sample(float(t), length=length) for t, length in enumerate(lengths)))
    assert story.as_dict()["queue"] == {"limit": 16, "steps": [[0.0, 0], [1.0, 3], [3.0, 1]]}


def test_several_listeners_are_counted_together():
    both = sample(0.0) | {"listeners": [{"inode": n, "length": n, "limit": 8} for n in (1, 2)]}
    assert told(both).as_dict()["queue"] == {"limit": 16, "steps": [[0.0, 3]]}


def test_a_prediction_is_kept():
    story = Story()
    story.guess("c1", 2.0)
    assert story.as_dict()["guesses"] == [{"lane": "c1", "t": 2.0, "label": "your prediction"}]


@pytest.mark.parametrize(
    ("end", "more", "cut_off"),
    [
        ("reset", {"own": True}, False),
        ("reset", {"errno": "ECONNRESET"}, True),
        ("refused", {"errno": "ECONNREFUSED"}, True),
        ("closed", {"note": "the server closed"}, True),
        ("closed", {"note": "the experiment ended"}, False),
        ("timed_out", {}, False),
        ("done", {}, False),
    ],
)
def test_whose_doing_the_end_of_a_connection_was(end, more, cut_off):
    story = told(connecting(1, 0.0), event(1, 0.0, "connected"), event(1, 1.0, end, **more))
    story.changes()
    assert story.cut_off is story.lanes["c1"].cut_off is cut_off
