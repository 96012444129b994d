"""Make the recordings that the Timeline and the X-ray ship, by real runs: ``python -m evolution.lab.record``.

One crowd against each model: a silent client, then five polite ones whose answer takes 150 ms. What differs
between the pictures is the model. A loop that sleeps in its handler makes them wait for each other: its
Timeline shows that nobody waits for the silent one, so there the answers take no time.
Names of models after it: only those. Afterwards ``python -m evolution.views.recorded`` draws the twins anew.
"""

import json
import sys
from pathlib import Path

import evolution
from evolution.lab import launch
from evolution.lab.experiment import run

STATIC = Path(evolution.__file__).parent / "views" / "static"
MODELS = ("blocking", "prefork", "select_loop", "reactor")
CROWD = [("silent", 1, {"for": 2.0}), ("polite", 5, {"path": "/slow?seconds=0.15"})]
QUICK = [("silent", 1, {"for": 2.0}), ("polite", 5)]
LOOPS = ("select_loop",)
"""Models whose Timeline is of the QUICK crowd."""

LOOK = 0.2
"""Seconds after the start of the run at which the X-ray was taken: all have connected, some are served."""


def recordings(model):
    """Run the crowd against `model`; return (the Timeline's state, the X-ray's)."""
    with launch.start(model) as server:
        recording = run(server, CROWD, seconds=4.0).recording
        shown = run(server, QUICK, seconds=4.0).recording if model in LOOPS else recording
    return shown.as_dict() | {"recorded": True}, recording.moment(LOOK)[1] | {"recorded": True}


def main(models=()):
    """Record these models anew, or all; the others stay as they are."""
    made = {model: recordings(model) for model in models or MODELS}
    for number, view in enumerate(("timeline", "xray")):
        file = STATIC / f"{view}_recorded.json"
        before = json.loads(file.read_text(encoding="utf-8")) if models else {}
        states = before | {model: pair[number] for model, pair in made.items()}
        text = json.dumps(states, separators=(",", ":"), ensure_ascii=False)
        file.write_text(text + "\n", encoding="utf-8")
    for model, (state, _) in made.items():
        print(f"{model}: {state['sentence']}")


if __name__ == "__main__":
    main(sys.argv[1:])
