"""The system calls' twins and increments: every call has its mark, and every form says the same."""

import copy
import json
import re
import xml.etree.ElementTree as ET

import pytest

import evolution
from evolution.lab.trace_story import MOST_LANES, MOST_SPANS, TraceStory
from evolution.views import SysCalls, marks
from evolution.views.syscalls import merge
from evolution.views.syscalls_recorded import recorded
from evolution.views.syscalls_state import key_of, keys, names
from evolution.views.syscalls_svg import drawing
from evolution.views.syscalls_text import text

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(params=evolution.GENERATIONS)
def state(request):
    return recorded(request.param)


def call(t, name, *args, result=0, took=0.00005, tid=1, error="", note=""):
    facts = {"name": name, "args": ", ".join(map(str, args)), "result": result, "error": error, "note": note}
    return {"t": t, "kind": "call", "tid": tid, "took": took} | facts


def signal(t, name, tid=1):
    return {"t": t, "kind": "signal", "tid": tid, "name": name}


def gone(t, status=0, tid=1):
    return {"t": t, "kind": "exit", "tid": tid, "status": status}


FORK = "flags=CLONE_CHILD_CLEARTID|SIGCHLD"
THREAD = "{flags=CLONE_VM|CLONE_THREAD}"

FORKING = [
    call(0.0, "accept4", 3, result=5, took=0.1),
    call(0.11, "recvfrom", 5, '"GET"', result=3, tid=2),  # the child is quicker than its parent's clone
    call(0.105, "clone", FORK, result=2, took=0.01),
    call(0.12, "sendto", 5, '"HTTP"', result=90, tid=2),
    call(0.121, "close", 5),
    call(0.13, "recvfrom", 5, '""', result=0, took=0.2, tid=2),
    call(0.34, "close", 5, tid=2),
    call(0.35, "exit_group", 0, result=None, took=0.0, tid=2),
    gone(0.351, tid=2),
    signal(0.352, "SIGCHLD"),
    call(0.15, "accept4", 3, result=-1, error="EINTR", took=0.202),
    call(0.36, "wait4", -1, result=2),
]


def story(*events, now=None):
    made = TraceStory("mine")
    made.feed(events)
    made.under_way([], now or made.now)
    return made


def root(state, theme="light"):
    return ET.fromstring(drawing(state, theme))


# --- the story ---
def test_kinds_of_calls():
    made = story(
        call(0, "accept4", 3, result=4, took=0.5),
        call(1, "recvfrom", 4, result=-1, error="EAGAIN"),
        call(2, "recvfrom", 4, result=7),
        call(3, "close", 4, took=0.5),
        signal(4, "SIGTERM"),
    )
    spans = made.as_dict()["lanes"][0]["spans"]
    assert [span["kind"] for span in spans] == ["wait", "fail", "work", "work", "signal"]
    assert [span["said"] for span in spans] == ["→ 4", "EAGAIN", "→ 7", "→ 0", ""]
    assert [span["word"] for span in spans] == ["accept4", "recv", "recv", "close", "SIGTERM"]
    assert spans[1]["words"] == "recvfrom(4) = -1 EAGAIN"


def test_a_child_that_is_quicker_than_its_parent_is_still_its_child():
    made = story(*FORKING)
    parent, child = made.lanes.values()
    assert (parent.name, child.name, child.depth, child.end["note"]) == (
        "server",
        "worker",
        1,
        "exited with 0",
    )
    assert [span["child"] for span in parent.spans if span["word"] == "fork"] == ["t2"]
    assert made.requests == 1
    assert made.counts == {"accept4": 1, "fork": 1, "recv": 2, "send": 1, "close": 2}
    assert (
        made.idle == 1
    )  # the accept that a signal ended; the wait4 after the last connection is not counted


def test_the_threads_of_a_process_share_its_descriptors():
    made = story(
        call(0, "clone3", THREAD, result=2),
        call(1, "accept4", 3, result=5),
        call(2, "recvfrom", 5, result=3),
        call(3, "sendto", 5, result=9, tid=2),
        call(4, "recvfrom", 5, result=3),
        call(5, "sendto", 6, result=9, tid=2),  # another connection: nobody asked there
    )
    assert made.requests == 1
    assert made.lanes[2].name == "thread"


def test_what_only_wakes_the_loop_is_no_request():
    made = story(
        call(0, "socketpair", "AF_UNIX", "SOCK_STREAM", 0, "[6, 7]"),
        call(1, "accept4", 3, result=5),
        call(2, "recvfrom", 6, '"\\17"', result=1),
        call(3, "sendto", 6, result=1),
        call(4, "close", 5),
    )
    assert made.requests == 0
    assert made.counts == {"accept4": 1, "recv (own)": 1, "send (own)": 1, "close": 1}


def test_waiting_in_vain_is_not_counted_as_cost():
    idle = [call(t, "epoll_wait", 4, result=0, took=0.5) for t in range(1, 5)]
    made = story(
        call(0, "accept4", 3, result=5),
        *idle,
        call(9, "recvfrom", 5, result=3),
        call(10, "sendto", 5, result=3),
    )
    assert made.idle == 4 and made.counts == {"accept4": 1, "recv": 1, "send": 1}


def test_the_sentence_says_what_it_cost_and_who_slept():
    assert story().as_dict()["sentence"] == "No system call has been seen yet."
    assert (
        story(call(0, "socket")).as_dict()["sentence"] == "One system call; no request has been answered yet."
    )
    assert story(*FORKING, now=0.5).as_dict()["sentence"] == (
        "One request cost 7 system calls; 3 of them carry the bytes, the others are mostly close (2) and "
        "accept4 (1). The server's two processes slept 68% of the time, longest in accept4(3) for 202 ms."
    )


def test_more_than_can_be_drawn_is_left_out_and_said():
    many = [call(t / 1000, "read", 9, tid=1) for t in range(MOST_SPANS * 2)]
    threads = [call(9, "futex", tid=tid) for tid in range(2, MOST_LANES + 3)]
    made = story(*many, *threads)
    drawn = sum(len(lane.spans) for lane in made.lanes.values())
    assert drawn == MOST_SPANS and made.left_out == MOST_SPANS + MOST_LANES - 1
    assert len(made.lanes) == MOST_LANES and made.calls == MOST_SPANS * 2 + MOST_LANES + 1
    assert made.as_dict()["sentence"].endswith("Not drawn: the oldest 3,039 calls and two further threads.")


# --- increments ---
def test_increments_lead_to_the_whole_state(monkeypatch):
    monkeypatch.setattr("evolution.lab.trace_story.MOST_SPANS", 6)
    made, shown, sent = TraceStory("mine"), {"lanes": []}, 0
    for n, event in enumerate([*FORKING, *(call(1 + t, "read", 9) for t in range(9)), gone(20)]):
        made.feed([event])
        made.under_way([call(made.now, "accept4", 3, took=None)] if n % 3 == 0 and n < 20 else [], made.now)
        update = json.loads(json.dumps(made.changes()))
        sent += sum(len(lane["spans"]) for lane in update["lanes"])
        merge(shown, update)
        assert shown == made.as_dict()
    assert made.left_out and sent <= 2 * (len(FORKING) + 10)
    made.finish()
    merge(shown, made.changes())
    assert shown == made.as_dict() and not shown["running"]


def test_an_increment_after_a_missing_one_is_refused():
    made = story(*FORKING)
    made.changes()
    made.feed([call(2, "read", 9)])
    with pytest.raises(
        ValueError, match="expected an increment that builds on 0 calls of server 1, not on 6"
    ):
        merge({"lanes": []}, made.changes())


def test_push_sends_an_increment_and_the_trait_follows_rarely(monkeypatch):
    made, sent = story(*FORKING), []
    view = SysCalls(made.as_dict())
    view.send = sent.append
    made.changes()
    for t in range(3):
        made.feed([call(2 + t, "read", 9)])
        view.push(made.changes())
    assert len(sent) == 3 and [len(update["lanes"]) for update in sent] == [1, 1, 1]
    assert len(view.state["lanes"][0]["spans"]) == 7  # the first push is due, the others are not
    made.finish()
    view.push(made.changes())
    assert view.state == made.as_dict()
    view._asked(None, {"kind": "snapshot please"}, None)
    assert sent[-1] == {"kind": "snapshot", "state": made.as_dict()}


# --- twins ---
def test_every_call_has_a_mark_unless_it_shares_a_pixel(state):
    tree = root(state)
    for lane in state["lanes"]:
        group = tree.find(f".//*[@data-lane='{lane['id']}']")
        drawn = {(m.get("data-word"), m.get("data-from")) for m in group.iterfind("*[@data-word]")}
        waits = {(s["word"], str(s["from"])) for s in lane["spans"] if s["kind"] in ("wait", "signal")}
        assert waits <= drawn <= {(s["word"], str(s["from"])) for s in lane["spans"]}


def test_a_bar_is_as_long_as_its_call():
    tree = root(story(call(0, "accept4", 3, result=4, took=0.25), call(0.5, "close", 4, took=0.5)).as_dict())
    bars = {m.get("data-word"): m.find(f".//{SVG}rect") for m in tree.iterfind(".//*[@data-word]")}
    widths = {word: float(bar.get("width")) for word, bar in bars.items()}
    assert widths == {"accept4": pytest.approx(141, abs=1), "close": pytest.approx(282, abs=1)}
    assert bars["accept4"].get("fill") == marks.PALETTE["pale"][0]  # what waits is pale, what works is dark
    assert bars["close"].get("fill") == marks.PALETTE["busy"][0]


def test_a_bar_carries_name_and_result_where_there_is_room():
    span = story(call(0, "accept4", 3, result=5)).as_dict()["lanes"][0]["spans"][0]
    assert names(span) == ["accept4(3) → 5", "accept4 → 5", "accept4"]
    failed = story(call(0, "recvfrom", 4, result=-1, error="EAGAIN")).as_dict()["lanes"][0]["spans"][0]
    assert names(failed)[-1] == "EAGAIN"
    words = " ".join(root(recorded("fork")).itertext())
    assert "recv(4) → 0" in words and "accept4" in words


def test_a_line_leads_from_the_call_to_the_thread_that_it_made():
    tree = root(recorded("fork"))
    born = [path.get("data-birth") for path in tree.iterfind(".//*[@data-birth]")]
    assert sorted(born) == sorted(lane["id"] for lane in recorded("fork")["lanes"][1:])


def test_what_a_request_costs_is_drawn(state):
    tree = root(state)
    rows = [row.get("data-count") for row in tree.iterfind(".//*[@data-count]")]
    assert rows == [row["word"] for row in state["counts"]["rows"]]
    assert state["counts"]["head"] in " ".join(tree.itertext())


def test_the_sentence_is_the_first_line_and_in_the_picture(state):
    assert text(state).splitlines()[0] == f"Recorded: {state['sentence']}"
    assert f"Recorded: {state['sentence']}" in " ".join(root(state).itertext())


def test_the_legend_names_what_is_drawn_and_nothing_else(state):
    wanted = {key_of(span) for lane in state["lanes"] for span in lane["spans"]} | {"syscall.between"}
    assert {name for name in keys(state) if name != "ends.gone"} == wanted


def test_the_text_twin_tells_the_models_apart():
    assert "·" in text(recorded("blocking")) and "≡" not in text(recorded("blocking"))
    assert "≡" in text(recorded("epoll_loop")) and "·" not in text(recorded("epoll_loop"))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_is_written_under_11_px_or_outside(theme):
    picture = drawing(recorded("reactor"), theme)
    assert min(map(int, re.findall(r"(\d+)px system-ui|font-size:(\d+)px", picture)[0][:1])) >= 11
    tree = ET.fromstring(picture)
    width = float(tree.get("width"))
    assert all(-8 <= float(node.get("x", 0)) <= width for node in tree.iter(f"{SVG}text"))


def test_words_from_outside_cannot_break_the_picture():
    evil = copy.deepcopy(recorded("fork"))
    evil["title"] = evil["sentence"] = evil["lanes"][0]["label"] = "<script>&\"'"
    evil["lanes"][0]["spans"][0]["words"] = "</g>"
    assert "<script>&\"'" in " ".join(root(evil).itertext())


def test_an_empty_view_shows_a_recorded_run_and_says_so():
    view = SysCalls()
    assert view.state["recorded"] and view.text().startswith("Recorded: ")
    assert SysCalls({}).text().startswith("Nothing has been seen yet.")
    assert recorded("never heard of") == recorded("epoll_loop")


def test_the_recorded_runs_are_whole(state):
    assert state["counts"]["requests"] == 4 and state["recorded"] and not state["running"]
    assert all(lane["spans"] for lane in state["lanes"])


def test_every_form_of_output():
    bundle, _ = SysCalls()._repr_mimebundle_()
    assert {"application/vnd.jupyter.widget-view+json", "image/svg+xml", "text/plain"} <= set(bundle)


def test_the_module_is_whole():
    assert "import " not in re.sub(r"//.*", "", SysCalls._esm.split("export default")[0])
    assert SysCalls._esm.count("export default") == 1
