"""Fool the checker: what counts is an answer that passes and that its own proof condemns; nothing else."""

import json

import pytest

from evolution.course import exercise, fool
from evolution.course.progress import Progress

HONEST = exercise.load("read_line").read("solution.py")

SPOILED = (
    HONEST.replace("def read_line(conn):", "def right(conn):")
    + '''

def read_line(conn):
    """Right for everything but one word, which no checker can know."""
    line = right(conn)
    return b"tea" if line == b"coffee" else line
'''
)

PROOF = """

def proof(port):
    import socket
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(b"coffee\\n")
        said = client.recv(100)
        assert b"coffee" in said, f"asked for coffee, got {said!r}"
"""


@pytest.fixture
def attempt(tmp_path):
    return lambda source, name="read_line": fool.attempt(name, source, Progress(tmp_path))


def test_a_wrong_answer_that_passes_is_kept_as_a_report(attempt, tmp_path):
    made = attempt(SPOILED + PROOF)
    assert made.fooled, made
    facts = json.loads(made.report.read_text())
    assert facts["exercise"] == "read_line" and facts["verdict"]["outcome"] == "passed"
    assert "tea" in facts["answer"] and made.report.is_relative_to(tmp_path)


def test_a_proof_without_an_objection_proves_nothing(attempt):
    made = attempt(HONEST + PROOF)
    assert not made.fooled and "nothing against it" in made.lines[0]


def test_a_proof_that_condemns_everything_proves_nothing(attempt):
    made = attempt(SPOILED + '\n\ndef proof(port):\n    assert port == 0, "always"\n')
    assert not made.fooled and "condemns the solution" in made.lines[0]
    assert made.report is None


def test_an_answer_that_the_checker_sees_through_is_told_so(attempt):
    made = attempt("def read_line(conn):\n    return conn.recv(100)\n" + PROOF)
    assert not made.fooled and made.lines[0].startswith("The checker was not fooled: ")


def test_a_proof_that_breaks_down_is_named(attempt):
    made = attempt(SPOILED + "\n\ndef proof(port):\n    raise KeyError(port)\n")
    assert not made.fooled and "could not be tried" in made.lines[0] and "KeyError" in made.lines[-1]


@pytest.mark.parametrize(
    ("source", "words"),
    [("def read_line(conn): pass\n", "there is none"), ("def read_line(\n", "cannot read")],
)
def test_a_cell_without_a_proof_is_answered_in_words(attempt, source, words):
    assert words in attempt(source).lines[0]


def test_an_exercise_without_a_server_is_refused_in_words(attempt):
    assert "not a server" in attempt(PROOF, "three_clients").lines[0]
