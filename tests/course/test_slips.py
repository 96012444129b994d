"""A slip in Python is asked about as a slip in Python, whatever the exercise is about."""

import pytest

from evolution.course import exercise, slips

TRACEBACK = """Traceback (most recent call last):
  File "/tmp/x/host.py", line 40, in <module>
    answer.serve(listener)
  File "/tmp/x/answer.py", line 3, in serve
    {line}
{words}
"""


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        ("NameError: name 'data' is not defined", "`data`"),
        ("NameError: name 'data' is not defined. Did you mean: 'dat'?", "`data`"),
        ("UnboundLocalError: cannot access local variable 'rest' where it is not associated", "`rest`"),
        ("ModuleNotFoundError: No module named 'sockets'", "`sockets`"),
        ("ImportError: cannot import name 'Sock' from 'socket' (/usr/lib/socket.py)", "`Sock`"),
        ("AttributeError: 'NoneType' object has no attribute 'recv'", "returned None"),
        ("AttributeError: module 'socket' has no attribute 'scoket'", "`scoket`"),
        ("AttributeError: 'socket' object has no attribute 'shut'", "`.shut`"),
        ("TypeError: a bytes-like object is required, not 'str'", "`str`"),
        ('TypeError: can only concatenate str (not "bytes") to str', "`bytes`"),
        ("TypeError: can't concat str to bytes", "`str`"),
        ("TypeError: socket.bind() takes exactly one argument (2 given)", "`socket.bind`"),
        ("TypeError: serve() missing 1 required positional argument: 'x'", "`serve`"),
        ("TypeError: 'NoneType' object is not iterable", "None"),
        ("TypeError: unsupported operand type(s) for +: 'int' and 'str'", "kind"),
    ],
)  # fmt: skip
def test_each_kind_has_its_question(words, asked):
    slip = slips.find(TRACEBACK.format(line="x", words=words))
    assert (slip.words, slip.number) == (words, 3)
    assert asked in slip.question and slip.question.endswith("?")


@pytest.mark.parametrize(
    "errors",
    [
        "",
        "NameError: name 'x' is not defined\n",
        TRACEBACK.format(line="x", words="ConnectionResetError: [Errno 104] Connection reset by peer"),
        TRACEBACK.format(line="x", words="ValueError: too long"),
        TRACEBACK.format(line="x", words="TypeError: odd").replace("/answer.py", "/lib/socket.py"),
        TRACEBACK.format(line="x", words="NameError: name 'x'").replace("/answer.py", "/host.py"),
    ],
)  # fmt: skip
def test_what_is_no_slip_of_the_learners_is_none(errors):
    assert slips.find(errors) is None


def test_the_first_one_counts_and_what_follows_is_another_matter():
    first = TRACEBACK.format(line="a", words="OSError: [Errno 9] Bad file descriptor")
    second = TRACEBACK.format(line="b", words="NameError: name 'b' is not defined")
    dump = 'Current thread 0x1 (most recent call first):\n  File "/tmp/x/host.py", line 9 in turn\n'
    assert slips.find(first + second + dump).words == "NameError: name 'b' is not defined"


SLIPS = {
    "read_line": ("def read_line(conn):\n    return conn.receive(100)\n", 2, ".receive"),
    "survive": ("def serve(listener):\n    while True:\n        conn, _ = listener.acept()\n", 3, ".acept"),
    "restart": ("import socket\ndef open_listener(port):\n    return socket.Socket()\n", 3, "Socket"),
    "concurrency_test": ("def is_concurrent(address):\n    return socket.socket()\n", 2, "socket"),
    "fire_on_close": (
        "def serve(conn, on_message, on_close):\n    on_message(conn, conn.recv(100))\n    conn.shut()\n",
        3,
        ".shut",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SLIPS)
def test_in_every_exercise_the_question_is_about_the_line(name, tmp_path):
    source, number, asked = SLIPS[name]
    path = tmp_path / f"{name}.py"
    path.write_text(source)
    verdict = exercise.check(name, path)
    assert verdict.outcome == "crashed", verdict.text()
    assert f"your line {number}: " in verdict.evidence[-1]
    assert asked in verdict.question and "`" in verdict.question


def test_every_code_exercise_is_slipped_in():
    chapter = {name for name, task in exercise.catalogue().items() if task.chapter == "ch1_blocking"}
    code = {name for name in chapter if exercise.load(name).kind == "code"}
    assert code == set(SLIPS)
