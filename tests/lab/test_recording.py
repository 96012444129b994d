"""A recording gives back what was put into it, and says by line what is wrong with a file."""

import copy
import json
import math
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evolution.lab import recording as recording_module
from evolution.lab.clients import plan
from evolution.lab.delta import delta, patch
from evolution.lab.increments import apply
from evolution.lab.recording import Recording, RecordingError, load, parse

DOCUMENT = Path(__file__).parents[2] / "docs" / "recordings.md"


def xray(t, ports=(), cpu_ms=1.0, call="accept(3)"):
    thread = {"tid": 100, "state": "S", "call": call, "syscall": "accept4", "wchan": "inet_csk_accept"}
    fds = [{"fd": n, "kind": "other", "text": "/dev/null", "inode": 5, "object": None} for n in range(3)]
    process = {"pid": 100, "ppid": 1, "depth": 0, "name": "python", "state": "S", "cpu_ms": cpu_ms}
    connection = {
        "state": "ESTABLISHED",
        "accepted": False,
        "inode": 0,
        "holders": [],
        "unread": 0,
        "unsent": 0,
    }
    return {
        "t": t,
        "took": 0.001,
        "server": {"model": "blocking", "address": "127.0.0.1:9080", "pid": 100},
        "processes": [process | {"threads": [thread], "fds": fds}],
        "listeners": [{"inode": 77, "address": "127.0.0.1:9080", "length": len(ports), "limit": 1024}],
        "connections": [{"port": port} | connection for port in sorted(ports)],
        "epolls": [],
        "clients": [],
        "sources": {"fds": "/proc/PID/fd"},
    }


def event(t, client, state, **more):
    return {"t": t, "kind": "client", "id": client, "state": state, **more}


@pytest.fixture
def recorded():
    made = plan("127.0.0.1:9080", [("silent", 1), ("polite", 1)], seconds=2.0)
    recording = Recording("blocking: 1 silent, 1 polite", plan=made, model="blocking")
    for item in (
        event(0.001, "c1", "connecting", card="silent", label="silent 1", port=5001),
        event(0.002, "c1", "connected"),
        xray(0.0, (5001,)),
        event(0.011, "c2", "connecting", card="polite", label="polite 1", port=5002),
        event(0.012, "c2", "connected"),
        event(0.012, "c2", "asked"),
        xray(0.05, (5001, 5002)),
        xray(0.10, (5001, 5002)),
        event(0.5, "c1", "done", note="left after 0.5 s"),
        xray(0.55, (), cpu_ms=2.0),
        event(0.6, "c2", "receiving", bytes=10, total=10),
        event(0.6, "c2", "answered", note="HTTP/1.1 200 OK"),
        event(0.6, "c2", "done"),
        {"t": 0.61, "kind": "end", "note": "complete"},
    ):
        recording.add(item)
    return recording


def test_saved_and_loaded_it_is_the_same(recorded, tmp_path):
    path = tmp_path / "deep" / "er" / "one.jsonl"
    recorded.save(path)
    again = load(path)
    assert again.items == recorded.items
    assert (again.title, again.plan, again.model) == (recorded.title, recorded.plan, recorded.model)
    assert again.machine == recorded.machine and again.machine["cores"] >= 1
    assert again.as_dict() == recorded.as_dict()


def test_a_recording_gives_the_timeline(recorded):
    state = recorded.as_dict()
    assert state["recorded"] is True and state["running"] is False and state["end"] == 0.61
    assert [lane["label"] for lane in state["lanes"]] == ["silent 1", "polite 1"]
    assert [lane["end"]["state"] for lane in state["lanes"]] == ["done", "done"]
    assert state["sentence"].startswith("Two clients; ")


def test_an_xray_that_did_not_change_costs_little(recorded):
    lines = [json.loads(line) for line in recorded.lines()]
    xrays = [line for line in lines if line.get("kind") == "xray"]
    assert xrays[2]["delta"] == {".": {"t": {"=": 0.10}}}
    assert len(json.dumps(xrays[2])) * 10 < len(json.dumps(xray(0.10, (5001, 5002))))


def test_a_moment_in_the_middle(recorded):
    state, shown = recorded.moment(0.3)
    assert (state["now"], state["running"]) == (0.3, True)
    assert [lane["spans"][-1]["state"] for lane in state["lanes"]] == ["queued", "queued"]
    assert shown["t"] == 0.10
    assert [(each["label"], each["port"], each["state"]) for each in shown["clients"]] == [
        ("silent 1", 5001, "queued"),
        ("polite 1", 5002, "queued"),
    ]
    assert recorded.moment(0.0)[1] is None


def test_a_replay_tells_the_same_story(recorded):
    replay = recorded.replay(speed=math.inf)
    state, kinds = replay.story.as_dict(), []

    def listen(update):
        nonlocal state
        kinds.append(update["kind"])
        if update["kind"] == "timeline":
            state = apply(state, update)

    replay.subscribe(listen)
    replay.start()
    assert replay.wait(20)
    assert state == replay.story.as_dict()
    assert state["lanes"] == recorded.as_dict()["lanes"]
    assert state["sentence"] == recorded.as_dict()["sentence"]
    assert {"timeline", "xray", "progress"} <= set(kinds) and kinds[-1] == "progress"
    assert (replay.running, replay.progress) == (False, 1.0)


def test_a_replay_starts_once_and_can_be_stopped(recorded):
    replay = recorded.replay(speed=1e-6)
    replay.start()
    with pytest.raises(RecordingError, match="started before"):
        replay.start()
    replay.stop()
    assert replay.wait(0) and not replay.running


@pytest.mark.parametrize("speed", [0, -1, math.nan])
def test_the_speed_of_a_replay_is_above_zero(recorded, speed):
    with pytest.raises(RecordingError, match="expected a speed above 0"):
        recorded.replay(speed)


HEADER = '{"format":"evolution-recording","version":1}'


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([], "x.jsonl, line 1: expected the format 'evolution-recording', but the file is empty"),
        (['{"format":"other"}'], "line 1: expected the format 'evolution-recording', not 'other'"),
        (['{"format":"evolution-recording","version":2}'], "line 1: expected version 1, not 2: update"),
        ([HEADER[:-1] + ',"plan":{"clients":1}}'], "line 1: expected a plan, but: KeyError 'groups'"),
        ([HEADER, "nonsense"], "line 2: expected one JSON object, not 'nonsense'"),
        ([HEADER, "[1]"], "line 2: expected one JSON object, not '[1]'"),
        ([HEADER, "", '{"t":0,"kind":"client"'], "line 3: expected one JSON object"),
        ([HEADER, '{"kind":"client"}'], 'line 2: expected a time "t" in seconds, not None'),
        (
            [HEADER, '{"t":0,"kind":"dance"}'],
            "line 2: expected a kind out of client, server, end, call, signal, exit, xray; not 'dance'",
        ),
        ([HEADER, '{"t":0,"kind":"client"}'], "line 2: expected the members of an event of kind client"),
        (
            [HEADER, '{"t":0,"kind":"client","id":"c1"}'],
            "line 2: expected the members of an event of kind client",
        ),
        (
            [HEADER, '{"t":0,"kind":"xray"}'],
            "line 2: expected the changes of an X-ray, but: KeyError 'delta'",
        ),
        ([HEADER, '{"t":0,"kind":"call","tid":1}'], "line 2: expected the members of an event of kind call"),
        ([HEADER, '{"t":0,"kind":"xray","delta":{"=":[]}}'], "line 2: expected the changes of an X-ray"),
        ([HEADER, '{"t":0,"kind":"xray","delta":{".":{}}}'], "line 2: expected the changes of an X-ray"),
    ],
)
def test_errors_name_the_line_and_what_was_expected(lines, said, tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_text("\n".join(lines))
    with pytest.raises(RecordingError, match=re.escape(said)):
        load(path)


def test_a_file_cut_off_in_the_middle_names_its_last_line(recorded):
    lines = list(recorded.lines())
    with pytest.raises(RecordingError, match=f"line {len(lines)}: "):
        parse([*lines[:-1], lines[-1][:10]])


def test_the_document_shows_lines_that_can_be_read():
    blocks = re.findall(r"```json\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    recording = parse(line for block in blocks for line in block.splitlines())
    assert [item.get("kind", "xray") for item in recording.items] == [
        "client",
        "client",
        "xray",
        "call",
        "signal",
        "exit",
        "server",
        "end",
    ]
    assert recording.calls().as_dict()["lanes"][0]["spans"][0]["words"].startswith("accept4(3, ")


def test_system_calls_are_kept_beside_the_clients_and_change_nothing_about_them(recorded, tmp_path):
    calls = [
        {"t": 0.01, "kind": "call", "tid": 9, "name": "accept4", "args": "3"},
        {"t": 0.02, "kind": "signal", "tid": 9, "name": "SIGTERM"},
        {"t": 0.03, "kind": "exit", "tid": 9, "status": 0},
    ]
    calls[0] |= {"result": 4, "error": "", "note": "", "took": 0.005}
    alone = recorded.as_dict()
    for call in calls:
        recorded.add(call)
    recorded.save(tmp_path / "both.jsonl")
    again = load(tmp_path / "both.jsonl")
    assert again.as_dict() == alone and again.items == recorded.items
    assert again.moment(0.3)[0]["lanes"] == recorded.moment(0.3)[0]["lanes"]
    (lane,) = again.calls().as_dict()["lanes"]
    assert [span["word"] for span in lane["spans"]] == ["accept4", "SIGTERM"]
    assert lane["end"] == {"state": "gone", "t": 0.03, "note": "exited with 0"}


def test_an_older_xray_is_not_changed_by_a_newer_one(recorded):
    before = copy.deepcopy(recorded.items)
    list(recorded.lines())
    recorded.as_dict()
    recorded.moment(0.5)
    assert recorded.items == before


# --- differences ---

keys = st.sampled_from(["port", "fd", "pid", "t", "=", ".", "-", "by", "1"])
scalars = st.none() | st.booleans() | st.integers(-3, 3) | st.floats(allow_nan=False) | st.text(max_size=3)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=12,
)
rows = st.lists(st.fixed_dictionaries({"port": st.integers(0, 9), "x": scalars}), max_size=6)
tables = rows.map(
    lambda some: sorted({row["port"]: row for row in some}.values(), key=lambda row: row["port"])
)
tables |= rows.map(lambda some: sorted(some, key=lambda row: row["port"]))  # a port may come twice


@given(values | tables, values | tables)
def test_a_difference_applied_gives_the_new_value(old, new):
    difference = json.loads(json.dumps(delta(old, new)))
    assert patch(old, difference) == new


@given(values | tables)
def test_nothing_changed_is_no_difference(value):
    assert delta(value, copy.deepcopy(value)) is None


def test_one_row_of_a_big_table_is_a_small_difference():
    old = [{"port": port, "state": "ESTABLISHED"} for port in range(1000)]
    new = [row for row in old if row["port"] != 7]
    new[500] = new[500] | {"state": "CLOSE_WAIT"}
    assert delta(old, new) == {"by": "port", ".": {501: {".": {"state": {"=": "CLOSE_WAIT"}}}}, "-": [7]}


def test_the_machine_is_stamped():
    machine = recording_module.this_machine()
    assert re.fullmatch(r"\d+\.\d+\.\d+", machine["python"]) and re.fullmatch(
        r"\d{4}-\d\d-\d\d", machine["date"]
    )
    assert machine["kernel"].split()[0] in ("Linux", "Darwin")
