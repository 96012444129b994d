"""The survival grid: every model against every card, each cell a run of its own.

    grid = Survival(models=("blocking", "epoll_loop"), cards=("silent", "dripping"))
    grid.start()
    grid.wait()
    print(grid)
    grid.recording("blocking", "silent")     what was seen in that run, to be replayed

In each run a fresh server meets the card's client or clients and, right after, four polite ones. The verdict
is about those: were they served, and after how long? Two runs at a time at most, so that they do not measure
each other; nine models and eight cards take about a minute.
"""

import queue
import threading
from dataclasses import asdict

import evolution
from evolution.lab.clients import CARDS, ClientError
from evolution.lab.contenders import contenders
from evolution.lab.experiment import PATIENCE, Experiment, ExperimentError
from evolution.lab.guarded import LaunchError
from evolution.lab.recording import this_machine
from evolution.lab.sentence import number, seconds
from evolution.lab.survival_cells import CROWDS, POLITE, USUAL, Cell, judge

AT_ONCE = 2
"""Runs at a time."""


class Survival:
    """See the module. `models` as in contenders.contenders; `seconds` bounds each run.

    Raises ClientError and LaunchError for unknown names.
    """

    def __init__(self, models=evolution.GENERATIONS, cards=USUAL, seconds=2.0):
        self._starters = contenders(models, others=False)
        self.models = list(self._starters)
        self.cards = list(cards)
        for card in self.cards:
            if card not in CROWDS:
                raise ClientError(f"expected cards out of {', '.join(CROWDS)}; not {card!r}")
        if not 0.5 <= seconds <= 10:
            raise ClientError(f"expected runs of 0.5 to 10 seconds, not {seconds!r}")
        self.seconds = float(seconds)
        self.cells = {}
        """{(model, card): Cell} of the runs that have ended."""
        self.underway = set()
        self.machine = this_machine()
        self._recordings, self._subscribers = {}, []
        self._lock, self._stop, self._done = threading.Lock(), threading.Event(), threading.Event()
        self._experiments, self._left, self._started = set(), 0, False

    # --- running ---

    @property
    def total(self):
        return len(self.models) * len(self.cards)

    @property
    def running(self):
        return self._started and not self._done.is_set()

    @property
    def progress(self):
        return len(self.cells) / self.total

    def subscribe(self, callback):
        """Call `callback(self)` from a thread whenever a run has begun or ended, and at the end."""
        self._subscribers.append(callback)

    def start(self):
        """Start the runs and return. Raises ExperimentError when they were started before."""
        with self._lock:
            if self._started:
                raise ExperimentError("this grid was run before; make a new one to run it again")
            self._started = True
        waiting = queue.SimpleQueue()
        for model in self.models:
            for card in self.cards:
                waiting.put((model, card))
        self._left = min(AT_ONCE, self.total)
        for _ in range(self._left):
            threading.Thread(target=self._work, args=(waiting,), name="survival", daemon=True).start()

    def stop(self):
        """End all at once; the cells that are done stay. Harmless at any time."""
        self._stop.set()
        with self._lock:
            some = list(self._experiments)
        for experiment in some:
            experiment.stop()
        if self._started:
            self._done.wait(PATIENCE)

    def wait(self, timeout=None):
        """Wait up to `timeout` seconds for the end; return whether it has come."""
        return self._done.wait(timeout)

    def recording(self, model, card):
        """Return the Recording of a run that has ended. Raises KeyError when there is none."""
        if (model, card) not in self._recordings:
            raise KeyError(f"no run of {model} beside {card} is kept; there are {sorted(self._recordings)}")
        return self._recordings[model, card]

    def _work(self, waiting):
        try:
            while not self._stop.is_set():
                try:
                    model, card = waiting.get_nowait()
                except queue.Empty:
                    break
                self._run(model, card)
        finally:
            with self._lock:
                self._left -= 1
                last = not self._left
            if last:
                self._done.set()
            self._tell()

    def _run(self, model, card):
        self.underway.add((model, card))
        self._tell()
        try:
            cell = self._one(model, card)
        except (LaunchError, ExperimentError, OSError) as error:
            cell = Cell(model, card, "failed", 0, None, None, 0.0, "", str(error))
        finally:
            self.underway.discard((model, card))
        if not self._stop.is_set():
            self.cells[model, card] = cell
            self._tell()

    def _one(self, model, card):
        server = self._starters[model]()
        try:
            crowd = [*CROWDS[card], ("polite", POLITE, {"gap": 0.02})]
            experiment = Experiment(server, crowd, self.seconds, f"{model}: {CARDS[card].label}")
            with self._lock:
                self._experiments.add(experiment)
            try:
                experiment.start()
                if not self._stop.is_set():  # else it came before there was anything to be ended
                    experiment.wait(self.seconds + PATIENCE)
            finally:
                experiment.stop()
                with self._lock:
                    self._experiments.discard(experiment)
        finally:
            server.kill()  # a model that somebody holds up would take its time over stopping in order
        self._recordings[model, card] = experiment.recording
        return judge(model, card, experiment.story)

    def _tell(self):
        for callback in list(self._subscribers):
            callback(self)

    # --- what came of it ---

    def as_dict(self):
        """Return the state of the Survival view."""
        return {
            "title": "The survival grid",
            "sentence": self.sentence,
            "models": self.models,
            "cards": [
                {"name": card, "title": CARDS[card].title, "said": CARDS[card].sentence}
                for card in self.cards
            ],
            "cells": [
                {**asdict(cell), "figure": cell.figure, "words": cell.words}
                for cell in list(self.cells.values())
            ],
            "underway": [list(pair) for pair in sorted(self.underway)],
            "running": self.running,
            "recorded": False,
            "machine": self.machine,
        }

    @property
    def sentence(self):
        """What was seen, in words, with its figures."""
        cells = list(self.cells.values())
        if not cells:
            return "No run has ended yet."
        good = sum(cell.verdict == "served" for cell in cells)
        run = "run" if len(cells) == 1 else "runs"
        clauses = [f"{len(cells)} {run}: in {good} the others were served at once"]
        late = [cell for cell in cells if cell.verdict == "late"]
        if late:
            clauses.append(
                f"in {number(len(late))} after up to {seconds(max(cell.slowest for cell in late))}"
            )
        for verdict, said in (("nobody", "nobody"), ("some", "only some")):
            clauses += [f"{models} served {said} beside {cards}" for models, cards in self._of(verdict)]
        clauses += [f"{models} failed beside {cards}" for models, cards in self._of("failed")]
        return "; ".join(clauses) + "."

    def _of(self, verdict):
        """Yield (models, cards) in words for which the verdict holds; models with the same cards together."""
        groups = {}
        for model in self.models:
            found = tuple(card for card in self.cards if self._verdict(model, card) == verdict)
            if found:
                groups.setdefault(found, []).append(model)
        for cards, models in groups.items():
            yield _list(models), f"{_list([CARDS[card].label for card in cards])} clients"

    def _verdict(self, model, card):
        cell = self.cells.get((model, card))
        return cell.verdict if cell else None

    def __repr__(self):
        width = max(map(len, self.cards), default=0) + 2
        rows = [" " * 14 + "".join(f"{card:{width}}" for card in self.cards)]
        for model in self.models:
            said = [
                self.cells[model, card].figure if (model, card) in self.cells else "" for card in self.cards
            ]
            marks = ["" if self._verdict(model, card) in (None, "served") else "! " for card in self.cards]
            rows.append(
                f"{model:14}"
                + "".join(f"{mark + each:{width}}" for mark, each in zip(marks, said, strict=True))
            )
        return "\n".join([self.sentence, "", *(row.rstrip() for row in rows)])


def _list(names):
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
