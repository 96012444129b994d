"""How a learner's process is born: forked, stripped of what it should not have, and turned into its program.

Used by the nanny only. Standard library only, for the nanny is started with `python -I -S`.
"""

import os
import signal
import socket

census, confine = map(__import__, ("census", "confine"))  # files beside us, not a package's

COMING_AND_GOING = 64
"""Room for tasks of the same uid in other containers, which come and go while a program runs."""

CLOSED_UP_TO = 256
"""Descriptors below this number are closed in the learner's process; the nanny itself has few."""


class Learner:
    """A learner's process, which has just begun its program; or not, and `trouble` says at which step.

    Raises OSError when there cannot be a process at all.
    """

    def __init__(self, spec):
        self.uid, self._uid_lock = throw_away_uid() if spec["uid"] else (None, None)
        rules = confine.landlock_rules(spec["read"], spec["write"]) if spec["landlock"] else None
        keep_reading = bool(self.uid and spec["hidden_python"])
        if keep_reading and rules is None:
            self.uid = None  # it could not even read its Python; see docs/sandbox.md
        if self.uid:
            give_away(spec["cwd"], self.uid)
        protected = confine.ancestors(os.getpid()) if confine.LINUX and spec["seccomp"] else set()
        program = confine.seccomp_program(protected) if protected else None
        budget = dict(spec["limits"])
        if confine.LINUX:
            budget["NPROC"] = spec["tasks"] + (0 if self.uid else room_taken())
        self.defences = {
            "uid": self.uid,
            "landlock": confine.landlock_version() if rules is not None else 0,
            "seccomp": bool(program),
            "tasks": budget.get("NPROC"),
        }
        pipes = {name: os.pipe() for name in ("out", "err")}
        failed, trouble = os.pipe()
        nanny = os.getpid()
        self.pid = os.fork()
        if not self.pid:
            become_the_program(spec, nanny, pipes, trouble, self.uid, keep_reading, budget, rules, program)
        for number in (trouble, pipes["out"][1], pipes["err"][1]):
            os.close(number)
        if rules is not None:
            os.close(rules)
        self.streams = {reader: name for name, (reader, _) in pipes.items()}
        """{descriptor: "out" or "err"}."""
        for reader in self.streams:
            os.set_blocking(reader, False)
        words = os.read(failed, 4096)  # end of file: exec has closed it
        os.close(failed)
        self.trouble = words.decode(errors="replace")
        """What went wrong before its program began; "" when nothing did."""


def become_the_program(spec, nanny, pipes, trouble, uid, keep_reading, budget, rules, program):
    """The child's side of the fork; never returns."""
    step = "start"
    try:
        step = "setsid"
        os.setsid()
        os.umask(0o077)
        step = "stdin"
        os.dup2(os.open(spec["stdin"] or os.devnull, os.O_RDONLY), 0)
        os.dup2(pipes["out"][1], 1)
        os.dup2(pipes["err"][1], 2)
        os.chdir(spec["cwd"])
        confine.first_to_go()
        if uid:
            step = "setuid"
            confine.become(uid, keep_reading)
        step = "limits"
        confine.limits(budget)
        if confine.LINUX:
            step = "prctl"
            confine.prctl(confine.PR_SET_PDEATHSIG, signal.SIGKILL)  # setuid clears it: hence after
            if os.getppid() != nanny:
                os._exit(1)
            confine.prctl(confine.PR_SET_NO_NEW_PRIVS, 1)
        for number in (signal.SIGPIPE, signal.SIGCHLD, signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        if rules is not None:
            step = "landlock"
            confine.landlock_enforce(rules)
        if program:
            step = "seccomp"
            confine.seccomp_enforce(program)
        step = "exec"
        for number in range(3, CLOSED_UP_TO):
            if number != trouble:
                close(number)
        os.execve(spec["command"][0], spec["command"], spec["environment"])
    except BaseException as error:
        os.write(trouble, f"{step}: {error}".encode())
    finally:
        os._exit(127)


def room_taken():
    """Return how many tasks of our own uid RLIMIT_NPROC will count beside the learner's."""
    seen = census.tasks_of(os.getuid())
    counted = census.counted(seen)
    return counted if counted == seen else counted + COMING_AND_GOING


def throw_away_uid():
    """Return a uid that nobody uses, and the socket whose name keeps others from taking it meanwhile."""
    used = {uid for uid, _ in census.owners()}
    for uid in range(61200 + os.getpid() % 2000, 65500):
        lock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            if uid not in used:
                lock.bind(f"\0evolution-uid-{uid}")
                return uid, lock
        except OSError:
            pass
        lock.close()
    return None, None


def give_away(folder, uid):
    """Make `uid` the owner of the scratch folder and of what is in it."""
    for name in [folder, *(os.path.join(folder, each) for each in os.listdir(folder))]:  # noqa: PTH118
        os.chown(name, uid, uid)


def close(number):
    try:
        os.close(number)
    except OSError:
        return
