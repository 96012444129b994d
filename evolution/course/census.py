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
