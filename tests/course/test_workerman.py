"""The capstone's checker: a wrong answer of no known kind gets no name, and is told what was seen."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from evolution.course import exercise
from evolution.exercises.ch5_race import web

TASK = exercise.load("workerman")
RIGHT = TASK.read("right/on_asyncio.py")


def starved(times):
    """Slips with which the first connections of HTTP are idle for too long, as on a machine without time."""
    nap = """            if self.end != b"\\n" and self.starved:
                self.starved -= 1
                await asyncio.sleep(self.idle)
                return
"""
    return [
        ("class Worker:\n", f"class Worker:\n    starved = {times}\n"),
        ("            closing = False\n", f"            closing = False\n{nap}"),
    ]


UNKNOWN = {  # what is done to the right answer: (replacements, outcome, words in the evidence)
    "a line, then the end": (
        [('message[:-1]) + b"\\n", False', 'message[:-1]) + b"\\n", True')],
        "unrecognised",
        "server closes the connection",
    ),
    "statistics on several lines": (
        [("json.dumps(facts)", "json.dumps(facts, indent=1)")],
        "unrecognised",
        "expected one line of JSON",
    ),
    "an error in the master": (
        [("                self.report()\n", '                raise RuntimeError("later")\n')],
        "crashed",
        "RuntimeError: later",
    ),
    "half a reload": (
        [
            ("self.tell(old)", "self.tell(old[:1])"),
            ("self.due = dict.fromkeys(range(self.count), 0.0)\n                self.fill()", "pass"),
        ],
        "unrecognised",
        "1 of 2 old reactors still run",
    ),
    "deaf to SIGTERM": ([("(signal.SIGTERM, signal.SIGINT)", "()")], "unrecognised", "it is still there"),
    "fifteen at once, then a pause": (  # a burst, for a steady pace would depend on the machine's
        [
            ("(self.pause[slot] if young else 0)", "(0 if self.pause[slot] < 2 else 2)"),
            ("self.pause[slot] * 2)", "self.pause[slot] * 1.22)"),
        ],
        "unrecognised",
        "expected 10 at most",
    ),
    "chunks": (
        [
            ("Content-Length: %d\\r\\n\\r\\n", "Transfer-Encoding: chunked\\r\\n\\r\\n%x\\r\\n"),
            ("head + body,", 'head + body + b"\\r\\n0\\r\\n\\r\\n",'),
        ],
        "unrecognised",
        "expected an answer with Content-Length",
    ),
    "never says on_start": (
        [("        self.on_start()\n", "")],
        "unrecognised",
        "on_start was called in []",
    ),
    "got no time once": (starved(1), "passed", "10 of 10 stages"),
    "never gets time": (starved(9), "unrecognised", "server: nothing, and closes"),
}


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory):
    """Each of them checked once, some at a time: they mostly wait."""
    folder = tmp_path_factory.mktemp("answers")

    def check(name):
        source = RIGHT
        for old, new in UNKNOWN[name][0]:
            assert source.count(old) == 1, old
            source = source.replace(old, new)
        path = folder / f"{name.replace(' ', '_')}.py"
        path.write_text(source)
        return exercise.check("workerman", path)

    with ThreadPoolExecutor(3) as pool:
        return dict(zip(UNKNOWN, pool.map(check, UNKNOWN), strict=True))


@pytest.mark.xdist_group("workerman")  # one process makes all the verdicts
@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", UNKNOWN)
def test_what_is_not_known_gets_no_name(verdicts, name):
    _, outcome, words = UNKNOWN[name]
    verdict = verdicts[name]
    assert verdict.diagnosis is None, verdict.text()
    if verdict.outcome != "too_slow":
        assert verdict.outcome == outcome, verdict.text()
        assert any(words in line for line in verdict.evidence), verdict.text()


def test_whole_answers_are_cut_out_of_what_came():
    one = b"HTTP/1.1 200 OK\r\ncontent-length:3\r\n\r\nabc"
    two = b"HTTP/1.1 200 OK\r\nX: y\r\nContent-Length: 0\r\n\r\n"
    assert web.bodies_of(one + two + one) == [b"abc", b"", b"abc"]
    assert web.bodies_of(one + one[:-1]) == [b"abc"]
    assert web.bodies_of(b"HTTP/1.1 200 OK\r\n\r\nabc") == []


@pytest.mark.parametrize(
    ("raw", "endless"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\nabc", True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", False),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", False),
        (b"HTTP/1.1 200 OK\r\nServer: mine", False),
        (b"echo amber\n", False),
    ],
)
def test_an_answer_without_an_end_is_told_from_other_mistakes(raw, endless):
    assert web.Heard([], False, raw, 0.0).endless == endless
