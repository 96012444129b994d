"""The course: exercises, predictions, verdicts, progress; and the sandbox in which answers run.

In a notebook: `%load_ext evolution.course` brings `%%exercise NAME` and `predict(NAME)`.
"""


def load_ipython_extension(shell):
    """Called by %load_ext."""
    from evolution.course import magic

    magic.register(shell)
