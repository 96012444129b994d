"""What a %%program can ask about itself: its processes, their descriptors and memory, read from /proc.

    import look
    look.tree()          print the processes of this program with their states
    look.fds()           print this process's descriptors, and what they refer to
    look.held(pid)       print what a process holds: state, memory, descriptors
    look.state(pid)      R runs, S sleeps, T is stopped, Z is a zombie, or "gone"
    look.until(pid, "Z") wait until a process is in one of these states
    look.count("Z")      how many processes of this program are in one of these states; without: alive or not
    look.memory()        print how much memory is shared with others and how much is one's own
    look.faults()        how many page faults this process has had
    look.switches(pid)   how often a process went to sleep
    look.adopt()         from now on, orphans below this process become its children
    look.full()          from now on, the limit of processes is reached
    look.block(64)       64 MiB of memory in pages of 4 KiB, each one written
    look.together(f, 2)  print how long f takes, and two of it: in turn, in threads, in processes; best of 3

Copied into the program's folder by `program.py`; standard library only. Only `together` forks.
"""

import ctypes
import mmap
import os
import resource
import threading
import time
from contextlib import suppress
from pathlib import Path

from look_calls import parse_syscall
from look_parse import parse_descriptor, parse_pss, parse_stat, parse_status
from look_sockets import tcp

ROOT = os.getpid()
"""The program's first process, which imports this module before the cell's first line."""

PR_SET_CHILD_SUBREAPER = 36
WORDS = {
    "R": "running",
    "S": "asleep",
    "D": "asleep, not to be disturbed",
    "T": "stopped",
    "Z": "zombie: it has ended, and nobody has collected its status",
}


def tree():
    """Print the processes of this program, children below their parents, each with its state."""
    parents = members()
    tops = [pid for pid, parent in parents.items() if parent not in parents]
    for pid in sorted(tops, key=lambda each: (each != ROOT, each)):
        _branch(pid, parents, "")


def _branch(pid, parents, indent):
    adopted = "" if pid == ROOT or parents[pid] in parents else f", adopted by process {parents[pid]}"
    print(f"{indent}process {pid}  {state(pid)}  {_doing(pid)}{adopted}")
    for child in sorted(each for each, parent in parents.items() if parent == pid):
        _branch(child, parents, indent + "    ")


def members():
    """Return {pid: pid of its parent} of this program: its session (setsid(2)), orphans included."""
    found = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        with suppress(OSError, ValueError, IndexError):
            text = Path(f"/proc/{name}/stat").read_text(errors="replace")
            if int(text.rpartition(")")[2].split()[3]) == ROOT:
                found[int(name)] = parse_stat(text).ppid
    return found


def _doing(pid):
    letter = state(pid)
    if letter == "S":
        with suppress(OSError):  # another process's call may be closed to us: proc_pid_syscall(5)
            if call := parse_syscall(Path(f"/proc/{pid}/syscall").read_text()):
                return f"asleep in {call.text}"
    return WORDS.get(letter, letter)


def state(pid=None):
    """Return the letter of a process's state, or "gone"."""
    try:
        return parse_stat(Path(f"/proc/{pid or os.getpid()}/stat").read_text(errors="replace")).state
    except (OSError, IndexError):
        return "gone"


def until(pid, states, seconds=2.0):
    """Wait until `pid` is in one of `states`, such as "S", "Z" or "gone"; return it. Raises TimeoutError."""
    deadline = time.monotonic() + seconds
    while (found := state(pid)) not in states:
        if time.monotonic() > deadline:
            raise TimeoutError(
                f"expected process {pid} in state {states} within {seconds:g} s, it is {found}"
            )
        time.sleep(0.001)
    return found


def count(states=None):
    """Return how many processes of this program are in one of `states`; without, how many there are."""
    return sum(states is None or state(pid) in states for pid in members())


def fds(pid=None):
    """Print the descriptors of a process (this one if none is named) and what each refers to."""
    pid = pid or os.getpid()
    ends = {row.inode: row for row in tcp()}
    for number in sorted(map(int, os.listdir(f"/proc/{pid}/fd"))):
        with suppress(FileNotFoundError):  # the one with which this list is read
            found = parse_descriptor(number, str(Path(f"/proc/{pid}/fd/{number}").readlink()))
            print(f"process {pid}  {number}: {_words(found, ends.get(found.inode))}")


def _words(found, row):
    if row is None:
        return f"{found.kind} {found.inode}" if found.inode else Path(found.text).name
    if row.state == "LISTEN":
        return f"socket {found.inode}, listens on port {row.local[1]}"
    return f"socket {found.inode}, port {row.local[1]} with port {row.remote[1]}, {row.state}"


def held(pid):
    """Print what a process holds: its state, its memory, its descriptors."""
    fields = _fields(f"/proc/{pid}/status")
    memory = int(fields.get("VmRSS", "0").split()[0])
    count = len(os.listdir(f"/proc/{pid}/fd")) if int(fields["FDSize"]) else 0
    print(f"process {pid}  {state(pid)}  {memory:,} KiB of memory, {count} descriptors")


def memory(pid=None):
    """Print the memory of a process in MiB: all of it, what others share, what is its own (smaps_rollup)."""
    path = f"/proc/{pid or os.getpid()}/smaps_rollup"
    fields = {name: int(text.split()[0]) / 1024 for name, text in _fields(path).items() if "kB" in text}
    own = fields["Private_Clean"] + fields["Private_Dirty"]
    shared = fields["Shared_Clean"] + fields["Shared_Dirty"]
    pss = parse_pss(Path(path).read_text()) / 1024
    print(f"{fields['Rss']:.0f} MiB: {shared:.0f} shared, {own:.0f} its own (its fair share: {pss:.0f})")


def faults():
    """Return how many page faults this process has had that needed no disk (getrusage(2), ru_minflt)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt


def switches(pid=None):
    """Return how often a process went to sleep: its voluntary context switches (proc_pid_status(5))."""
    return parse_status(Path(f"/proc/{pid or os.getpid()}/status").read_text()).voluntary


def adopt():
    """Become the parent of orphans below this process (PR_SET_CHILD_SUBREAPER, prctl(2)). Raises OSError."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_CHILD_SUBREAPER, ctypes.c_ulong(1), 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl refused")


def full():
    """Lower the limit of processes to as many as this user has now (RLIMIT_NPROC, setrlimit(2))."""
    count = 0
    for name in filter(str.isdigit, os.listdir("/proc")):
        with suppress(OSError):
            if Path(f"/proc/{name}").stat().st_uid == os.getuid():
                count += len(os.listdir(f"/proc/{name}/task"))
    resource.setrlimit(resource.RLIMIT_NPROC, (count, resource.getrlimit(resource.RLIMIT_NPROC)[1]))


def block(mib):
    """Return memory of its own, `mib` MiB in pages of 4 KiB (no huge ones), each page written."""
    made = mmap.mmap(-1, mib * 2**20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    made.madvise(mmap.MADV_NOHUGEPAGE)
    made[:: mmap.PAGESIZE] = b"x" * (len(made) // mmap.PAGESIZE)
    return made


def together(work, count=2):
    """Print the seconds that `work()` takes, and `count` of it: in turn, in threads, in processes.

    Each is the shortest of three, for what else runs can only make it longer. All four take turns: who
    disturbs for a while disturbs all of them.
    """
    ways = {"once": _once, f"{count} in turn": _in_turn, f"{count} threads": _threads}
    ways[f"{count} processes"] = _processes
    seconds = {name: [] for name in ways}
    for _ in range(3):
        for name, way in ways.items():
            begin = time.perf_counter()
            way(work, count)
            seconds[name].append(time.perf_counter() - begin)
    for name, found in seconds.items():
        print(f"{name:12} {min(found):.2f} s")


def _once(work, count):
    work()


def _in_turn(work, count):
    for _ in range(count):
        work()


def _threads(work, count):
    threads = [threading.Thread(target=work) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _processes(work, count):
    for _ in range(count):
        if os.fork() == 0:
            try:
                work()
            finally:
                os._exit(0)
    for _ in range(count):
        os.wait()


def _fields(path):
    lines = Path(path).read_text().splitlines()
    return {name: text.strip() for name, _, text in (line.partition(":") for line in lines) if text.strip()}
