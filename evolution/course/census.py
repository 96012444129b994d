"""What the nanny counts: whose processes there are, how many threads, how much disk.

Standard library only, for the nanny is started with `python -I -S`.
"""

import os


def owners():
    """Yield (uid, pid) of every process."""
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(
                    f"/proc/{name}/status", errors="replace"
                ) as file:  # the folder's owner can be hidden
                    yield int(file.read().partition("\nUid:")[2].split(None, 1)[0]), int(name)
            except (OSError, IndexError):
                pass


def tasks_of(uid):
    """Return how many threads run as `uid`: what RLIMIT_NPROC counts (setrlimit(2))."""
    total = 0
    for owner, pid in owners():
        if owner == uid:
            try:
                total += len(os.listdir(f"/proc/{pid}/task"))
            except OSError:
                continue
    return total


HIDDEN = 16
"""So many tasks of the same uid that /proc does not show are not worth asking for."""


def counted(seen):
    """Return how many tasks of our uid the kernel counts, of which /proc shows `seen`.

    It counts those of other containers too, as long as they share the user namespace: on a busy host that
    can be thousands (setrlimit(2), user_namespaces(7)). Only a fork tells: it fails beyond the limit.
    """
    low, high = seen, seen + HIDDEN
    while not may_fork(high):
        low, high = high, high * 2
        if high > 2**22:  # no pid is larger (proc_sys_kernel(5)): something else refuses
            return seen
    if high == seen + HIDDEN:
        return seen
    while high - low > HIDDEN:
        middle = (low + high) // 2
        low, high = (low, middle) if may_fork(middle) else (middle, high)
    return high


def may_fork(limit):
    """Return whether a process with this RLIMIT_NPROC can fork; tried in a child."""
    import resource

    pid = os.fork()
    if not pid:
        status = 1
        try:
            hard = resource.getrlimit(resource.RLIMIT_NPROC)[1]
            most = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
            resource.setrlimit(resource.RLIMIT_NPROC, (most, hard))
            grandchild = os.fork()
            if not grandchild:
                os._exit(0)
            os.waitpid(grandchild, 0)
            status = 0
        finally:
            os._exit(status)
    return os.waitpid(pid, 0)[1] == 0


def starve(count):
    """Start idle threads up to the user's limit, so that the forks of what we chase fail (fork(2))."""
    import _thread

    _thread.stack_size(65536)
    lock = _thread.allocate_lock()
    lock.acquire()
    try:
        for _ in range(count):
            _thread.start_new_thread(lock.acquire, ())
    except RuntimeError:
        pass  # the limit is reached, which was the aim


def size_of(folder, enough):
    """Return the bytes of all files below `folder`; stops counting at `enough` or after 5,000 entries."""
    total, entries, unvisited = 0, 0, [folder]
    while unvisited:
        try:
            with os.scandir(unvisited.pop()) as found:
                for entry in found:
                    entries += 1
                    status = entry.stat(follow_symlinks=False)
                    total += status.st_blocks * 512
                    if entry.is_dir(follow_symlinks=False):
                        unvisited.append(entry.path)
                    if total > enough:
                        return total
                    if entries > 5000:
                        return enough + 1
        except OSError:
            continue
    return total
