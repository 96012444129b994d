"""What a Diff shows: two texts part by part and line by line, with what can be folded away.

Pure: texts in, plain data out. Parts stand in the order of the newer text, each beside its predecessor; what
has only moved is said, not shouted.
"""

import re
from bisect import bisect_left
from collections import Counter
from itertools import pairwise

from evolution.views import code
from evolution.views.diff_parts import base, called, parts
from evolution.views.diff_rows import changed_words, likeness, rows, without_comment

RENAMED = 0.62
"""How alike two methods of different names must be for one to be the other's new version."""

CONTEXT = 2
"""Unchanged lines that stay in sight beside a change."""

LONG = CONTEXT * 2 + 3
"""So many unchanged lines in a row are folded."""

TELLING = 12
"""Letters that a line must have for its reappearance elsewhere to be a move."""

QUIET = ("string", "comment")


def scene(state):
    """Return what to draw of {"old": {"name", "text"}, "new": {…}, "words"}.

    {"old" and "new": {"name", "head"}, "words", "figures", "calls": {"new": […], "gone": […]}, "parts": [{
    "name", "was", "kind", "moved", "lines", "segments": [{"fold", "said", "rows"}]}]}. A part's kind is
    "same", "changed", "new", "gone" or "kept" (inherited). A row is {"kind", "quiet", "moved", "old", "new"},
    a side of it {"n", "pieces": [[kind of code, words, whether they differ]]} or None.
    """
    old, new = state["old"], state["new"]
    texts = old["text"], new["text"]
    sides = [_Side(text, some) for text, some in zip(texts, parts(*texts), strict=True)]
    kept = base(new["text"]) == old["name"]
    drawn = [_part(one, other, sides, kept) for one, other in _pairs(*(side.parts for side in sides))]
    calls = called(old["text"], new["text"], kept)
    _note_moves(drawn, sides)
    _note_calls(drawn, calls)
    said = figures(drawn)
    for part in drawn:
        part["segments"] = list(_segments(part, old["name"]))
        del part["rows"]
    return {
        "old": {"name": old["name"], "head": sides[0].head},
        "new": {"name": new["name"], "head": sides[1].head},
        "words": state.get("words", ""),
        "figures": said,
        "calls": calls,
        "parts": drawn,
    }


class _Side:
    """One of the two texts."""

    def __init__(self, text, parts):
        self.lines, self.pieces, self.parts = text.splitlines(), code.lines(text), parts
        first = next((line.strip(" \"'") for line in self.lines if line.strip(" \"'")), "")
        self.head = first if self.parts and self.parts[0].kind == "docstring" else ""

    def side(self, n, changed=()):
        """Return line `n`, from 0, as one side of a row; `changed` are the stretches that differ."""
        return {"n": n + 1, "pieces": list(_cut(self.pieces[n], changed))}


def _cut(pieces, stretches):
    """Yield [kind, words, differs]: the pieces of a line, cut where a stretch begins or ends."""
    edges = sorted({edge for stretch in stretches for edge in stretch})
    at = 0
    for kind, text in pieces:
        end = at + len(text)
        stops = [at, *(edge for edge in edges if at < edge < end), end]
        for start, stop in pairwise(stops):
            differs = any(a <= start < b for a, b in stretches)
            yield [kind, text[start - at : stop - at], differs]
        at = end


# --- which part belongs to which ---


def _pairs(old, new):
    """Return [(old part or None, new or None)] in the order of the new; the gone follow their neighbours."""
    partner, left = {}, list(range(len(old)))
    for j, part in enumerate(new):
        same = [i for i in left if old[i].name == part.name and old[i].kind == part.kind]
        if same:
            partner[j] = same[0]
            left.remove(same[0])
    for j, part in enumerate(new):
        if j in partner or part.kind in ("docstring", "imports"):
            continue
        near = [
            (likeness("\n".join(old[i].code), "\n".join(part.code)), i)
            for i in left
            if old[i].kind == part.kind
        ]
        if near and max(near)[0] >= RENAMED:
            partner[j] = max(near)[1]
            left.remove(partner[j])
    paired = [(old[partner[j]] if j in partner else None, part) for j, part in enumerate(new)]
    for i in left:
        before = [at for at, (one, _) in enumerate(paired) if one in old[:i]]
        paired.insert(max(before) + 1 if before else 0, (old[i], None))
    return paired


def _part(old, new, sides, kept):
    whole = new or old
    part = {"name": whole.name, "was": None, "moved": False, "type": whole.kind}
    if new is None:
        kind, part["kind"] = ("kept", "kept") if kept and old.kind in ("method", "code") else ("gone", "gone")
        part["rows"] = [_row(kind, sides, old.first + i, None) for i in range(len(old.lines))]
    elif old is None:
        part["kind"] = "new"
        part["rows"] = [_row("new", sides, None, new.first + j) for j in range(len(new.lines))]
    else:
        part["was"] = old.name if old.name != new.name else None
        found = rows(old.lines, new.lines)
        if whole.kind == "docstring" and old.lines != new.lines:
            found = [("prose", i, None) for i in range(len(old.lines))]
            found += [("prose", None, j) for j in range(len(new.lines))]
        part["kind"] = "same" if all(kind == "same" for kind, _, _ in found) else "changed"
        part["rows"] = [
            _row(kind, sides, None if i is None else old.first + i, None if j is None else new.first + j)
            for kind, i, j in found
        ]
    part["at"] = (old.first if old else None, new.first if new else None)
    part["lines"] = len(whole.lines)
    return part


def _row(kind, sides, i, j):
    old, new = sides
    marked = ([], [])
    if kind == "changed":
        marked = changed_words(old.lines[i], new.lines[j])
    row = {"kind": kind, "moved": False}
    row["old"] = None if i is None else old.side(i, marked[0])
    row["new"] = None if j is None else new.side(j, marked[1])
    row["quiet"] = all(
        piece in QUIET or not words.strip()
        for side in (row["old"], row["new"])
        if side
        for piece, words, differs in side["pieces"]
        if differs or kind != "changed"
    )
    return row


# --- what has only moved ---


def _note_moves(drawn, sides):
    """Mark parts that changed their place among the others, and lines that are gone here and new there."""
    both = [part for part in drawn if None not in part["at"]]
    stay = _longest_rising([part["at"][0] for part in both])
    for number, part in enumerate(both):
        part["moved"] = number not in stay
    found = {"gone": {}, "new": {}}
    for part in drawn:
        for row in part["rows"]:
            if row["kind"] in found:
                side = "old" if row["kind"] == "gone" else "new"
                line = sides[side == "new"].lines[row[side]["n"] - 1]
                line = without_comment(line)
                if len(line) >= TELLING:
                    found[row["kind"]].setdefault(line, []).append(row)
    for line in found["gone"].keys() & found["new"].keys():
        for old, new in zip(found["gone"][line], found["new"][line], strict=False):
            old["moved"] = new["moved"] = True


def _note_calls(drawn, calls):
    """Mark in new and gone lines what is called for the first time, or no more: there the idea is."""
    for part in drawn:
        for row in part["rows"]:
            side = row["new"] if row["kind"] == "new" else row["old"] if row["kind"] == "gone" else None
            if side is None or row["moved"]:
                continue
            text = "".join(piece[1] for piece in side["pieces"])
            names = "|".join(map(re.escape, calls[row["kind"]]))
            spans = [each.span() for each in re.finditer(rf"\b(?:{names})(?=\()", text)] if names else []
            side["pieces"] = list(_cut([piece[:2] for piece in side["pieces"]], spans))


def _longest_rising(numbers):
    """Return the positions of a longest rising sequence: what need not have moved."""
    tops, ends, before = [], [], {}
    for at, number in enumerate(numbers):
        length = bisect_left(tops, number)
        tops[length : length + 1] = [number]
        ends[length : length + 1] = [at]
        before[at] = ends[length - 1] if length else None
    stay, at = set(), ends[-1] if ends else None
    while at is not None:
        stay.add(at)
        at = before[at]
    return stay


# --- folding, figures ---


def _segments(part, old):
    """Yield {"fold", "said", "rows"}: what is in sight, and runs of what is not new, with words for them."""
    rows, count = part["rows"], f"{part['lines']} lines" if part["lines"] > 1 else "1 line"
    name = part["name"]
    if part["type"] == "docstring" and part["kind"] == "changed":
        yield {"fold": True, "said": "what they say of themselves", "rows": rows}
    elif part["kind"] == "kept":
        yield {"fold": True, "said": f"{name}: {count}, inherited from {old}", "rows": rows}
    elif part["kind"] == "same":
        moved = ", elsewhere in the file" if part["moved"] else ""
        yield {"fold": len(rows) > 2, "said": f"{name}: {count}, the same{moved}", "rows": rows}
    else:
        yield from _runs(rows)


def _runs(rows):
    """Cut rows where a long run of unchanged ones begins and ends; a little of it stays in sight."""
    start = at = 0
    while at < len(rows):
        end = at
        while end < len(rows) and rows[end]["kind"] == "same":
            end += 1
        if end - at >= LONG:
            first, last = at + CONTEXT, end - CONTEXT if end < len(rows) else end
            yield {"fold": False, "said": "", "rows": rows[start:first]}
            yield {"fold": True, "said": f"{last - first} lines, the same", "rows": rows[first:last]}
            start = last
        at = max(end, at + 1)
    if start < len(rows):
        yield {"fold": False, "said": "", "rows": rows[start:]}


WORDS = {"same": "as before", "changed": "changed", "new": "new", "gone": "gone", "kept": "inherited"}


def figures(drawn):
    """Return one sentence of figures: how many methods are what, how many lines came and went."""
    methods = Counter(part["kind"] for part in drawn if part["type"] == "method")
    said = ", ".join(f"{methods[kind]} {word}" for kind, word in WORDS.items() if methods[kind])
    lines = Counter()
    for part in drawn:
        for row in part["rows"]:
            if not row["moved"] and _counts(row):
                lines.update(("gone", "new") if row["kind"] == "changed" else (row["kind"],))
    went, came = lines["gone"], lines["new"]
    unit = "line" if came == 1 else "lines"
    told = f"{came} {unit} of code came, {went} went" if came or went else "No line of code differs"
    return f"Methods: {said}. {told}." if said else f"{told}."


def _counts(row):
    """Whether a row counts as code that came or went: not blank, neither comment nor docstring."""
    return row["kind"] in ("gone", "new", "changed") and not row["quiet"]
