"""The seven steps of the classic Reactor as a picture in one line of a cell: `lab.steps()`.

This is the place where a run (lab/reactor_run.py: plain data) and its view meet.
"""

from evolution.lab.reactor_run import reactor_run
from evolution.views.steps import Steps


def steps(oneshot=True, workers=2):
    """Run the classic Reactor with three clients, here and now, and return the view that steps through it.

    `oneshot=False` takes EPOLLONESHOT away, and nothing else. Raises LaunchError when it does not start.
    """
    return Steps(reactor_run(oneshot, workers).as_dict())
