"""The doctor's findings: what is essential decides the exit status, and every lack has a remedy."""

import re
import subprocess
import sys

import pytest

from evolution.lab import doctor
from evolution.lab.doctor import Check, Report


def test_this_machine_has_the_essentials():
    report = Report()
    assert report.ok, report
    names = [check.name for check in report.checks]
    assert len(set(names)) == len(names)
    expected = {
        "python",
        "system",
        "epoll",
        "strace",
        "ptrace",
        "wrk",
        "descriptors",
        "chromium",
        "uv",
        "memory",
    }
    assert expected <= set(names)


def test_every_check_has_a_finding_and_a_remedy():
    for check in doctor.checks():
        assert check.found
        assert check.remedy


def test_a_look_that_fails_is_a_finding(monkeypatch):
    def broken():
        raise PermissionError("not for you")

    monkeypatch.setattr(doctor, "_LOOKS", (("disk", broken, "buy one", False),))
    assert doctor.checks() == [Check("disk", False, "PermissionError: not for you", "buy one", False)]


GOOD = Check("python", True, "3.11.7", "install it", True)
OPTIONAL = Check("wrk", False, "not found", "install wrk", False)
BAD = Check("guard", False, "no <start>", "repair & retry", True)


@pytest.mark.parametrize(
    "found, status, sentence",
    [
        ([GOOD], 0, "Everything is here."),
        ([GOOD, OPTIONAL], 0, "Everything essential is here; optional and missing: wrk."),
        ([GOOD, OPTIONAL, BAD], 1, "The course cannot run here yet: guard must be repaired first."),
    ],
)
def test_the_exit_status_and_the_sentence(found, status, sentence, monkeypatch, capsys):
    monkeypatch.setattr(doctor, "checks", lambda: found)
    assert doctor.main() == status
    assert capsys.readouterr().out.splitlines()[-1] == sentence


def test_one_line_each_and_the_remedy_only_where_it_is_needed():
    lines = str(Report([GOOD, OPTIONAL, BAD])).splitlines()
    assert lines[:3] == [
        "ok        python  3.11.7",
        "missing   wrk     not found: install wrk",
        "MISSING   guard   no <start>: repair & retry",
    ]


def test_the_card_escapes_and_says_the_same():
    bundle = Report([GOOD, BAD])._repr_mimebundle_()
    assert bundle["text/plain"] == str(Report([GOOD, BAD]))
    assert "no &lt;start&gt;: repair &amp; retry" in bundle["text/html"]
    assert re.findall(r'data-ok="(\w+)"', bundle["text/html"]) == ["true", "false"]


def test_the_command():
    done = subprocess.run(
        [sys.executable, "-m", "evolution", "doctor"], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stdout
    assert len(done.stdout.splitlines()) == len(doctor._LOOKS) + 1
    assert done.stderr == ""
