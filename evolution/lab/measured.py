"""What is measured, with its picture: the cost of one wait, the evolution table, the survival grid, the race.

    cost(idle=(10, 100, 1000, 5000), guess={"poll": 900})
    survival(models=("blocking", "epoll_loop"))

Each gives the result (costs, measures, survivals, races: plain Python, no widgets), shown in a notebook as
its view. This is the place where the two meet.
"""

import html
import threading

import ipywidgets

import evolution
from evolution.lab import costs, measures, races, survivals
from evolution.lab.clients import ClientError
from evolution.lab.controls import button
from evolution.lab.experiment import ExperimentError
from evolution.lab.guarded import LaunchError
from evolution.views import Race, Scaling, Survival, Timeline, base, table

EVERY = 0.3
"""Seconds between two pictures of what goes on."""


class Shown:
    """A result with its picture: it has all that the result has, and a notebook shows the view."""

    def __init__(self, result, view):
        self.result, self.view = result, view

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.result, name)

    def __repr__(self):
        return repr(self.result)

    def _repr_mimebundle_(self, **kwargs):
        return self.view._repr_mimebundle_(**kwargs)


class EvolutionTable(measures.Table):
    """The table, which can be saved as a picture, too: `svg()`, beside `markdown()`."""

    def svg(self, theme="light"):
        """Return the table as one well-formed SVG; `theme` is "light" or "dark"."""
        return table.drawing(self.as_dict(), theme)


class Measurement(ipywidgets.VBox):
    """Something that takes its time, with Run and Stop, a progress bar, and its view, which fills meanwhile.

    `make` gives a new one for each Run: with start, stop, wait, running, progress, as_dict. `result` is the
    last one, None before; `run` and `stop` are the buttons, `said` the place for messages.
    """

    def __init__(self, make, view, words, below=()):
        self._make, self.view, self.result = make, view, None
        self._lock = threading.Lock()
        self.run = button("Run", "play", words, self._run)
        self.stop = button("Stop", "stop", "End it; what was measured stays", self._stop)
        self.run.button_style, self.stop.disabled = "primary", True
        self.progress = ipywidgets.FloatProgress(min=0, max=1)
        self.said = ipywidgets.HTML()
        controls = ipywidgets.HBox([self.run, self.stop, ipywidgets.HTML(html.escape(words))])
        for part, name in ((controls, "controls"), (self.progress, "progress"), (self.said, "said")):
            part.add_class(f"evolution-{name}")
        style = ipywidgets.HTML(f"<style>{base.stylesheet('panel.css')}</style>")
        super().__init__([style, controls, self.progress, self.said, view, *below])
        self.add_class("evolution-panel")

    def wait(self, timeout=None):
        """Wait up to `timeout` seconds for the end; return whether it has come."""
        ended = self.result is not None and self.result.wait(timeout)
        if ended:  # a cell that waits gets the last picture into the saved notebook
            self._show(self.result)
        return ended

    def svg(self):
        return self.view.svg()

    def text(self):
        return self.view.text()

    def close(self):
        """End what goes on and take all of it out of the notebook."""
        self._stop()
        for child in self.children:
            child.close()
        super().close()

    def _repr_mimebundle_(self, **kwargs):
        bundle = super()._repr_mimebundle_(**kwargs)
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle or {}, {})
        return {**data, "image/svg+xml": self.svg(), "text/plain": self.text()}, metadata

    def _run(self, _=None):
        with self._lock:
            if self.result is not None and self.result.running:
                return
            self.run.disabled, self.stop.disabled = True, False
            self.said.value, self.progress.value = "", 0
            try:
                self.result = self._make()
                self.result.start()
            except (ClientError, ExperimentError, LaunchError, OSError) as error:
                self._say(error)
                self.run.disabled, self.stop.disabled = False, True
                return
            threading.Thread(target=self._follow, args=(self.result,), name="measured", daemon=True).start()

    def _stop(self, _=None):
        if self.result is not None:
            self.result.stop()

    def _follow(self, result):
        """Show what there is, again and again; in a thread of its own."""
        try:
            ended = False
            while not ended:
                ended = result.wait(EVERY)  # sleeps here
                self._show(result)
        except Exception as error:
            self._say(f"The picture is not complete: {error!r}")
            raise
        finally:
            self.run.disabled, self.stop.disabled = False, True

    def _show(self, result):
        state = result.as_dict()
        if state != self.view.state:
            self.view.state = state
        self.progress.value = result.progress if result.running else 0

    def _say(self, message):
        self.said.value = f'<div role="status"><p>{html.escape(str(message))}</p></div>'


class SurvivalPanel(Measurement):
    """The survival grid with its buttons; a click on a cell replays its run on `timeline`, below."""

    def __init__(self, make):
        self.timeline = Timeline()
        self.timeline.layout.display = "none"
        view = Survival()
        view.on_pick(self.replay)
        super().__init__(make, view, "Run every model against every card", below=[self.timeline])

    def replay(self, model, card):
        """Show the run of a cell on the timeline below."""
        try:
            if self.result is None:
                raise KeyError("This grid is a recorded one; press Run, then choose a cell to see its run.")
            self.timeline.state = self.result.recording(model, card).as_dict() | {"recorded": False}
        except KeyError as error:
            return self._say(error.args[0])
        self.said.value = ""
        self.timeline.layout.display = None


def cost(idle=costs.IDLE, active=1, kinds=costs.KINDS, guess=None):
    """Measure what one wait costs among idle descriptors; takes about 1.5 s. See `costs.measure`.

    Raises CostError for what cannot be measured.
    """
    found = costs.measure(idle, active, kinds, guess)
    return Shown(found, Scaling(found.as_dict()))


def evolution_table(folder=measures.ANSWERS):
    """Return the table of all models measured so far, as `measure` has kept them in `folder`."""
    return EvolutionTable(measures.table(folder).rows)


def survival(models=evolution.GENERATIONS, cards=survivals.USUAL, seconds=2.0):
    """Return the survival grid as a panel: Run fills it, a click on a cell replays that run.

    `seconds` bounds each run; nine models against eight cards take about a minute. Raises ClientError and
    LaunchError for unknown names.
    """
    survivals.Survival(models, cards, seconds)  # says at once what is wrong with the names
    return SurvivalPanel(lambda: survivals.Survival(models, cards, seconds))


def race(models=evolution.GENERATIONS, seconds=1.0, others=True):
    """Return the race as a panel: Run measures all models, and what of nginx, asyncio and PHP is installed.

    `seconds` is one of the three rounds of load; all nine and two others take about two minutes. Raises
    LaunchError for an unknown model.
    """
    races.Race(models, seconds, others)  # says at once what is wrong with the names
    words = "Measure all of them, one after the other, on this machine"
    return Measurement(lambda: races.Race(models, seconds, others), Race(), words)
