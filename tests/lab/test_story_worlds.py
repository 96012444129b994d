"""The story of made-up worlds: whatever happened and was seen of it, in lanes, in increments and in bands."""

import math

from hypothesis import given, settings
from hypothesis import strategies as st
from witnesses import SERVER, connecting, connection, event, process, queued, sample, told

from evolution.lab import story as story_module
from evolution.lab.increments import apply
from evolution.lab.story import Story

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
