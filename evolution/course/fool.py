"""`%%fool NAME`: an answer that is wrong and passes, with a proof that it is wrong.

The cell has an answer and a function `proof(port)`: a client that raises AssertionError when the program
around the answer does what it must not. Three things must hold, each tried in the sandbox:

1. the checker of the exercise says that the answer has passed;
2. the proof objects to the answer, three times out of three;
3. the proof does not object to the exercise's own solution, three times out of three.

What succeeds is saved as a report, which a maintainer turns into a new wrong/ file (`report --adopt`).
"""

import ast
import html
from dataclasses import dataclass
from pathlib import Path

from evolution.course import exercise, report, sealed
from evolution.course.bench import Bench
from evolution.course.progress import Progress
from evolution.course.sandbox import Limits, Sandbox, SandboxError
from evolution.course.verdict import OUTCOMES, Finding

TIMES = 3
SECONDS = 10.0
"""What one proof may take."""

PROGRAM = """\
import socket, sys
sys.path.insert(0, ".")
socket.setdefaulttimeout(3)
import cell
cell.proof(int(sys.argv[1]))
print("no objection")
"""


@dataclass(frozen=True)
class Attempt:
    """What came of it."""

    fooled: bool
    lines: tuple
    """In words, the first one says it all."""
    report: Path | None = None

    def __repr__(self):
        return "\n".join(self.lines)

    def _repr_mimebundle_(self, include=None, exclude=None):
        lines = "".join(f"<div>{html.escape(line)}</div>" for line in self.lines)
        return {"text/plain": repr(self), "text/html": f'<div class="evolution-attempt">{lines}</div>'}


class NoProof(Exception):
    """The proof could not be tried, or says nothing; the message is for the learner."""


def attempt(name, source, progress=None):
    """Try to fool the checker of an exercise; return the Attempt. Raises UnknownExercise."""
    task, progress = exercise.load(name), progress or Progress()
    if task.kind != "code" or "listening " not in task.read("host.py"):
        return Attempt(
            False, (f"{name} is not a server that a proof could connect to; try read_line or survive",)
        )
    if why := _missing(source):
        return Attempt(False, (why,))
    path = progress.folder / "fooled" / f"{name}.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(source, encoding="utf-8", errors="surrogatepass")
    verdict = sealed.check(name, path)
    if not verdict.passed:
        return Attempt(
            False,
            (
                f"The checker was not fooled: {verdict.diagnosis or OUTCOMES[verdict.outcome]}.",
                *verdict.evidence,
            ),
        )
    try:
        for _ in range(TIMES):
            if objection(task, source, source) is None:
                return Attempt(
                    False,
                    (
                        "It passes, but your proof has nothing against it.",
                        "What does it do wrong, as a client sees it?",
                    ),
                )
        for _ in range(TIMES):
            if words := objection(task, task.read("solution.py"), source):
                return Attempt(False, ("It passes, but your proof condemns the solution as well.", words))
    except NoProof as error:
        return Attempt(False, ("It passes, but the proof could not be tried.", *str(error).splitlines()))
    saved = report.save(
        verdict, source, "it passes, and its own proof objects", progress.folder / report.FOLDER.name
    )
    return Attempt(
        True,
        (
            f"The checker of {name} is fooled: your answer passes, and your proof shows that it is wrong.",
            f"Kept as {saved}.",
        ),
        saved,
    )


def objection(task, answer, proof):
    """Return the proof's AssertionError in words, None when it has no objection. Raises NoProof."""
    bench = Bench(task, answer)
    try:
        with bench.serve() as server:
            limits = Limits(seconds=SECONDS)
            with Sandbox(
                {"cell.py": proof, "proof.py": PROGRAM}, ["proof.py", str(server.port)], limits
            ) as program:
                ended = program.wait(SECONDS + 2)
                output = program.output
    except (Finding, SandboxError) as error:
        raise NoProof(f"the program around the answer did not start: {error}") from None
    if ended and ended.why == "exited" and ended.status == 0 and output.endswith("no objection\n"):
        return None
    last = output.strip().splitlines()[-1:] or ["nothing was printed"]
    if ended and ended.why == "exited" and last[0].startswith("AssertionError"):
        return last[0]
    raise NoProof(f"expected proof(port) to return, or to raise AssertionError; it ended so:\n{last[0]}")


def _missing(source):
    """Return what the cell lacks, in words, "" when it has everything."""
    try:
        names = {node.name for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)}
    except (SyntaxError, ValueError) as error:
        return f"Python cannot read this cell: {error}"
    return "" if "proof" in names else "expected a function proof(port) beside the answer; there is none"


def fool_magic(line, cell):
    """%%fool NAME: pass the checker of an exercise with a wrong answer, and prove that it is wrong."""
    words = line.split()
    try:
        if len(words) != 1:
            raise exercise.UnknownExercise(f"expected %%fool and the name of one exercise, not {line!r}")
        return attempt(words[0], cell)
    except exercise.UnknownExercise as error:
        print(error)
    except KeyboardInterrupt:
        print("interrupted: nothing was judged")
