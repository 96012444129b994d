"""One row of the evolution table: what a model costs on this machine, measured in under four seconds.

    row = measure("epoll_loop")
    row.alone, row.silent, row.cpu_us, row.kib
    print(table())

A row says how long a client waits beside nobody and beside one silent client, what a request costs, what an
idle connection costs, and how many processes and threads serve twenty connections. Rows are kept in
`answers/evolution_table.json`, beside the learner's answers, so that the chapters fill one table.
"""

import html
import json
import os
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import evolution
from evolution.lab import launch
from evolution.lab.measuring import Yardstick, kib, stamp
from evolution.lab.recording import this_machine
from evolution.lab.sentence import seconds as in_words

ANSWERS = Path("answers")
"""As in course/exercise.py: a learner's files are where the notebook runs."""

FILE = "evolution_table.json"

TOGETHER = 20
"""Connections for which processes and threads are counted."""

AT_ONCE = 16
"""Keep-alive connections for the cost of a request; fewer where fewer are served at a time."""

HEAD_START = 0.3
"""Seconds for the client beside a silent one, before the other measurements start: it is served by then, or
sleeps."""

PATIENCE = 30.0
"""Seconds after which a measuring process that goes on is given up."""


@dataclass(frozen=True)
class Row:
    """What one model costs. Times in seconds, medians; memory in KiB (Pss)."""

    model: str
    alone: float
    """A client's wait beside nobody: connect, ask, read, close."""
    silent: float | None
    """The same beside one silent client; None: nobody was served, for `waited` seconds."""
    waited: float | None
    cpu_us: float
    """The server's processor time for one request on a connection that stays, in µs."""
    connections: int
    """How many such connections there were at a time."""
    kib: float
    """What one more idle connection costs."""
    each: str
    """What it has of its own: "process", "thread", or "connection" (only its own bytes)."""
    held: int
    """How many of 20 connections were served at a time."""
    processes: int
    threads: int
    """How many there were for 20 connections, the main ones included."""
    machine: dict

    @property
    def cells(self):
        """The row in words, in the order of COLUMNS."""
        nobody = f"nobody served for {in_words(self.waited or 0)}"
        silent = nobody if self.silent is None else in_words(self.silent)
        return (
            self.model,
            in_words(self.alone),
            silent,
            f"{self.cpu_us:.0f} µs" if self.cpu_us >= 9.95 else f"{self.cpu_us:.1f} µs",
            kib(self.kib) + (f", a {self.each}" if self.each != "connection" else ""),
            self._crew(),
        )

    def _crew(self):
        crew = _count(self.processes, "process", "processes")
        if self.threads != self.processes:
            crew += f", {_count(self.threads, 'thread', 'threads')}"
        return crew + (f"; serves {self.held}" if self.held < TOGETHER else "")

    def __repr__(self):
        pairs = zip(COLUMNS[1:], self.cells[1:], strict=True)
        return "\n".join([self.model, *(f"  {name:24} {said}" for name, said in pairs)])

    def _repr_html_(self):
        return _html([self])


COLUMNS = (
    "model",
    "answer, alone",
    "beside a silent one",
    "CPU for a request",
    "idle connection",
    f"for {TOGETHER} connections",
)


class Table:
    """Rows of several models, in the order of the course; prints as text, shows as HTML."""

    def __init__(self, rows):
        known = {row.model: row for row in rows}
        order = [*evolution.GENERATIONS, *sorted(known.keys() - set(evolution.GENERATIONS))]
        self.rows = [known[model] for model in order if model in known]

    @property
    def stamp(self):
        """Machines and dates of the rows: one line for each that differs."""
        seen = dict.fromkeys(stamp(row.machine) for row in self.rows)
        return "; ".join(seen)

    @property
    def sentence(self):
        """What the table says, in words, with its figures."""
        if not self.rows:
            return "Nothing has been measured yet: lab.measure(model) adds a row."
        stuck = [row.model for row in self.rows if row.silent is None]
        parts = [f"{_list(stuck)} served nobody beside one silent client"] if stuck else []
        cheap, dear = (pick(self.rows, key=lambda row: row.kib) for pick in (min, max))
        if dear.kib > 2 * cheap.kib:
            figures = f"{kib(cheap.kib)} in {cheap.model}, {kib(dear.kib)} in {dear.model}"
            parts.append(f"an idle connection costs {figures}")
        quick, slow = (pick(self.rows, key=lambda row: row.cpu_us) for pick in (min, max))
        costs = f"a request costs {quick.cells[3]} of a processor in {quick.model}"
        dearer = slow.cpu_us > 1.3 * quick.cpu_us
        parts.append(costs + (f", {slow.cells[3]} in {slow.model}" if dearer else ""))
        words = "; ".join(parts)
        return f"{words[0].upper()}{words[1:]}."

    def as_dict(self):
        """Return the table as plain data, for a picture."""
        return {
            "title": "The evolution table",
            "sentence": self.sentence,
            "columns": list(COLUMNS),
            "rows": [list(row.cells) for row in self.rows],
            "stuck": [row.model for row in self.rows if row.silent is None],
            "stamp": self.stamp,
        }

    def markdown(self):
        """Return the table as Markdown, with its stamp."""
        lines = [COLUMNS, ["---"] * len(COLUMNS), *(row.cells for row in self.rows)]
        rows = [f"| {' | '.join(cells)} |" for cells in lines]
        return "\n".join([*rows, "", f"{self.sentence} {self.stamp}."]) + "\n"

    def _repr_html_(self):
        return _html(self.rows, self.sentence, self.stamp) if self.rows else f"<p>{self.sentence}</p>"

    def __repr__(self):
        lines = [COLUMNS, *(row.cells for row in self.rows)]
        widths = [max(len(line[i]) for line in lines) for i in range(len(COLUMNS))]
        pairs = (zip(line, widths, strict=True) for line in lines)
        said = ["  ".join(f"{cell:{width}}" for cell, width in pair).rstrip() for pair in pairs]
        return "\n".join([self.sentence, "", *said, self.stamp])


def measure(model, folder=ANSWERS, keep=True):
    """Measure one model on this machine and return its Row, kept in `folder` unless told otherwise.

    Starts two servers of its own and takes under four seconds. Raises MeasureError and LaunchError.
    """
    name = launch.model_name(model)
    with launch.start(name) as first, launch.start(name) as second:
        aside = Yardstick(second, [["beside_silent", {}]])
        try:
            aside.wait(HEAD_START)
            held = Yardstick(first, [["hold", {"connections": TOGETHER}]]).result(PATIENCE)["hold"]
            connections = max(1, min(AT_ONCE, held["held"]))
            steps = [["keep_alive", {"connections": connections}], ["alone", {}]]
            found = Yardstick(first, steps).result(PATIENCE) | {"hold": held} | aside.result(PATIENCE)
        finally:
            aside.close()
    row = _row(name, found)
    if keep:
        put(row, folder)
    return row


def table(folder=ANSWERS):
    """Return the Table of all rows measured so far, as they are kept in `folder`."""
    return Table(_read(folder).values())


def put(row, folder=ANSWERS):
    """Keep a row, in place of an older one of its model; at once or not at all (rename(2))."""
    rows = _read(folder) | {row.model: row}
    path = Path(folder) / FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.write_text(json.dumps([asdict(each) for each in rows.values()], indent=1) + "\n", encoding="utf-8")
    fresh.replace(path)


def _row(model, found):
    silent, hold, request = found["beside_silent"], found["hold"], found["keep_alive"]
    return Row(
        model, found["alone"]["median"], silent["median"], silent.get("waited"), request["us"],
        request["connections"], hold["kib"], hold["each"], hold["held"], hold["processes"],
        hold["threads"], this_machine(),
    )  # fmt: skip


def _html(rows, sentence="", stamp=""):
    """A quiet table in the notebook's own colours; on a narrow page it scrolls and the page does not."""

    def row(cells, tag, strong=False):
        bold = ";font-weight:600"
        side = "text-align:left;padding:3px 14px 3px 0;white-space:nowrap;font-variant-numeric:tabular-nums"
        return "".join(
            f'<{tag} style="{side}{bold if strong and not i else ""}">{html.escape(cell)}</{tag}>'
            for i, cell in enumerate(cells)
        )

    body = "".join(f"<tr>{row(each.cells, 'td', strong=True)}</tr>" for each in rows)
    said = f'<p style="margin:6px 0 0">{html.escape(sentence)}</p>' if sentence else ""
    small = "margin:2px 0 0;font-size:11px;color:var(--jp-content-font-color2)"
    stamped = f'<p style="{small}">{html.escape(stamp)}</p>' if stamp else ""
    return (
        '<div class="evolution-table" style="overflow-x:auto">'
        '<table style="margin:0;border-collapse:collapse">'
        f"<thead><tr>{row(COLUMNS, 'th')}</tr></thead><tbody>{body}</tbody></table></div>{said}{stamped}"
    )


def _read(folder):
    """Return {model: Row}; a file that cannot be read counts as none: measuring again repairs it."""
    try:
        facts = json.loads((Path(folder) / FILE).read_text(encoding="utf-8"))
        names = {field.name for field in fields(Row)}
        rows = [Row(**{name: value for name, value in each.items() if name in names}) for each in facts]
        return {row.model: row for row in rows}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _count(n, one, many):
    return f"{n} {one if n == 1 else many}"


def _list(names):
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
