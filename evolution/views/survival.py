"""The survival grid: generations down, client cards across, in each cell what came of a real run."""

from evolution.views import base
from evolution.views.drawn import Drawn
from evolution.views.figure import LETTER, Figure, machine, tip

VERDICTS = {
    # verdict: (glyph, colour, words of the legend); shape first, as everywhere
    "served": ("round", "served", "the others served at once: their median wait"),
    "late": ("ring", "queued", "served late: the wait of the last"),
    "some": ("bolt", "fail", "only some of the others served"),
    "nobody": ("hourglass", "fail", "nobody served, for so long"),
    "failed": ("cross", "fail", "the server or the run failed"),
}

NOT_YET = "not run yet"
"""What stands in a row without runs."""

ROW, LEFT = 32, {320: 84, 520: 92, 720: 100}
WIDEST = 110
"""px of a column, however few there are."""

STEEP = 520
"""On a page as narrow as this the names of the cards stand upright."""


class Survival(Drawn):
    """Show what `lab.survival` has found so far (Survival.as_dict of lab/survivals.py).

    `on_pick(callback)`: who clicks on a cell wants to see its run; callback(model, card).
    """

    _esm = base.module("figure.js", "survival.js")
    _css = base.stylesheet("figure.css")
    recorded = "survival_recorded.json"

    def __init__(self, state=None, **kwargs):
        self._wanted = []
        super().__init__(state, **kwargs)
        self.on_msg(self._asked)

    def on_pick(self, callback):
        self._wanted.append(callback)

    def _asked(self, _, content, __):
        if content.get("kind") == "replay":
            for callback in self._wanted:
                callback(content["model"], content["card"])

    def draw(self, state, width):
        return _grid(state, width)

    def words(self, state):
        """The grid in letters."""
        cells = {(cell["model"], cell["card"]): cell for cell in state["cells"]}
        cards = [card["name"] for card in state["cards"]]
        yield " " * 14 + "".join(f"{card:14}" for card in cards).rstrip()
        for model in state["models"]:
            row = [cells.get((model, card)) for card in cards]
            said = ["" if cell is None else f"{_LETTER[cell['verdict']]} {cell['figure']}" for cell in row]
            if _idle(state, model):
                said = [NOT_YET]
            yield f"{model:14}" + "".join(f"{each:14}" for each in said).rstrip()
        present = {cell["verdict"] for cell in state["cells"]}
        legend = {_LETTER[name]: words for name, (_, _, words) in VERDICTS.items() if name in present}
        yield "   ".join(f"{letter} {words}" for letter, words in legend.items())
        yield machine(state["machine"])


def _idle(state, model):
    """Whether nothing is to be seen in the row of a model, and nothing will be before Run."""
    return not state["running"] and all(cell["model"] != model for cell in state["cells"])


_LETTER = {"served": "●", "late": "○", "some": "ϟ", "nobody": "⧗", "failed": "x"}


def _grid(state, width):
    out, left = Figure(width), LEFT[width]
    cards, models = state["cards"], state["models"]
    wide = min(WIDEST, (width - left) / max(1, len(cards)))
    top = _heads(out, cards, left, wide, width <= STEEP)
    cells = {(cell["model"], cell["card"]): cell for cell in state["cells"]}
    underway = {tuple(pair) for pair in state["underway"]}
    for i, model in enumerate(models):
        y = top + i * ROW
        out.text(0, y + ROW / 2, model, look="name heading")
        if _idle(state, model):
            whole = len(cards) * wide
            _blank(out, {"x": left + 1.5, "y": y + 1.5, "width": whole - 3, "height": ROW - 3}, False)
            out.text(left + whole / 2, y + ROW / 2, NOT_YET, "soft", "", "middle")
            continue
        for j, card in enumerate(cards):
            pair, x = (model, card["name"]), left + j * wide
            box = {"x": x + 1.5, "y": y + 1.5, "width": wide - 3, "height": ROW - 3}
            if pair in cells:
                _cell(out, cells[pair], card, box)
            else:
                _blank(out, box, pair in underway)
    y = top + len(models) * ROW + 18
    out.height = _legend(out, state, y, width)
    return out


def _heads(out, cards, left, wide, steep):
    """The names of the cards; return where the rows begin."""
    for j, card in enumerate(cards):
        x = left + (j + 0.5) * wide
        said = tip(card["title"], card["said"])
        if steep:
            turned = f"rotate(-90 {x:.1f} 74)"
            out.text(x, 74, card["title"], "ink", "heading", transform=turned, tip=said)
            continue
        words = card["title"].replace("-", "- ").split()
        for k, word in enumerate(words):
            y = 26 - 13 * (len(words) - 1 - k)
            out.text(x, y, word, "ink", "heading", "middle", tip=said)
    return 80 if steep else 38


def _cell(out, cell, card, box):
    glyph, colour, _ = VERDICTS[cell["verdict"]]
    key = f"verdict.{cell['verdict']}"
    good = cell["verdict"] == "served"
    pens = {"fill": "pale", "stroke": None} if good else {"fill": "page", "stroke": colour}
    out.add("rect", paint=pens, rx=4, stroke_width=1.2, key=key, **box)
    middle, x = box["y"] + box["height"] / 2, box["x"] + box["width"] / 2
    figure = cell["figure"]
    ink = {"colour": "ink" if good else colour, "key": key}
    if box["width"] < 66:  # the mark above the figure, if there is room for it
        short = figure.replace(" of ", "/")
        fits = len(short) * LETTER <= box["width"]
        out.glyph(x, middle - 5.5 if fits else middle, glyph, colour, key=key)
        if fits:
            out.text(x, middle + 8, short, anchor="middle", **ink)
    else:
        shift = min(22, 6 + 3.2 * len(figure))
        out.glyph(x - shift, middle, glyph, colour, key=key)
        out.text(x - shift + 11, middle, figure, **ink)
    said = tip(
        f"{cell['model']}, {card['title'].lower()}: {cell['words']}",
        f"{cell['answered']} of the 4 others answered"
        + (f", after {cell['median'] * 1000:.2f} ms in the median" if cell["median"] is not None else ""),
        f"the last of them after {cell['slowest'] * 1000:.2f} ms" if cell["slowest"] is not None else "",
        f"the {card['title'].lower()} client: {cell['own']}" if cell["own"] else "",
        words=cell["sentence"],
    )
    data = {"model": cell["model"], "card": cell["card"], "verdict": cell["verdict"], "figure": figure}
    out.hit(**box, tip=said, item=True, data=data)


def _blank(out, box, underway):
    """A run that goes on, or has not begun."""
    dash = {"stroke_dasharray": "3 3"} if underway else {}
    out.add("rect", paint={"stroke": "quiet" if underway else "rule"}, rx=4, **dash, **box)
    if underway:
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        out.text(x, y, "…", "soft", "", "middle", data={"underway": ""})


def _legend(out, state, y, width):
    """Name the verdicts that are there; return the height."""
    x, present = 6, {cell["verdict"] for cell in state["cells"]}
    for verdict, (glyph, colour, words) in VERDICTS.items():
        if verdict not in present:
            continue
        wide = 26 + 6.1 * len(words)
        if x > 6 and x + wide > width:
            x, y = 6, y + 20
        out.glyph(x, y, glyph, colour)
        out.text(x + 11, y, words)
        out.hit(x - 8, y - 9, wide, 18, lights=f"verdict.{verdict}", tip=tip(words), item=True)
        x += wide + 12
    return out.lines(0, y + 22, machine(state["machine"]), "soft")
