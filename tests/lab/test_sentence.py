"""The sentence says what was seen, with its figures, in few words."""

import pytest
from witnesses import connecting, ending, event, finished, held_by, process, queued, sample, thread, told

from evolution.lab.sentence import number, seconds, spread
from evolution.lab.story import Story


def test_the_sentence_of_the_silent_client():
    at = [
        sample(t, held_by(1), *map(queued, (5002, 5003)), processes=[process(call="recv(5)")])
        for t in (0.0, 1.0)
    ]
    said = finished(
        ending(1, "silent", asked=False, t=2.0),
        ending(2, first=2.0),
        ending(3, first=2.01),
        samples=[*at, sample(2.1)],
    )
    assert said == (
        "Three clients; the silent one held the server in recv(5) for 2.0 s; "
        "the others waited 2.0 s in the queue."
    )


def test_the_sentence_of_one_other():
    at = [sample(t, held_by(1), queued(5002), processes=[process(call="recv(5)")]) for t in (0.0, 1.0)]
    said = finished(ending(1, "silent", asked=False, t=1.5), ending(2, first=1.5), samples=at)
    assert said.endswith("; the other waited 1.5 s in the queue.")


def test_the_sentence_when_all_are_served_at_once():
    said = finished(*(ending(client, first=0.002 + client / 10_000) for client in (1, 2, 3)))
    assert said == "Three polite clients; all three were answered after at most 2.3 ms."


def test_the_sentence_of_one_client():
    assert finished(ending(1, first=0.0032)) == "One polite client; it was answered after 3.2 ms."


def test_the_sentence_of_a_line():
    at = [sample(t, held_by(1), *map(queued, (5002, 5003, 5004))) for t in (0.05,)]
    parts = [ending(client, first=client * 0.1) for client in (1, 2, 3, 4)]
    tail = [sample(0.15, held_by(2), *map(queued, (5003, 5004))), sample(0.25, held_by(3), queued(5004))]
    said = finished(*parts, samples=[*at, *tail])
    assert said == (
        "Four polite clients; three waited in the queue and were answered after 200 to 400 ms; "
        "the other was answered after 100 ms."
    )


def test_the_sentence_of_workers():
    crew = [process(call="wait"), process(101, "recv(5)", depth=1), process(102, "recv(6)", depth=1)]
    at = [sample(t, held_by(1, 5, 101), held_by(2, 6, 102), processes=crew) for t in (0.0, 0.5)]
    said = finished(
        ending(1, "silent", asked=False, t=1.0),
        ending(2, "silent", asked=False, t=0.9),
        ending(3, first=0.01),
        samples=at,
    )
    assert said == (
        "Three clients; the two silent ones held two workers in recv for up to 1.0 s; "
        "the other was answered after 10 ms."
    )


def test_the_sentence_of_a_thread():
    threads = [process(threads=[thread(201, "recv(5)")])]
    at = [sample(t, held_by(1), processes=threads) for t in (0.0, 0.5)]
    said = finished(ending(1, "silent", asked=False, t=1.0), samples=at)
    assert said == "One silent client; it held a thread of the server in recv(5) for 1.0 s."


def test_the_sentence_of_a_silent_client_whom_nobody_minds():
    at = [sample(t, held_by(1), processes=[process(call="epoll_wait(4)")]) for t in (0.0, 0.5)]
    said = finished(ending(1, "silent", asked=False, t=1.0), ending(2, first=0.01), samples=at)
    assert said == (
        "Two clients; the polite one was answered after 10 ms; the silent one stayed and left without a word."
    )


@pytest.mark.parametrize(
    ("end", "more", "said"),
    [
        ("refused", {"errno": "ECONNREFUSED"}, "it was refused (ECONNREFUSED)"),
        ("reset", {"errno": "ECONNRESET"}, "it was reset by the server (ECONNRESET)"),
        ("reset", {"own": True}, "it reset by choice"),
        ("timed_out", {}, "it got no answer"),
        ("closed", {"note": "the server closed"}, "it was closed by the server without an answer"),
        ("closed", {"note": "the experiment ended"}, "it stayed to the end"),
    ],
)
def test_the_sentence_of_those_without_an_answer(end, more, said):
    assert finished(ending(1, end=end, **more)) == f"One polite client; {said}."


def test_the_sentence_of_an_answer_cut_short():
    said = finished(ending(1, first=0.01, end="closed", note="the server closed after 3 bytes"))
    assert said == "One polite client; it was answered after 10 ms; it was cut short."


def test_the_sentence_of_those_who_left_the_queue():
    said = finished(ending(1, "idle", asked=False, t=1.0), samples=[sample(0.0, queued(5001))])
    assert said == "One idle client; it left while still in the queue."


def test_the_sentence_of_nothing():
    story = Story()
    assert story.as_dict()["sentence"] == "Nothing has happened yet."
    story.finish(1.0)
    assert story.as_dict()["sentence"] == "No client has connected."


def test_the_sentence_while_it_runs():
    story = told(
        connecting(1, 0.0, "silent"), event(1, 0.1, "connected"), connecting(2, 0.2), connecting(3, 0.2)
    )
    assert story.as_dict()["sentence"] == "Three clients; two connecting, one connected."


def test_the_sentence_of_a_server_that_dies():
    death = {
        "t": 1.2,
        "kind": "server",
        "state": "died",
        "status": 3,
        "note": "Traceback\nMemoryError: full.\n",
    }
    story = told(*ending(1, end="reset", errno="ECONNRESET", t=1.2), death)
    story.finish(1.3)
    assert story.as_dict()["sentence"].endswith(
        "; the server died after 1.2 s with exit status 3: MemoryError: full."
    )


def test_the_sentence_of_an_experiment_that_was_stopped():
    stopped = {"t": 1.2, "kind": "end", "note": "stopped"}
    story = told(*ending(1, end="closed", t=1.2, note="the experiment was stopped"), stopped)
    story.finish(1.2)
    assert story.as_dict()["sentence"].endswith("; the experiment was stopped after 1.2 s.")


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (2.0, "2.0 s"),
        (1.984, "2.0 s"),
        (12.34, "12 s"),
        (0.999, "1.0 s"),
        (0.994, "990 ms"),
        (0.1234, "120 ms"),
        (0.0032, "3.2 ms"),
        (0.000037, "37 µs"),
        (0.0, "0.0 µs"),
    ],
)
def test_times_have_two_significant_digits(value, said):
    assert seconds(value) == said


def test_a_spread_names_its_unit_once_where_it_can():
    assert spread([0.1, 0.6]) == "100 to 600 ms"
    assert spread([0.1, 2.0]) == "100 ms to 2.0 s"
    assert spread([1.99, 2.01]) == "2.0 s"


def test_counts_are_words_up_to_twelve():
    assert [number(n) for n in (0, 1, 12, 13, 10_000)] == ["no", "one", "twelve", "13", "10,000"]
