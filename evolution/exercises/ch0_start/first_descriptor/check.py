"""The listener's descriptor: what does a guess betray?"""

from evolution.course.predict import Right
from evolution.course.verdict import TooSlow, Unrecognised, Wrong
from evolution.lab import experiment, launch


def measure():
    """Return the number that the blocking server's listener has, and the Timeline. Raises TooSlow."""
    with launch.start("blocking") as server:
        numbers = [each.fd for each in server.tree()[0].descriptors if each.kind == "listener"]
        timeline = experiment.run(server, [("polite", 1)], seconds=1.0, title="One client").story.as_dict()
    if len(numbers) != 1:
        raise TooSlow(f"expected one listening socket in /proc/{server.pid}/fd, saw {len(numbers)}")
    return {"descriptor": numbers[0]}, timeline


def judge(guesses, facts):
    """Return Right, Wrong or Unrecognised."""
    guess, number = guesses["descriptor"], facts["descriptor"]
    row = f"/proc/PID/fd: 0 1 2 are open, and {number}: the listener"
    if guess == number:
        return Right(row)
    if guess in (0, 1, 2):
        return Wrong("starts_anew", row)
    if guess == number + 1:
        return Wrong("counts_from_one", row)
    if guess >= 1000:
        return Wrong("port_is_the_number", row)
    return Unrecognised(row)


def marks(guesses):
    """A number has no place on the axis of time."""
    return []
