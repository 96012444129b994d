"""What the kernel counts against RLIMIT_NPROC, also where /proc does not show it: in other containers."""

import os
import subprocess
from pathlib import Path

import pytest

from evolution.course import census

PROGRAM = """
import os, sys
exec(sys.argv[1])  # the text of census.py: this user may not read the file
children = []
for _ in range(int(sys.argv[2])):
    pid = os.fork()
    if not pid:
        sys.stdin.read()  # until the test closes it
        os._exit(0)
    children.append(pid)
seen = tasks_of(os.getuid())
print(seen, counted(seen), counted(0), flush=True)
for pid in children:
    os.waitpid(pid, 0)
"""


PYTHON = next(filter(os.path.exists, ("/usr/bin/python3", "/usr/local/bin/python3")), None)
"""One that any user may run; only the standard library is needed."""


@pytest.mark.skipif(
    os.getuid() != 0 or not PYTHON, reason="needs a uid that nobody else has, and a Python for it"
)
@pytest.mark.parametrize("children", [0, 60, 300])
def test_what_proc_hides_is_found_by_forking(children):
    source = Path(census.__file__).read_text(encoding="utf-8")
    command = [PYTHON, "-I", "-c", PROGRAM, source, str(children)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, user=64_600 + children, cwd="/"
    ) as program:
        seen, counted, blind = map(int, program.stdout.readline().split())
        program.stdin.close()
    assert seen == children + 1
    assert counted == seen, "nothing is hidden here"
    assert abs(blind - seen) <= census.HIDDEN + 2  # to within what is not worth asking for
