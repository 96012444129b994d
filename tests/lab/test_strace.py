"""strace's lines, real ones (tests/lab/strace) and rare ones, whole and cut anywhere."""

import re
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evolution.lab.strace import Call, Exit, Reader, Signal

FOLDER = Path(__file__).with_name("strace")
REAL = {path.stem: path.read_text() for path in sorted(FOLDER.glob("*.txt"))}


def read(text):
    reader = Reader()
    return reader.feed(text), reader


def one(line):
    (event,), reader = read(f"7 1000.5 {line}\n")
    assert reader.skipped == 0
    return event


@pytest.mark.parametrize("name", REAL)
def test_every_line_of_a_real_trace_is_understood(name):
    events, reader = read(REAL[name])
    assert reader.skipped == 0
    lines = REAL[name].splitlines()
    halves = sum(line.endswith("<unfinished ...>") for line in lines)
    assert len(events) == len(lines) - halves
    assert {call.tid for call in reader.under_way()} == left_open(lines)


def left_open(lines):
    """Threads whose last call has begun and not come back."""
    found = set()
    for tid, _, said in (line.split(maxsplit=2) for line in lines):
        if said.endswith("<unfinished ...>"):
            found.add(int(tid))
        elif "resumed>" in said or said.startswith("+++"):
            found.discard(int(tid))
    return found


@pytest.mark.parametrize("name", REAL)
def test_a_call_gives_back_the_line_it_was_read_from(name):
    told = {call.line for call in read(REAL[name])[0] if isinstance(call, Call)}
    whole = re.compile(r"\d+ \d+\.\d+ (\w+\(.*\))\s+= (.*?)(?: <[\d.]+>)?")
    lines = [line for line in REAL[name].splitlines() if "<unfinished" not in line]
    said = {f"{match[1]} = {match[2]}" for line in lines if (match := whole.fullmatch(line))}
    hexadecimal = re.compile(r"(?<=\) = )0x\w+")  # a result is a number, however it is written
    said = {hexadecimal.sub(lambda found: str(int(found[0], 16)), line) for line in said}
    assert said and said <= told


@given(st.sampled_from(sorted(REAL)), st.lists(st.integers(0, 4000), max_size=8))
def test_where_the_text_is_cut_does_not_matter(name, cuts):
    text, reader, events = REAL[name], Reader(), []
    places = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    for start, stop in pairwise(places):
        events += reader.feed(text[start:stop])
    whole, at_once = read(text)
    assert (events, reader.skipped, reader.under_way()) == (whole, at_once.skipped, at_once.under_way())


def test_letter_by_letter():
    text, reader = REAL["reactor"], Reader()
    events = [event for letter in text for event in reader.feed(letter)]
    assert events == read(text)[0]


def test_what_a_forking_server_did():
    events, _ = read(REAL["fork"])
    first = events[0]
    assert (first.tid, first.name, first.fd, first.result, first.error) == (26779, "accept4", 3, 4, "")
    assert (first.start, first.duration) == (1795523221.162372, 0.009098)
    cut = next(call for call in events if call.name == "accept4" and call.start == 1795523221.172732)
    assert (cut.result, cut.duration) == (4, 0.002346)
    assert cut.arguments.startswith("3, {sa_family=AF_INET, sin_port=htons(54522)")
    signals = [event for event in events if isinstance(event, Signal)]
    assert [(each.tid, each.name) for each in signals] == [(26779, "SIGCHLD")] * 2
    assert [(each.tid, each.status) for each in events if isinstance(each, Exit)] == [(26788, 0), (26789, 0)]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            "recvfrom(4, 0x5, 4096, 0, 0, 0) = -1 EAGAIN (Resource temporarily unavailable) <0.000012>",
            (4, -1, "EAGAIN", "Resource temporarily unavailable", 0.000012),
        ),
        ("pselect6(5, [4], NULL, NULL, {}, NULL) = 0 (Timeout) <0.1>", (None, 0, "", "Timeout", 0.1)),
        (
            "poll([{fd=3, events=POLLIN}], 1, 500) = 1 ([{fd=3, revents=POLLIN}]) <0.2>",
            (None, 1, "", "[{fd=3, revents=POLLIN}]", 0.2),
        ),
        ("exit_group(0)   = ?", (None, None, "", "", 0.0)),
        (
            "futex(0x5, FUTEX_WAIT) = ? ERESTARTSYS (To be restarted if SA_RESTART is set) <2.5>",
            (None, None, "ERESTARTSYS", "To be restarted if SA_RESTART is set", 2.5),
        ),
        (
            "fcntl(3, F_GETFL) = 0x8002 (flags O_RDWR|O_CLOEXEC) <0.000007>",
            (3, 0x8002, "", "flags O_RDWR|O_CLOEXEC", 0.000007),
        ),
        ('sendto(5, "f(1) = 2 <0.5>", 14, 0, NULL, 0) = 14 <0.000020>', (5, 14, "", "", 0.00002)),
        ("accept4(3,  <unfinished ...>) = ?", (3, None, "", "", 0.0)),
    ],
)
def test_rare_lines(line, expected):
    call = one(line)
    assert (call.fd, call.result, call.error, call.note, call.duration) == expected
    assert "<" not in call.arguments or '"' in call.arguments


def test_a_call_is_under_way_from_its_first_half_on():
    reader = Reader()
    assert reader.feed("7 1000.5 accept4(3, ") == []
    (call,) = reader.under_way()
    assert (call.tid, call.name, call.fd, call.start, call.result, call.duration) == (
        7, "accept4", 3, 1000.5, None, None,
    )  # fmt: skip
    (done,) = reader.feed("NULL, NULL, 0) = 4 <0.25>\n")
    assert (done.arguments, done.result) == ("3, NULL, NULL, 0", 4) and reader.under_way() == []


def test_a_call_of_a_thread_that_is_killed_ends_with_it():
    events, reader = read(
        "7 10.0 recvfrom(4,  <unfinished ...>\n7 12.5 +++ killed by SIGKILL (core dumped) +++\n"
    )
    call, end = events
    assert (call.name, call.fd, call.result, call.duration) == ("recvfrom", 4, None, 2.5)
    assert (end, reader.under_way()) == (Exit(7, "SIGKILL", 12.5), [])


def test_a_call_that_began_before_the_trace_has_its_start_from_its_duration():
    call = one("<... accept4 resumed>NULL, NULL, 0) = 4 <0.25>")
    assert (call.name, call.start, call.duration) == ("accept4", 1000.25, 0.25)


def test_two_threads_do_not_get_into_each_others_way():
    text = "7 1.0 read(3,  <unfinished ...>\n8 1.1 read(5,  <unfinished ...>\n"
    text += '8 1.2 <... read resumed>"b", 9) = 1 <0.1>\n7 1.3 <... read resumed>"a", 9) = 1 <0.3>\n'
    assert [(call.tid, call.arguments) for call in read(text)[0]] == [(8, '5, "b", 9'), (7, '3, "a", 9')]


def test_what_is_not_understood_is_counted_and_left_out():
    events, reader = read(
        "strace: hello\n7 1.0 what is this\n\n7 1.0 +++ superseded by execve in pid 9 +++\n"
    )
    assert (events, reader.skipped) == ([], 3)
