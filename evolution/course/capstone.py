"""The capstone's last card: the learner's server in the survival grid, beside the generations.

    result = Trial("answers/workerman.py")       checks the ten stages first
    result.start(); result.wait(120)             then every client card, each a run in the sandbox of its own
    print(result)

The learner's program runs in the sandbox as in any check; the clients and the sampling are the lab's. A
notebook has `capstone()`, which shows it as a panel: Run, Stop, a click on a cell replays its run.
"""

from pathlib import Path

from evolution.course import exercise, sealed
from evolution.course.sandbox import Limits, Sandbox
from evolution.lab import survivals
from evolution.lab.contenders import contenders
from evolution.lab.guarded import LaunchError

YOURS = "your server"

BESIDE = ("blocking", "prefork", "epoll_loop", "multireactor")
"""The generations that run in the same grid, under the same clients."""

HOST = """\
import re, sys, time
sys.path.insert(0, ".")
import answer

def on_message(path):
    if slow := re.match(rb"/slow\\?seconds=([0-9.]+)", path):
        time.sleep(min(float(slow[1]), 5))
    if big := re.match(rb"/big\\?bytes=([0-9]+)", path):
        return bytes(min(int(big[1]), 33_554_432))
    return b"hello, world"

worker = answer.Worker(0, count=2, protocol="http", idle=60.0)
worker.on_message = on_message
worker.run()
"""

LIMITS = Limits(seconds=15, files=1024)


class Sandboxed:
    """The learner's server as the lab sees one: an address, a pid, and how it ended. Raises LaunchError."""

    model = YOURS

    def __init__(self, answer, protect=()):
        self.sandbox = Sandbox({"answer.py": answer, "host.py": HOST}, ["host.py"], LIMITS, protect=protect)
        said = self.sandbox.line("listening ", 5.0)
        if said is None:
            words = self.last_words
            self.kill()
            raise LaunchError(f"expected the line 'listening HOST:PORT', it did not come; {words[-200:]}")
        self.address, self.pid = said, self.sandbox.pid

    @property
    def alive(self):
        return self.sandbox.alive

    @property
    def exit_status(self):
        report = self.sandbox.report
        return report.status if report and report.status is not None else 0

    @property
    def last_words(self):
        return self.sandbox.errors

    def wait(self, seconds):
        return self.sandbox.wait(seconds)

    def kill(self):
        self.sandbox.stop()


class Trial(survivals.Survival):
    """A survival grid with the learner's server in its first row.

    Raises ValueError when the answer has not passed the ten stages: the message says how far it has come.
    """

    def __init__(self, path="answers/workerman.py", beside=BESIDE, **options):
        verdict = sealed.check("workerman", path)
        if not verdict.passed:
            raise NotYet(verdict)
        self.path = Path(path)
        self.answer = exercise.read_answer(exercise.load("workerman"), self.path)
        self.runs = []
        super().__init__({YOURS: self._launch, **contenders(beside, others=False)}, **options)

    def _launch(self):
        self.runs.append(Sandboxed(self.answer, protect=[self.path.resolve().parent]))
        return self.runs[-1]

    @property
    def sentence(self):
        ended = [run.sandbox.report for run in self.runs if run.sandbox.report]
        if self.running or not ended:
            return super().sentence
        left = sum(len(report.left) for report in ended)
        rest = f"{left} processes of it could not be ended" if left else "nothing of it was left afterwards"
        return f"{super().sentence} Your server ran {len(ended)} times; {rest}."


class NotYet(ValueError):
    """The answer has not passed; `verdict` says why."""

    def __init__(self, verdict):
        self.verdict = verdict
        super().__init__(f"first all ten stages must pass:\n{verdict.text()}")
