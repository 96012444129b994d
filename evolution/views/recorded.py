"""Recorded runs of several models, shown faintly until there is one of the learner's own: real ones.

``python -m evolution.lab.record`` makes them anew, ``python -m evolution.views.recorded`` draws their twins
into notebooks/img, so that a chapter shows something true where nothing can be run.
"""

import functools
import json
import sys
from pathlib import Path

STATIC = Path(__file__).parent / "static"
FOLDER = Path(__file__).parents[2] / "notebooks" / "img"


@functools.cache
def _all(view):
    return json.loads((STATIC / f"{view}_recorded.json").read_text(encoding="utf-8"))


def timeline(model="blocking"):
    """Return the Timeline's state of the recorded run of `model`; of blocking for one that has none."""
    return _all("timeline").get(model) or _all("timeline")["blocking"]


def xray(model="blocking"):
    """Return the X-ray's state in the recorded run of `model`; of blocking for one that has none."""
    return _all("xray").get(model) or _all("xray")["blocking"]


def twins():
    """Yield (file name, SVG) for every recorded run, and for two of them side by side, moving."""
    from evolution.views import Race, Scaling, Steps, Survival, SysCalls, Timeline, XRay
    from evolution.views.moving import moving

    for view in (Race, Scaling, Steps, Survival, SysCalls):
        yield f"{view.__name__.lower()}.svg", view().svg()

    for model in _all("timeline"):
        yield f"timeline-{model}.svg", Timeline(timeline(model)).svg()
        yield f"xray-{model}.svg", XRay(xray(model)).svg()
    titles = {
        "blocking": "One silent client, five polite ones: blocking",
        "reactor": "The same crowd: Reactor",
    }
    pair = [{**timeline(model), "title": title, "recorded": False} for model, title in titles.items()]
    yield "moving.svg", moving(pair)
    yield "moving-dark.svg", moving(pair, "dark")


def main(folder=FOLDER):
    """Write the twins into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, drawing in twins():
        (folder / name).write_text(drawing + "\n", encoding="utf-8")
        print(folder / name)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
