"""For all tests: an interrupt means an interrupt, and the confusion matrix is printed at the end."""

import signal
from collections import defaultdict


def pytest_configure(config):
    """A shell starts background jobs with SIGINT ignored, and every child would inherit that (signal(7)):
    tests that press Ctrl-C would wait for ever."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_terminal_summary(terminalreporter):
    """Print the confusion matrix of this run: a line for each exercise, with what was said of each answer.

    The rows come from `test_confusion_matrix`, in whatever process it ran.
    """
    reports = [each for kind in ("passed", "failed") for each in terminalreporter.getreports(kind)]
    rows = [value for report in reports for name, value in report.user_properties if name == "matrix"]
    if not rows:
        return
    fine = sum(said == expected for _, _, expected, said in rows)
    title = f"confusion matrix: {fine} of {len(rows)} answers as expected, each checked once"
    terminalreporter.section(title)
    exercises = defaultdict(list)
    for exercise, answer, expected, said in sorted(rows):
        what = said if said == expected else f"{said.upper()}, expected {expected}"
        exercises[exercise].append(f"{answer} → {what}")
    for exercise, lines in exercises.items():
        terminalreporter.write_line(f"{exercise}: {'; '.join(lines)}")
