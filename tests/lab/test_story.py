"""The story: every mark in it was seen by somebody, in whatever order the news came."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from witnesses import SERVER, connecting, connection, event, process, queued, sample, spans, thread, told

from evolution.lab import story as story_module
from evolution.lab.increments import apply
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


# --- worlds: what really happened, and what the witnesses saw of it ---

times = st.floats(0.001, 1.0).map(lambda t: round(t, 3))


@st.composite
def clients_truth(draw, number):
    """The moments of one client; inf: never. `rounds` are (asked, first byte, pause after it)."""
    at = draw(times)
    connected = after(at, draw(times))
    accepted = after(connected, draw(times | st.just(math.inf)))
    rounds, now = [], connected
    for _ in range(draw(st.integers(0, 3))):
        asked = after(now, draw(st.just(0.0) | times))
        first = after(max(accepted, asked), draw(times))
        now = after(first, draw(times))
        rounds.append((asked, first, now))
    last = max([each for one in rounds for each in one if each < math.inf], default=connected)
    moments = {"number": number, "connecting": at, "connected": connected, "accepted": accepted}
    how = draw(st.sampled_from(["done", "reset"]))
    return moments | {"rounds": rounds, "end": after(last, draw(times)), "how": how}


def after(t, seconds):
    """Times are whole microseconds, so that sums and comparisons are exact."""
    return round(t + seconds, 6)


@st.composite
def worlds(draw):
    """What happened to some clients, what they told, and what some samples saw."""
    truths = [draw(clients_truth(number)) for number in range(1, draw(st.integers(1, 4)) + 1)]
    clock, samples = 0.0, []
    for _ in range(draw(st.integers(0, 12))):
        start, took = after(clock, draw(times)), after(0, draw(times) / 10)
        clock = after(start, took)
        moment = min(clock, start + took * draw(st.floats(0, 1)))
        samples.append(sample_of(draw, truths, start, took, moment))
    events = sorted((each for truth in truths for each in events_of(truth)), key=lambda each: each["t"])
    return truths, events, samples


def events_of(truth):
    number, end = truth["number"], truth["end"]
    yield connecting(number, truth["connecting"])
    yield event(number, truth["connected"], "connected")
    for asked, first, pause in truth["rounds"]:
        if asked < end:
            yield event(number, asked, "asked")
        if first < end:
            yield event(number, first, "receiving", bytes=10, total=100)
        if pause < end:
            yield event(number, pause, "idle")
    yield event(number, end, truth["how"])


def sample_of(draw, truths, start, took, moment):
    """What /proc shows at `moment`, read somewhere in a sample's interval; now and then it misses one."""
    there, call = [], None
    for truth in truths:
        port = 5000 + truth["number"]
        if truth["connected"] <= moment < truth["end"] and draw(st.integers(0, 5)):
            accepted = truth["accepted"] <= moment
            there.append(connection(port, [(SERVER, port)]) if accepted else queued(port))
            call = f"recv({port})" if accepted and draw(st.booleans()) else call
    return sample(start, *there, took=took, length=len(there), processes=[process(call=call)])


def shuffled(draw, events, samples):
    """One interleaving of the two streams, each in its own order."""
    events, samples, mixed = list(events), list(samples), []
    while events or samples:
        from_events = bool(events) and (not samples or draw(st.booleans()))
        mixed.append((events if from_events else samples).pop(0))
    return mixed


def retold(draw, events, samples, **options):
    """A story told in some order, and looked at now and then."""
    story = Story(**options)
    for item in shuffled(draw, events, samples):
        story.feed(item) if "kind" in item else story.sample(item)
        if draw(st.booleans()):
            story.changes()
    return story


@settings(max_examples=200, deadline=None)
@given(worlds(), st.data())
def test_spans_are_ordered_and_claim_nothing_that_was_not(world, data):
    truths, events, samples = world
    story = retold(data.draw, events, samples)
    for truth in truths:
        lane = next(each for each in story.as_dict()["lanes"] if each["id"] == f"c{truth['number']}")
        last = 0.0
        for span in lane["spans"]:
            assert last <= span["from"] <= span["to"]
            last = span["to"]
            check_claim(span, truth, samples)
        assert lane["end"]["t"] == truth["end"] >= last


def check_claim(span, truth, samples):
    """Queued and served: only with a sample that saw it, only until the next that saw something else."""
    port, start, end = 5000 + truth["number"], span["from"], span["to"]
    firsts = [first for _, first, _ in truth["rounds"]]
    moved_on = [t for _, first, pause in truth["rounds"] for t in (first, pause) if t < truth["end"]]
    if span["state"] == "queued":
        assert truth["connected"] <= start
        assert end <= min([*firsts, truth["end"]])
        assert any(each["t"] <= start and saw(each, port) == "queued" for each in samples)
        assert end <= contradiction(samples, port, start, {"queued"})
    if span["state"] == "served":
        since = max((t for t in moved_on if t <= start), default=0.0)
        asked = any(asked <= start < first for asked, first, _ in truth["rounds"])
        kinds = {"called", "held"} if asked else {"called"}
        assert truth["accepted"] <= start
        assert not any(start < first < end for first in firsts)
        assert any(
            since <= each["t"] and ended(each) <= start and saw(each, port) in kinds for each in samples
        )
        assert end <= contradiction(samples, port, start, {"called", "held"})
        assert span["pid"] == SERVER
    if span["state"] == "sending":
        assert any(first <= start < pause for _, first, pause in truth["rounds"])


def saw(sample, port):
    for each in sample["connections"]:
        if each["port"] == port:
            if not each["accepted"]:
                return "queued"
            return "called" if sample["processes"][0]["threads"][0]["call"] == f"recv({port})" else "held"
    return None


def ended(sample):
    return after(sample["t"], sample["took"])


def contradiction(samples, port, start, kinds):
    """When the first sample ended that began after `start` and saw something else."""
    others = (ended(each) for each in samples if each["t"] > start and saw(each, port) not in kinds)
    return min(others, default=math.inf)


@settings(max_examples=100, deadline=None)
@given(worlds(), st.data())
def test_the_order_in_which_the_witnesses_are_heard_does_not_matter(world, data):
    _, events, samples = world
    one = retold(data.draw, events, samples, clients=4).as_dict()
    other = told(*events, *samples, clients=4).as_dict()
    assert one == {**other, "lanes": one["lanes"]}
    assert sorted(one["lanes"], key=lane_id) == sorted(other["lanes"], key=lane_id)


def lane_id(lane):
    return lane["id"]


@settings(max_examples=150, deadline=None)
@given(worlds(), st.data(), st.sampled_from([1, 2, 60]))
def test_increments_applied_one_by_one_give_the_whole(world, data, most):
    _, events, samples = world
    story, before = Story(clients=len(world[0])), story_module.MOST_LANES
    story_module.MOST_LANES = most
    try:
        state = story.as_dict()
        for item in shuffled(data.draw, events, samples):
            story.feed(item) if "kind" in item else story.sample(item)
            if data.draw(st.booleans()):
                state = apply(state, story.changes())
                assert state == story.as_dict()
        story.finish(9.0)
        assert apply(state, story.changes()) == story.as_dict()
    finally:
        story_module.MOST_LANES = before


def test_an_increment_says_only_what_is_new():
    story = told(connecting(1, 0.0), event(1, 0.1, "connected"), connecting(2, 0.2))
    story.changes()
    story.feed(event(2, 0.3, "connected"))
    update = story.changes()
    assert [(lane["id"], lane["keep"]) for lane in update["lanes"]] == [("c2", 0)]
    story.sample(sample(0.35, length=0))
    assert story.changes()["queue"] == {"limit": 16, "keep": 0, "steps": [[0.35, 0]]}
    story.feed(event(2, 0.4, "done"))
    assert [(lane["keep"], len(lane["spans"])) for lane in story.changes()["lanes"]] == [(1, 1)]
    last = story.changes()
    assert (last["lanes"], last["processes"]) == ([], [])
    assert last["queue"] == {"limit": 16, "keep": 1, "steps": []}


# --- crowds ---


@settings(max_examples=100, deadline=None)
@given(worlds(), st.data())
def test_bands_count_the_clients_in_each_state(world, data):
    truths, events, samples = world
    story, before = Story(clients=len(truths)), story_module.MOST_LANES
    story_module.MOST_LANES = 0
    try:
        for item in shuffled(data.draw, events, samples):
            story.feed(item) if "kind" in item else story.sample(item)
            if data.draw(st.booleans()):
                story.changes()
        bands = story.as_dict()["bands"]
        for t, counts in bands:
            states = [state_at(lane.as_dict(), t) for lane in story.lanes.values()]
            assert counts == {state: states.count(state) for state in set(states) if state}
        assert [t for t, _ in bands] == sorted(t for t, _ in bands)
    finally:
        story_module.MOST_LANES = before


def state_at(lane, t):
    """Brute force: the last state that began by `t`."""
    state = None
    for span in lane["spans"]:
        state = span["state"] if span["from"] <= t + 1e-9 else state
    return lane["end"]["state"] if lane["end"] and lane["end"]["t"] <= t + 1e-9 else state


def test_of_a_crowd_the_interesting_ones_are_lanes():
    story = Story(clients=200)
    for client in range(1, 201):
        story.feed(connecting(client, 0.0, "idle" if client < 150 else "polite"))
        story.feed(event(client, 0.1, "connected"))
        story.feed(event(client, 0.1, "asked"))
        story.feed(event(client, 0.2 + client / 100, "receiving", bytes=1, total=1))
        story.feed(event(client, 3.0, "timed_out" if client == 77 else "done"))
    assert [lane["id"] for lane in story.as_dict()["lanes"]] == ["c1", "c150", "c77"]
    story.finish(3.0)
    state = story.as_dict()
    assert {"c1", "c150", "c77", "c200", "c199"} <= {lane["id"] for lane in state["lanes"]}
    assert len(state["lanes"]) <= 60
    assert state["clients"] == 200
    assert state["bands"][-1] == [3.05, {"done": 199, "timed_out": 1}]
