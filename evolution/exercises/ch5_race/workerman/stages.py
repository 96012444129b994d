"""The ten stages of the capstone, in the order in which they are checked."""

from evolution.course.verdict import Wrong
from evolution.exercises.ch5_race.crew import until

STAGES = (
    *("lines", "many clients", "reactors", "supervision", "statistics"),
    *("reload", "stop", "HTTP", "timers", "back-off"),
)


def passed(stage):
    """Return a line of evidence: how far it has come."""
    number = STAGES.index(stage)
    done = f"stages passed: {', '.join(STAGES[:number])}" if number else "no stage passed yet"
    return f"{done}; this is stage {number + 1} of {len(STAGES)}, {stage}"


def expect_alive(server, stage, *story, killed_by=None):
    """Raises Crashed when the main process has ended, or Wrong when the signal that was sent has ended it."""
    until(lambda: server.status is not None, 0.05)
    if server.status is None:
        return
    if killed_by and server.status == -killed_by:
        raise Wrong("signal_kills_it", passed(stage), *story, server.how_it_ended())
    raise server.crashed(passed(stage), *story)
