"""Panels: experiments with buttons, for a notebook.

    panel(server)                    clients on sliders, Run, Stop, the timeline and the X-ray, live

A panel needs no front end: `panel.run.click(); panel.wait(10)` runs an experiment in any Python process.
"""

import html
import signal
import threading
import traceback

import ipywidgets

from evolution.lab.clients import CARDS, ClientError, plan
from evolution.lab.controls import button, column, family, fold, row, slider
from evolution.lab.crowd import Choice, words
from evolution.lab.experiment import Experiment, ExperimentError
from evolution.lab.pictures import look
from evolution.views import Timeline, XRay, recorded
from evolution.views.form import Form

FIRST = ("polite", "silent", "dripping", "slow_reader")
"""Cards that are always in sight; the others are so if the crowd has them, else under "More clients"."""

USUAL = (("silent", 1), ("polite", 5))
"""The crowd of a panel that was not given any."""

_open = {}
"""Server: its panel. A cell that is run again makes a new panel, and the old one has to go."""


class Panel(ipywidgets.VBox):
    """See `panel`. Its parts can be used from Python, too:

    `run` and `stop` are the buttons, `clients` the sliders by the card's name, `timeline` and `xray` the
    views, `fold` the toggle above the X-ray, `said` the place for messages, and `experiment` the last one
    that was started, None before.
    """

    def __init__(self, server, crowd=None, seconds=6.0):
        self._lock = threading.Lock()
        self.server, self.seconds, self.experiment = server, seconds, None
        groups = plan(server.address, list(USUAL if crowd is None else crowd), seconds)["groups"]
        self._choice = Choice([(g["card"], g["n"], {**g["options"], "gap": g["gap"]}) for g in groups])
        self.clients = {name: slider(card, self._choice.asked(name)) for name, card in CARDS.items()}
        first = [name for name in CARDS if name in FIRST or name in self._choice.given]
        more = [name for name in CARDS if name not in first]
        self.summary, self.said = ipywidgets.HTML(), ipywidgets.HTML()
        self.run = button("Run", "play", "Connect these clients to the server", self._run)
        self.stop = button("Stop", "stop", "End the experiment; what was seen stays", self._stop)
        self.run.button_style, self.stop.disabled = "primary", True
        self.progress = ipywidgets.FloatProgress(min=0, max=1)
        self.timeline = Timeline(recorded.timeline(server.model))
        self.xray = XRay(recorded.xray(server.model))
        more_rows = column([row(name, self.clients[name]) for name in more])
        self.more = fold("More clients", more_rows)
        self.fold = fold("X-ray: the same moment inside the kernel", self.xray)
        self.fold.observe(self._open_xray, "value")
        for each in self.clients.values():
            each.observe(self._count, "value")
        rows = column([row(name, self.clients[name]) for name in sorted(first, key=_rank)])
        controls = ipywidgets.HBox([self.run, self.stop, self.summary])
        for part, name in ((controls, "controls"), (self.progress, "progress"), (self.said, "said")):
            part.add_class(f"evolution-{name}")
        views = [self.progress, self.said, self.timeline, self.fold, self.xray]
        super().__init__(
            [
                Form(),
                rows,
                self.more,
                more_rows,
                controls,
                *views,
            ]
        )
        self.add_class("evolution-panel")
        self._count()

    # --- what it offers to Python ---

    @property
    def crowd(self):
        """Who connects at the next Run, in this order; what the sliders say."""
        return self._choice.crowd({name: each.value for name, each in self.clients.items()})

    def wait(self, timeout=None):
        """Wait up to `timeout` seconds for the end of the experiment; return whether one has ended."""
        return self.experiment is not None and self.experiment.wait(timeout)

    def close(self):
        """End the experiment and take every part of the panel out of the notebook."""
        if _open.get(self.server) is self:
            del _open[self.server]
        with self._lock:
            experiment, self.experiment = self.experiment, None
        if experiment:
            experiment.stop()
        for child in family(self):
            if child is not self:
                child.close()
        super().close()

    def svg(self):
        """Return the static twin: the timeline."""
        return self.timeline.svg()

    def text(self):
        """Return the text twin: who connects, then the timeline in words."""
        return f"{self.server.model}: {words(self.crowd)}\n{self.timeline.text()}"

    def _repr_mimebundle_(self, **kwargs):
        bundle = super()._repr_mimebundle_(**kwargs)
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle or {}, {})
        return {**data, "image/svg+xml": self.svg(), "text/plain": self.text()}, metadata

    # --- the buttons; which thread calls them differs between versions of ipykernel ---

    def _run(self, _=None):
        with self._lock:
            self._set_running(True)
            before, self.experiment = self.experiment, None
            if before:
                before.stop()
            try:
                if not self.server.alive:
                    raise ExperimentError("The server has ended. Start it again, then this cell.")
                experiment = Experiment(self.server, self.crowd, self.seconds)
                self.experiment = experiment
                self.said.value = ""
                self.timeline.state = experiment.story.as_dict()
                experiment.subscribe(lambda update: self._take(experiment, update))
                experiment.start()
            except (ClientError, ExperimentError) as error:
                self.experiment = None
                self._set_running(False)
                self._say(error, self._last_words())

    def _stop(self, _=None):
        experiment = self.experiment
        if experiment:
            experiment.stop()

    def _set_running(self, running):
        self.run.disabled = running or not self.crowd
        self.stop.disabled = not running
        self.progress.value = 0

    # --- in the experiment's thread ---

    def _take(self, experiment, update):
        if experiment is not self.experiment:
            return
        try:
            self._draw(update)
        except Exception as error:  # say so, and go on: without its last update the panel would stay locked
            traceback.print_exc()
            self._say(f"The picture is not complete: {error!r}")
        if update["kind"] == "progress" and not update["running"]:
            self._set_running(False)

    def _draw(self, update):
        self.timeline.push(update)
        if self.fold.value:  # nobody looks at a closed one, and its pictures take the kernel's time
            self.xray.push(update)
        if update["kind"] != "progress":
            return
        self.progress.value = update["value"]
        if not update["running"]:
            self.timeline.state = self.experiment.story.as_dict()
            if not self.server.alive:
                self._say("The server has ended during the experiment.", self._last_words())

    # --- small things ---

    def _count(self, _=None):
        crowd = self.crowd
        self.summary.value = html.escape(
            f"{words(crowd)}, for at most {self.seconds:g} s" if crowd else NOBODY
        )
        self.run.disabled = not crowd or not self.stop.disabled

    def _open_xray(self, _=None):
        """Show the last look at the server, or take one if there has been none."""
        if not self.fold.value:
            return
        experiment = self.experiment
        seen = experiment.xray if experiment else None
        if seen is None and self.server.alive:
            seen = look(self.server)
        if seen:
            self.xray.push({"kind": "xray", "state": seen})
            self.xray.flush()

    def _last_words(self):
        if self.server.alive:
            return ""
        status = self.server.exit_status
        how = f"Killed by {signal.Signals(-status).name}" if status < 0 else f"Exit status {status}"
        said = self.server.last_words.strip()[-2000:]
        return f"{how}; its last words:\n{said}" if said else f"{how}; it said nothing"

    def _say(self, message, evidence=""):
        evidence = f"<pre>{html.escape(evidence)}</pre>" if evidence else ""
        self.said.value = f'<div role="status"><p>{html.escape(str(message))}</p>{evidence}</div>'


NOBODY = "Nobody connects yet: move a slider."


def panel(server, crowd=None, seconds=6.0):
    """Return a panel to set up a crowd, run it against `server`, and watch; `crowd` as in clients.plan.

    A server has one panel: a new one closes the one before. Raises ClientError for an impossible crowd.
    """
    made = Panel(server, crowd, seconds)
    if server in _open:
        _open[server].close()
    _open[server] = made
    return made


def _rank(name):
    return (FIRST.index(name) if name in FIRST else len(FIRST), list(CARDS).index(name))
