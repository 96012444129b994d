"""The timeline's increments, the widget that they are pushed to, and the recorded runs that it shows before."""

import copy
import json
import re
from pathlib import Path

import pytest
import view_states as states

from evolution.views import Timeline, base, recorded
from evolution.views.timeline import merge
from evolution.views.timeline_svg import drawing
from evolution.views.timeline_text import text


# --- increments ---
def story(state, t):
    """The state as it was at `t`."""
    past = copy.deepcopy(state) | {"now": t, "running": True, "end": None}
    for table in ("lanes", "processes"):
        for each in past[table]:
            each["spans"] = [
                s if s["to"] is None or s["to"] <= t else s | {"to": None}
                for s in each["spans"]
                if s["from"] <= t
            ]
            each["end"] = each["end"] if each["end"] and each["end"]["t"] <= t else None
        past[table] = [each for each in past[table] if each["spans"]]
    past["queue"]["steps"] = [step for step in past["queue"]["steps"] if step[0] <= t]
    return past


def change(before, after):
    """The increment that leads from one state to the next."""
    update = {"kind": "timeline"} | {
        key: after[key] for key in ("now", "end", "running", "sentence", "guesses")
    }
    for table in ("lanes", "processes"):
        known, update[table] = {each["id"]: each for each in before[table]}, []
        for each in after[table]:
            old = known.get(each["id"], {"spans": []})
            keep = next((i for i, s in enumerate(old["spans"]) if s != each["spans"][i]), len(old["spans"]))
            if old != each:
                update[table].append(each | {"keep": keep, "spans": each["spans"][keep:]})
    keep = len(before["queue"]["steps"])
    update["queue"] = {
        "limit": after["queue"]["limit"],
        "keep": keep,
        "steps": after["queue"]["steps"][keep:],
    }
    return update


def test_increments_lead_to_the_whole_state(state):
    live = story(state, 0.0)
    for t in (state["now"] * i / 17 for i in range(1, 17)):
        merge(live, change(live, story(state, t)))
        assert live == story(state, t)
    merge(live, change(live, state))
    assert live == state


def test_an_increment_is_left_as_it_was():
    state = states.blocking()
    early, late = story(state, 0.5), story(state, 1.0)
    update = change(early, late)
    kept = json.dumps(update)
    merge(early, update)
    merge(early, {"lanes": [{"id": "c1", "keep": 0, "spans": []}]})
    assert json.dumps(update) == kept


def test_an_increment_after_a_missing_one_is_refused():
    with pytest.raises(ValueError, match="expected an increment that builds on 3 spans, not on 9"):
        merge(states.blocking(), {"lanes": [{"id": "c1", "keep": 9, "spans": []}]})


def test_bands_grow_by_increments():
    live = states.blocking()
    merge(live, {"bands": {"keep": 0, "steps": [[0, {"idle": 1}], [1, {"idle": 2}]]}, "clients": 2})
    merge(live, {"bands": {"keep": 1, "steps": [[1, {"idle": 3}]]}, "clients": 3})
    assert live["bands"] == [[0, {"idle": 1}], [1, {"idle": 3}]] and live["clients"] == 3


# --- the widget, without a kernel ---
@pytest.fixture
def watched(monkeypatch):
    """A view of a run at 0.5 s, the messages that it sends, and the moments to come."""
    moments = [story(states.blocking(), t) for t in (0.5, 1.0, 1.5)]
    view, sent = Timeline(moments[0]), []
    monkeypatch.setattr(view, "send", sent.append)
    return view, sent, moments


def test_push_sends_an_increment_and_the_trait_follows_rarely(watched, monkeypatch):
    view, sent, (early, late, last) = watched
    monkeypatch.setattr(base, "EVERY", float("inf"))
    first, second = change(early, late), change(late, last)
    view.push(first)
    view.flush()
    view.push(second)
    view.push({"kind": "xray", "state": {}})
    view.push({"kind": "progress", "value": 0.5, "running": True})
    assert sent == [first, second] and view.state == late
    assert view.text() == text(last) and view.svg() == drawing(last)
    view.push({"kind": "progress", "value": 1.0, "running": False})
    assert view.state == last


def test_a_second_run_begins_anew(watched):
    view, _, (early, _, last) = watched
    view.push(change(early, last))
    view.begin(early)
    assert view.state == early and view.text() == text(early)


def test_a_reloaded_page_gets_the_whole(watched):
    view, sent, (early, late, _) = watched
    view.push(change(early, late))
    view._handle_custom_msg({"kind": "snapshot please"}, [])
    assert sent[1:] == [{"kind": "snapshot", "state": late}]


def test_an_empty_view_shows_a_recorded_run_and_says_so():
    view = Timeline()
    assert view.state == recorded.timeline() and view.state["recorded"] is True
    assert view.text().startswith("Recorded: ")
    assert "Recorded: " in view.svg()


def test_every_form_of_output():
    view = Timeline(states.blocking())
    data, _ = view._repr_mimebundle_()
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == view.model_id
    assert data["image/svg+xml"] == view.svg() and data["text/plain"] == view.text()


def test_the_module_is_whole():
    """anywidget loads one entry: nothing is imported, nothing comes from elsewhere."""
    code = str(Timeline._esm)
    assert code.count("export default ") == 1 and not re.search(r"^\s*import\b|import\(", code, re.M)
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", code + str(Timeline._css))
    assert "--evo-served:#0072B2" in str(Timeline._css)


# --- the recorded runs ---
@pytest.mark.parametrize("name", ["blocking", "prefork", "select_loop", "reactor"])
def test_the_recorded_runs_are_whole_and_their_twins_fresh(name):
    """python -m evolution.lab.record makes them, python -m evolution.views.recorded draws them."""
    state, xray = recorded.timeline(name), recorded.xray(name)
    assert state["recorded"] and xray["recorded"] and not state["running"]
    assert state["title"].startswith(name) and xray["server"]["model"] == name
    assert [each["label"] for each in state["lanes"]] == ["silent 1", *(f"polite {n}" for n in range(1, 6))]
    assert {each["end"]["state"] for each in state["lanes"]} == {"done"}
    twins = dict(recorded.twins())
    folder = Path(__file__).parents[2] / "notebooks" / "img"
    for view in ("timeline", "xray"):
        file = f"{view}-{name}.svg"
        assert (folder / file).read_text(encoding="utf-8") == twins[file] + "\n"


def test_a_model_without_a_recorded_run_gets_the_first():
    assert recorded.timeline("threads") is recorded.timeline() and recorded.xray("threads") is recorded.xray()
