"""The guard: a small process that stands between a notebook's kernel and a server, and leaves nothing behind.

    kernel ── guard ── server ── its workers, their daemons …

A kernel can be interrupted, restarted, or killed without a last word. Whatever happens to it, the server
must not stay on as a stray that holds a port. Four facts of Linux make that possible:

1. The lifeline. The guard's stdin is a pipe whose other end only the kernel holds. When the kernel dies, in
   whatever way, the pipe reaches end of file (pipe(7)). A stray copy of that end, left by a fork, would hide
   this, so the guard also looks twice a second whether its parent is still the same (getppid(2)).
2. The subreaper. A process whose parent dies is handed to the nearest ancestor that asked for it
   (PR_SET_CHILD_SUBREAPER, prctl(2)). So even a daemon that forks twice stays below the guard.
3. The session. Guard and server have sessions of their own (setsid(2)): the interrupt that Jupyter sends to
   the kernel's process group does not reach them.
4. PDEATHSIG. Should the guard be killed, the kernel of the machine kills the server (prctl(2)). The signal is
   tied to the *thread* that forked, which is why the guard has one thread only.

Started as `python -I -S guard.py PARENT REPORTS STDIN COMMAND…`: the pid of the parent, the descriptor for
reports, the descriptor that becomes the command's stdin (-1: /dev/null). Standard library only.

Reads lines on stdin: `stop SECONDS` (SIGTERM, and after that time SIGKILL for all), `signal NUMBER`.
Writes JSON lines to REPORTS: {"pid"}, and when all is over {"exit", "swept", "left"}: the exit status (minus
the signal that ended it), how many other processes were killed, and the pids that could not be.

On macOS there is neither a subreaper nor a death signal nor /proc: there the guard kills the server's
process group, so a daemon that made its own session gets away.
"""

import ctypes
import json
import math
import os
import select
import signal
import sys
import time

LOOK_AROUND = 0.5
"""Seconds between two looks at the parent."""

GIVE_UP = 10.0
"""Seconds for killing; what is still there then (a process of another user) is reported as left."""

OBSERVER_ENDS_WITHIN = 0.5
"""Seconds that strace gets, after the end of what it watched, to write its last lines."""

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
LINUX = sys.platform == "linux"

HANDLED = (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def main(parent, reports, stdin, command):
    """Run `command` until it ends, is told to stop, or the parent is gone; then clear up and report."""
    for descriptor in (reports, stdin):
        if descriptor >= 0:
            os.set_inheritable(descriptor, False)  # the server gets 0, 1 and 2, nothing else
    if LINUX:
        prctl(PR_SET_CHILD_SUBREAPER, 1)
    alarm = signals_as_bytes()
    server = start(command, stdin)
    report(reports, pid=server)
    ended = {}
    try:
        watch(parent, server, alarm, ended)
    finally:
        observer = await_observer(command, ended)
        found = sweep(server, ended) - observer
    left = sorted(found - set(ended)) if reap(ended) else []
    report(reports, exit=ended.get(server), swept=len(found - {server}), left=left[:100])


def start(command, stdin):
    """Fork and execute `command` in its own session; return its pid."""
    guard = os.getpid()
    # A SIGTERM for the child must not run the guard's handler in it: it waits until the handlers are reset.
    signal.pthread_sigmask(signal.SIG_BLOCK, HANDLED)
    pid = os.fork()
    if pid:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, HANDLED)
        return pid
    try:
        os.setsid()
        if LINUX:
            prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != guard:  # the guard died before the line above
                os._exit(1)
        os.dup2(os.open(os.devnull, os.O_RDONLY) if stdin < 0 else stdin, 0)
        for number in (*HANDLED, signal.SIGPIPE):  # SIGPIPE: Python ignores it, and exec would pass that on
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, HANDLED)
        os.execvp(command[0], command)
    except OSError as error:
        os.write(2, f"cannot run {command[0]!r}: {error.strerror}\n".encode())
    finally:
        os._exit(127)


def watch(parent, server, alarm, ended):
    """Serve requests and reap orphans into `ended`, {pid: exit status}, until it is time to clear up."""
    unread, kill_at = b"", math.inf
    while server not in ended and time.monotonic() < kill_at and os.getppid() == parent:
        patience = min(LOOK_AROUND, max(0, kill_at - time.monotonic()))
        ready, _, _ = select.select([0, alarm], [], [], patience)  # sleeps here
        if alarm in ready and set(os.read(alarm, 4096)) - {signal.SIGCHLD}:
            break  # the guard itself was told to end
        reap(ended)
        if 0 in ready:
            data = os.read(0, 4096)
            if not data:
                break  # the lifeline: the kernel is gone, or wants us gone
            *lines, unread = (unread + data).split(b"\n")
            for word, value in map(bytes.split, lines):
                if server in ended:
                    break
                if word == b"stop":
                    os.kill(server, signal.SIGTERM)
                    os.kill(server, signal.SIGCONT)  # a stopped process would not see the SIGTERM
                    kill_at = min(kill_at, time.monotonic() + float(value))
                elif word == b"signal":
                    os.kill(server, int(value))


def await_observer(command, ended):
    """Let strace, which is a grandchild here (strace -D), write its last lines; return its pid in a set.

    It ends by itself once there is nothing to watch. While anything else is left, nobody waits for it.
    """
    observer, deadline = set(), time.monotonic() + OBSERVER_ENDS_WITHIN
    if os.path.basename(command[0]) != "strace":  # noqa: PTH119 - pathlib starts slowly
        return observer
    while time.monotonic() < deadline and reap(ended):
        left = descendants(os.getpid())
        observer |= {pid for pid in left if name_of(pid) == "strace"}
        if left - observer:
            break
        time.sleep(0.002)
    return observer


def sweep(server, ended):
    """Kill and reap every descendant, adding to `ended`; return the pids that were found.

    Stop first, so that nothing forks while it is counted; then kill; again until waitpid says that there is
    no child: below a subreaper that means no descendant either.
    """
    found, deadline = set(), time.monotonic() + GIVE_UP
    while reap(ended) and time.monotonic() < deadline:
        if LINUX:
            members = freeze()
            for pid in members:
                send(pid, signal.SIGKILL)
            found |= members
        else:
            found.add(server)
            send_group(server, signal.SIGKILL)
        time.sleep(0.002)
    if not LINUX:
        send_group(server, signal.SIGKILL)  # children of a server that has ended by itself
    return found


def freeze():
    """SIGSTOP all descendants until no new one turns up; return their pids."""
    frozen = set()
    while fresh := descendants(os.getpid()) - frozen:
        for pid in fresh:
            send(pid, signal.SIGSTOP)
        frozen |= fresh
    return frozen


def descendants(pid):
    """Return the pids of all children, grandchildren and so on."""
    found, unvisited = set(), [pid]
    while unvisited:
        fresh = set(children(unvisited.pop())) - found
        found |= fresh
        unvisited += fresh
    return found


def children(pid):
    """Return the pids of the children of all threads of `pid` (proc_pid_task_children(5))."""
    if not os.path.exists(f"/proc/self/task/{os.getpid()}/children"):  # noqa: PTH110 - pathlib starts slowly
        return [int(name) for name in os.listdir("/proc") if name.isdigit() and parent_of(name) == pid]
    pids = []
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/children") as file:
                pids += map(int, file.read().split())
    except OSError:
        return pids  # it vanished meanwhile: its children are ours now, and the next look finds them
    return pids


def parent_of(pid):
    """Return the parent's pid, 0 when the process has vanished (proc_pid_stat(5))."""
    try:
        with open(f"/proc/{pid}/stat", errors="replace") as file:
            return int(file.read().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def name_of(pid):
    """Return what a process is called, "" when it has vanished (proc_pid_comm(5))."""
    try:
        with open(f"/proc/{pid}/comm", errors="replace") as file:
            return file.read().strip()
    except OSError:
        return ""


def reap(ended):
    """Take the exit status of every child that has ended, adopted ones too; return True while one lives."""
    try:
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return True
            ended[pid] = os.waitstatus_to_exitcode(status)  # negative: the signal that killed it
    except ChildProcessError:
        return False


def send(pid, number):
    """Send a signal; a process that is gone, or another user's, is not an error here."""
    try:
        os.kill(pid, number)
    except OSError:
        return


def send_group(pid, number):
    try:
        os.killpg(pid, number)
    except OSError:
        return


def signals_as_bytes():
    """Return a descriptor on which each of the HANDLED signals arrives as one byte, for select."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    for number in HANDLED:
        signal.signal(number, lambda *_: None)
    return reader


def prctl(option, value):
    """Set one attribute of this process (prctl(2)). Raises OSError when Linux refuses."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, ctypes.c_ulong(value), 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl refused")


def report(descriptor, **facts):
    """Write one line, short enough (PIPE_BUF) to arrive in one piece, pipe(7)."""
    try:
        os.write(descriptor, json.dumps(facts).encode() + b"\n")
    except OSError:
        return  # nobody listens any more; the clearing up goes on


if __name__ == "__main__":
    main(*map(int, sys.argv[1:4]), sys.argv[4:])
