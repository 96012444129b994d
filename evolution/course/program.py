"""`%%program [SECONDS]`: the cell runs as a program of its own, and leaves nothing behind.

For everything that forks. A fork inside a notebook's kernel makes a second, mute kernel; so the cell becomes
a file, and a process in the sandbox runs it: below a child subreaper, at most TASKS processes and threads,
SECONDS unless the cell asks for more. What it prints, from whichever process, appears as it comes; the last
line says how it ended when there is something to say. `import look` gives it eyes, see `look.py`.
"""

import signal
from pathlib import Path

from evolution.course.sandbox import Limits, Sandbox, SandboxError
from evolution.lab.procfs import calls, parse, sockets

SECONDS = 5.0
LONGEST = 20.0
TASKS = 64
KEPT = 32768
"""Bytes of output that the sandbox passes on (nanny.py); the rest is counted."""

LOOK = {
    "look.py": Path(__file__).with_name("look.py"),
    **{
        f"look_{module.__name__.rpartition('.')[2]}.py": module.__file__ for module in (calls, parse, sockets)
    },
}

FIRST_LINE = (
    "import sys; sys.path.insert(0, __file__.rpartition('/')[0]); import look; "
    "sys.stdout.reconfigure(line_buffering=True, write_through=False); del look, sys\n"
)
"""Stands where the cell has `%%program`, so that line numbers are the cell's. Whole lines are written at
once: several processes print beside each other."""


def program_magic(line, cell):
    """%%program [SECONDS]: run this cell as a program of its own and show what it prints."""
    try:
        seconds = seconds_of(line)
    except ValueError as error:
        print(error)
        return
    try:
        run(cell, seconds, tell=lambda text: print(text, end="", flush=True))
    except SandboxError as error:
        print(f"The program could not be started: {error}")
    except KeyboardInterrupt:
        print("\nInterrupted; everything has been ended.")


def seconds_of(line):
    """Return the limit that the magic's line asks for. Raises ValueError."""
    try:
        seconds = float(line) if line.strip() else SECONDS
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= LONGEST:
        raise ValueError(
            f"expected %%program, or %%program and seconds, at most {LONGEST:g}; not {line.strip()!r}"
        )
    return seconds


def run(source, seconds=SECONDS, tell=lambda text: None):
    """Run `source` to its end, calling `tell` with each piece of output; return the sandbox's Report.

    Raises SandboxError when no program can be started here.
    """
    files = {name: Path(path).read_text(encoding="utf-8") for name, path in LOOK.items()}
    limits = Limits(seconds=seconds, tasks=TASKS)
    with Sandbox({**files, "cell.py": FIRST_LINE + source}, ["cell.py"], limits) as program:
        told = 0
        while program.alive:
            program.until(lambda: len(program.output) > told or not program.alive, 0.5)  # noqa: B023
            told += _pass_on(program, told, tell)
        report = program.stop()
        told += _pass_on(program, told, tell)
        if words := last_words(report, program.limits, told):
            tell(f"{'' if program.output.endswith(chr(10)) or not told else chr(10)}{words}\n")
    return report


def _pass_on(program, told, tell):
    fresh = program.output[told:]
    if fresh:
        tell(fresh.replace(f"{program.scratch}/", ""))  # a traceback names cell.py, line 3
    return len(fresh)


def last_words(report, limits, told):
    """Return one line on how it ended, "" when it ended in order and left nothing.

    `told` is the number of characters that were shown.
    """
    parts = []
    if report.output > KEPT:
        parts.append(f"it printed {report.output:,} bytes, the first {told:,} are shown")
    parts.append(_end(report, limits))
    if report.company:
        parts.append(f"{report.company} process{'es were' if report.company > 1 else ' was'} left; ended")
    if report.left:
        parts.append(f"processes {report.left} could not be ended")
    words = ". ".join(part[0].upper() + part[1:] for part in parts if part)
    return f"[{words}.]" if words else ""


def _end(report, limits):
    if report.why == "exited":
        if not report.status:
            return ""
        if report.status < 0:
            return f"it was killed by {signal.Signals(-report.status).name}"
        return f"exit status {report.status}"
    return {
        "time": f"stopped after {limits.seconds:g} s",
        "tasks": f"stopped: {report.tasks} processes and threads, fewer than {limits.tasks} are allowed",
        "memory": f"stopped: {report.mib:.0f} MiB of memory, {limits.mib} are allowed",
        "output": f"stopped: {report.output:,} bytes printed, {limits.output_mib} MiB are allowed",
        "disk": f"stopped: more than {limits.disk_mib} MiB on disk",
        "stop": "stopped",
    }.get(report.why, f"how it ended is not known ({report.why})")
