"""How a run ends: the learner is asked, then everything below the nanny is frozen, killed and reaped.

Used by the nanny only. Standard library only, for the nanny is started with `python -I -S`.
"""

import os
import select
import signal
import time

census, confine, guard = map(__import__, ("census", "confine", "guard"))  # files beside us, not a package's

MANNERS = 0.3
"""Seconds between SIGTERM and SIGKILL."""

GIVE_UP = 5.0
"""Seconds of killing after which what is still there is reported as left."""


def ask(learner, ended, alarm, drain):
    """SIGTERM to the learner's own process, so that a well-behaved program can end by itself."""
    for number in (signal.SIGTERM, signal.SIGCONT):
        guard.send(learner.pid, number)
    deadline = time.monotonic() + MANNERS
    while time.monotonic() < deadline and learner.pid not in ended:
        select.select([alarm, *learner.streams], [], [], 0.01)
        drain(select.select(list(learner.streams), [], [], 0)[0])
        reap(ended)


def kill(learner, ended, tasks):
    """Kill and reap until no child is left; return the pids that would not go.

    `tasks` is how many the learner may have: as many idle threads starve its forks at last.
    """
    passes, deadline = 0, time.monotonic() + GIVE_UP
    while time.monotonic() < deadline:
        passes += 1
        if learner and learner.uid:
            kill_all_of_uid(learner.uid, ended)
        if confine.LINUX:
            for pid in freeze():
                guard.send(pid, signal.SIGKILL)
        elif learner:
            guard.send_group(learner.pid, signal.SIGKILL)
        if not reap(ended) and not strangers(learner):
            return []
        if passes == 10 and not (learner and learner.uid):
            census.starve(2 * tasks)  # and the room left for neighbours (birth.COMING_AND_GOING)
        time.sleep(0.001)
    return sorted(guard.descendants(os.getpid()) | strangers(learner))


def freeze():
    """SIGSTOP descendants until no new one turns up, at most a few rounds; return all that were seen."""
    frozen = set()
    for _ in range(50):
        fresh = guard.descendants(os.getpid()) - frozen
        if not fresh:
            break
        for pid in fresh:
            guard.send(pid, signal.SIGSTOP)
        frozen |= fresh
    return frozen


def kill_all_of_uid(uid, ended):
    """One kill(-1) as the throw-away user reaches every process of that user at once (kill(2))."""
    try:
        helper = os.fork()
    except OSError:
        return  # no room for another process; the slow way follows
    if not helper:
        try:
            os.setgroups([])
            os.setresuid(uid, uid, uid)
            os.kill(-1, signal.SIGKILL)
        finally:
            os._exit(0)
    patience = time.monotonic() + MANNERS
    while reap(ended) and helper not in ended:
        if time.monotonic() > patience:  # the learner may have stopped our helper
            guard.send(helper, signal.SIGKILL)
        time.sleep(0.001)
    ended.pop(helper, None)


def strangers(learner):
    """Processes of the throw-away user that are, against all rules, not below us."""
    if not (learner and learner.uid):
        return set()
    return {pid for uid, pid in census.owners() if uid == learner.uid}


def reap(ended, most=500):
    """Take exit statuses as the guard does, but `most` at once: a churning program has ever new ones."""
    try:
        for _ in range(most):
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return True
            ended[pid] = os.waitstatus_to_exitcode(status)
        return True
    except ChildProcessError:
        return False
