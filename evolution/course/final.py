"""`capstone()`: the learner's own server in the survival grid, as a panel of the notebook."""

from evolution.course import exercise
from evolution.course.capstone import BESIDE, YOURS, NotYet, Trial
from evolution.course.cards import VerdictCard
from evolution.course.progress import Progress
from evolution.lab.guarded import LaunchError
from evolution.lab.measured import SurvivalPanel
from evolution.views import Survival


def capstone(path=None):
    """Return the panel for an answer that has passed all ten stages, else the verdict on it.

    Until Run it shows the recorded rows of the other models, and the learner's, which is empty. The grid
    can be exported as SVG and PNG, as every view can.
    """
    path = path or exercise.answer_file("workerman")
    try:
        first = Trial(path)
    except NotYet as error:
        return VerdictCard(error.verdict, Progress())
    ready = [first]  # checked a moment ago: the first Run need not do it again

    def trial():
        try:
            return ready.pop() if ready else Trial(path)
        except NotYet as error:  # the answer has been changed since
            raise LaunchError(str(error)) from None

    panel = SurvivalPanel(trial)
    panel.view.state = _not_yet_run()
    return panel


def _not_yet_run():
    """Return the recorded grid's rows of the models beside, below an empty one for the learner's server."""
    state = Survival.example()
    return state | {
        "sentence": f"the rows of {', '.join(BESIDE[:-1])} and {BESIDE[-1]}; your server has not run yet.",
        "models": [YOURS, *BESIDE],
        "cells": [cell for cell in state["cells"] if cell["model"] in BESIDE],
    }
