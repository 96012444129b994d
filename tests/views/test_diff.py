"""The diff's scene and its twins: what is as before, what moved, what is new, and the same in every form."""

import ast
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evolution.views import Diff, code, marks
from evolution.views.diff_rows import changed_words, rows
from evolution.views.diff_scene import scene
from evolution.views.diff_svg import COLUMNS, drawing

HOME = Path(__file__).parents[2] / "evolution"
STEPS = [
    ("blocking", "fork"),
    ("fork", "threads"),
    ("fork", "prefork"),
    ("threads", "select_loop"),
    ("select_loop", "poll_loop"),
    ("poll_loop", "epoll_loop"),
    ("epoll_loop", "reactor"),
    ("epoll_loop", "multireactor"),
]


def told(old, new, **more):
    return {"old": {"name": "old", "text": old}, "new": {"name": "new", "text": new}, "words": "", **more}


def step(old, new):
    texts = [{"name": name, "text": (HOME / f"{name}.py").read_text()} for name in (old, new)]
    return dict(zip(("old", "new"), texts, strict=True)) | {"words": ""}


def all_rows(drawn):
    return [row for part in drawn["parts"] for segment in part["segments"] for row in segment["rows"]]


def line(side):
    return "".join(piece[1] for piece in side["pieces"])


def part(drawn, name):
    (found,) = [each for each in drawn["parts"] if each["name"] == name]
    return found


def methods(text):
    return [node.name for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)]


@pytest.mark.parametrize("pair", STEPS, ids="-".join)
def test_every_line_of_both_texts_is_there_once(pair):
    state = step(*pair)
    drawn = scene(state)
    for side in ("old", "new"):
        lines = state[side]["text"].splitlines()
        shown = {row[side]["n"]: line(row[side]) for row in all_rows(drawn) if row[side]}
        assert [row[side]["n"] for row in all_rows(drawn) if row[side]] == [*dict.fromkeys(shown)]  # once
        assert all(lines[n - 1] == text for n, text in shown.items())
        left_out = [text for n, text in enumerate(lines, 1) if n not in shown]
        assert [text for text in left_out if text.strip()] == []


@pytest.mark.parametrize("pair", STEPS, ids="-".join)
def test_methods_stand_beside_their_predecessors(pair):
    state = step(*pair)
    drawn = scene(state)
    old, new = methods(state["old"]["text"]), methods(state["new"]["text"])
    for each in drawn["parts"]:
        if each["type"] != "method":
            continue
        was = each["was"] or each["name"]
        kind = each["kind"]
        assert (was in old) is (kind != "new") and (each["name"] in new) is (kind not in ("gone", "kept"))
        if kind in ("same", "kept"):
            assert all(segment["fold"] or len(segment["rows"]) < 3 for segment in each["segments"])


def test_what_a_composition_inherits_is_not_gone():
    drawn = scene(step("epoll_loop", "multireactor"))
    assert part(drawn, "accept")["kind"] == "kept"
    assert "inherited from epoll_loop" in part(drawn, "accept")["segments"][0]["said"]
    assert drawn["calls"]["gone"] == []


def test_what_is_called_for_the_first_time_is_named_and_marked():
    drawn = scene(step("blocking", "fork"))
    assert {"os.fork", "os.waitpid", "signal.signal"} <= set(drawn["calls"]["new"])
    marked = {
        piece[1]
        for row in all_rows(drawn)
        if row["kind"] == "new"
        for piece in row["new"]["pieces"]
        if piece[2]
    }
    assert {"fork", "waitpid"} <= marked  # `os.` before them is marked too, as a piece of its own


def test_moved_lines_and_parts_are_not_shouted():
    first, second = "def a():\n    return one_thing(1)\n", "def b():\n    return other_thing(2)\n"
    drawn = scene(told(f"{first}\n\n{second}", f"{second}\n\n{first}"))
    assert [each["kind"] for each in drawn["parts"]] == ["same", "same"]
    assert sorted(each["moved"] for each in drawn["parts"]) == [False, True]
    assert drawn["figures"] == "Methods: 2 as before. No line of code differs."
    before = "def a():\n    walk_the_dog()\n    for x in range(10):\n        x.close()\n"
    after = "def c():\n    if not ready:\n        walk_the_dog()\n    raise SystemExit(3)\n"
    moved = scene(told(before, after))
    both = [row["kind"] for row in all_rows(moved) if row["moved"]]
    assert sorted(both) == ["gone", "new"]


def test_a_renamed_method_is_known_again():
    body = "    for pid in list(self.{0}):\n        os.kill(pid, signum)\n        self.{0}.discard(pid)\n"
    drawn = scene(
        told(
            "def tell_children(signum):\n" + body.format("children"),
            "def tell_crew(signum):\n" + body.format("crew"),
        )
    )
    (only,) = drawn["parts"]
    assert (only["was"], only["name"], only["kind"]) == ("tell_children", "tell_crew", "changed")


def test_a_deeper_indentation_is_no_change():
    kinds = [kind for kind, _, _ in rows(["a()", "b()"], ["if x:", "    a()", "    b()"])]
    assert kinds == ["new", "same", "same"]


def test_the_words_that_differ():
    old, new = "    self.poller = select.poll()", "    self.poller = select.epoll()"
    (left,), (right,) = changed_words(old, new)
    assert (old[slice(*left)], new[slice(*right)]) == ("poll", "epoll")
    assert changed_words("    self.fork(a)", "        self.start(a)") == (
        [(9, 13)],
        [(13, 18)],
    )  # not the space


def test_texts_that_are_not_python_are_compared_as_well():
    drawn = scene(told("def f(:\n  x", "def f():\n  x"))
    assert [row["kind"] for row in all_rows(drawn)] == ["changed", "same"]
    assert scene(told("", ""))["parts"] == []


@pytest.mark.parametrize(
    "text", ["# a comment\n\nx = 1\n", "# nothing else", "\n\n\ndef f(): pass\n# the end"]
)
def test_comments_belong_to_what_follows_or_stands_alone(text):
    shown = [line(row["new"]) for row in all_rows(scene(told("", text)))]
    assert [each for each in shown if each.strip()] == [each for each in text.splitlines() if each.strip()]


LINES = st.lists(
    st.sampled_from(["a = 1", "b = f(a)", "    c()", "", "try:", "while True:", "x ="]), max_size=12
)


@given(old=LINES, new=LINES)
def test_rows_keep_both_texts_in_order(old, new):
    found = rows(old, new)
    assert [i for _, i, _ in found if i is not None] == list(range(len(old)))
    assert [j for _, _, j in found if j is not None] == list(range(len(new)))
    for kind, i, j in found:
        assert (kind in ("same", "changed")) is (i is not None and j is not None)
        if kind in ("same", "changed"):
            assert (old[i].strip() == new[j].strip()) is (kind == "same")


@given(text=st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=60))
def test_the_pieces_of_a_line_are_the_line(text):
    lines = text.splitlines()
    assert ["".join(words for _, words in line) for line in code.lines("\n".join(lines))] == lines


@pytest.mark.parametrize("pair", STEPS, ids="-".join)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_svg_has_the_unfolded_lines(pair, theme):
    drawn = scene(step(*pair))
    tree = ET.fromstring(drawing(drawn, theme))
    words = re.sub(r"\s", "", " ".join(tree.itertext()))
    for each in drawn["parts"]:
        for segment in each["segments"]:
            shown = (
                [segment["said"]]
                if segment["fold"]
                else [line(row["new"]) for row in segment["rows"] if row["new"]]
            )
            assert all(re.sub(r"\s", "", text) in words for text in shown)
    rows_of_text = [
        "".join(text.itertext()) for text in tree.iterfind("{http://www.w3.org/2000/svg}text[@textLength]")
    ]
    assert rows_of_text and max(map(len, rows_of_text)) <= COLUMNS


def test_every_form_begins_with_the_sentence():
    view = Diff(step("blocking", "fork") | {"words": "Changed since blocking: it forks."})
    data, _ = view._repr_mimebundle_()
    assert data["text/plain"].startswith("Changed since blocking: it forks. Methods: ")
    assert "Changed since blocking: it forks." in " ".join(ET.fromstring(data["image/svg+xml"]).itertext())
    assert "application/vnd.jupyter.widget-view+json" in data


@pytest.mark.parametrize(("dark", "page"), [(True, 1), (False, 0)])
def test_the_browser_is_sent_the_picture_to_save(monkeypatch, dark, page):
    view, sent = Diff(step("blocking", "fork")), []
    monkeypatch.setattr(view, "send", sent.append)
    view._handle_custom_msg({"kind": "svg please", "as": "png", "dark": dark}, [])
    (message,) = sent
    assert (message["kind"], message["as"]) == ("svg", "png")
    assert (
        marks.PALETTE["page"][page] in message["svg"]
        and marks.PALETTE["page"][1 - page] not in message["svg"]
    )


@pytest.mark.parametrize("column", [0, 1])
def test_code_can_be_read_on_its_background(column):
    page, tints = marks.PALETTE["page"][column], [marks.PALETTE[name][column] for name in ("served", "fail")]
    for look in code.KINDS.values():
        for tint in tints:
            assert contrast(look[column], mixed(tint, page, 0.09)) >= 4.5


def mixed(colour, page, share):
    pairs = zip(bytes.fromhex(colour[1:]), bytes.fromhex(page[1:]), strict=True)
    return "#" + bytes(round(a * share + b * (1 - share)) for a, b in pairs).hex()


def contrast(one, other):
    def luminance(colour):
        parts = [value / 255 for value in bytes.fromhex(colour[1:])]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)
