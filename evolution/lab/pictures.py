"""Pictures in one line of a notebook's cell:

    show(experiment)                 the timeline of an experiment that has ended
    xray(server)                     one look at a running server
    diff("blocking", "fork")         two models side by side

and `run`, which shows nothing but a bar that moves while an experiment does.
"""

import ipywidgets
from IPython import get_ipython
from IPython.display import display

from evolution.lab import experiment, procfs
from evolution.lab.difference import difference
from evolution.views import Diff, Timeline, XRay


def show(experiment, predicted=None):
    """Return the timeline of an experiment; `predicted` is {client: seconds}, drawn as ghost marks.

    A client is named by its label, "polite 3", or its id, "c3". Raises ValueError for one that is not there.
    """
    state = experiment.story.as_dict()
    known = {name: lane["id"] for lane in state["lanes"] for name in (lane["id"], lane["label"])}
    for client, t in (predicted or {}).items():
        if client not in known:
            labels = ", ".join(lane["label"] for lane in state["lanes"])
            raise ValueError(f"expected one of the clients {labels}; not {client!r}")
        state["guesses"].append({"lane": known[client], "t": float(t), "label": "your prediction"})
    return Timeline(state)


def xray(server):
    """Return the X-ray of a running server at this moment; run the cell again to look again.

    Raises ProcessLookupError when the server has ended.
    """
    if not server.alive:
        raise ProcessLookupError(f"expected a running server, but {server!r}; start it again")
    return XRay(look(server))


def diff(old, new):
    """Return the two texts side by side, what changed between them highlighted.

    Each is a model (its name or its module), the path of a file, or a pair (name, text). Raises
    DifferenceError for anything else.
    """
    return Diff(difference(old, new))


def look(server):
    return procfs.snapshot(server.pid, server.address.port, model=server.model)


def run(server, crowd, seconds=5.0, title=None):
    """Run an experiment to its end and return it (`experiment.run`); in a notebook with a bar meanwhile."""
    if get_ipython() is None:
        return experiment.run(server, crowd, seconds, title)
    bar = ipywidgets.FloatProgress(min=0, max=1, description="running", layout={"width": "24em"})
    handle = display(bar, display_id=True)
    try:
        watch = lambda update: setattr(bar, "value", update.get("value", bar.value))  # noqa: E731
        return experiment.run(server, crowd, seconds, title, watch)
    finally:
        bar.close()
        if handle:
            handle.update({"text/plain": ""}, raw=True)  # nothing of the bar stays in the saved notebook
