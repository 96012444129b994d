"""The scratch folder of a learner's program, and which paths it may read.

Folders are named evolution-PID-…: PID is the checker that made it, so that the next one can clear up after a
checker that was killed.
"""

import os
import shutil
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

THROW_AWAY = range(61200, 65500)
"""The uids that the nanny takes one from when it is root."""


def make():
    """Return a fresh scratch folder; remove those whose checkers are gone."""
    remove_stale()
    return Path(tempfile.mkdtemp(prefix=f"evolution-{os.getpid()}-")).resolve()


def remove(scratch):
    """Remove a scratch folder, whatever permissions its folders have."""
    shutil.rmtree(scratch, ignore_errors=True)
    for _ in range(100):  # folders without permissions, which may hide others; root has no such trouble
        if not scratch.exists():
            return
        with suppress(OSError):
            scratch.chmod(stat.S_IRWXU)
        for folder, names, _files in os.walk(scratch):
            for each in (Path(folder, name) for name in names):
                with suppress(OSError):
                    if not each.is_symlink():  # chmod would follow it, out of the scratch folder
                        each.chmod(stat.S_IRWXU)
        shutil.rmtree(scratch, ignore_errors=True)


def remove_stale():
    """Remove the scratch folders of checkers that were killed and could not do it themselves."""
    for path in Path(tempfile.gettempdir()).glob("evolution-*-*"):
        with suppress(OSError, ValueError):
            owner = path.lstat().st_uid
            ours = owner == os.geteuid() or (os.geteuid() == 0 and owner in THROW_AWAY)
            if ours and path.is_dir() and not path.is_symlink() and not alive(int(path.name.split("-")[1])):
                remove(path)


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def without(paths, protected):
    """Yield `paths`, taking apart those that contain a protected one, so that it can be left out.

    Landlock only allows, it never forbids: to leave one folder out, name all its neighbours.
    """
    protected = [Path(each).resolve() for each in protected]
    for path in map(Path, paths):
        real = path.resolve()
        if any(real == each or each in real.parents for each in protected):
            continue
        if any(real in each.parents for each in protected):
            with suppress(OSError):
                yield from without(sorted(real.iterdir()), protected)
        else:
            yield str(path)


def hides_from_others(path):
    """True when an unprivileged user cannot reach `path`, as with a Python installed in root's home."""
    path = Path(path).resolve()
    return any(not folder.stat().st_mode & stat.S_IXOTH for folder in path.parents)
