"""Binder would build from these files: repo2docker's dry build reads them, and every pin can be had."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def dockerfile():
    done = subprocess.run(
        [Path(sys.executable).with_name("jupyter-repo2docker"), "--no-build", "--debug", "."],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout + done.stderr


def test_the_dry_build_uses_all_of_our_files():
    made = dockerfile()
    assert re.search(r"python=3\.11\b", made)
    assert re.search(r"apt-get install .*\bstrace wrk\b", made)
    for step in (
        'pip install --no-cache-dir -r "binder/requirements.txt"',
        "RUN ./binder/postBuild",
        "binder/start",
    ):
        assert step in made, step


@pytest.mark.parametrize("script", ["postBuild", "start"])
def test_scripts_are_executable_and_valid(script):
    path = ROOT / "binder" / script
    assert os.access(path, os.X_OK)
    assert subprocess.run(["bash", "-n", path], capture_output=True, text=True, timeout=20).stderr == ""
    assert path.read_text().startswith("#!/bin/bash\n")


def test_start_runs_what_it_is_given():
    done = subprocess.run(
        [ROOT / "binder" / "start", "echo", "hello"], capture_output=True, text=True, timeout=20
    )
    assert done.stdout == "hello\n"


def test_binder_installs_the_versions_that_are_tested():
    pins = {}
    for name in ("requirements.lock", "binder/requirements.txt"):
        pins[name] = set(re.findall(r"^([a-z0-9][\w.-]*==[^\s;\\]+)", (ROOT / name).read_text(), re.M))
    assert pins["binder/requirements.txt"]
    assert pins["binder/requirements.txt"] <= pins["requirements.lock"]


@pytest.mark.parametrize("lock", ["requirements.lock", "binder/requirements.txt"])
def test_every_pin_has_a_hash_and_no_host_is_named(lock):
    text = (ROOT / lock).read_text()
    for block in re.split(r"\n(?=[a-z0-9])", text):
        assert "--hash=sha256:" in block, block[:80]
    assert "://" not in text


@pytest.mark.slow
def test_the_requirements_can_be_had():
    """pip itself resolves every pin to a file with a matching hash, as Binder's build will."""
    command = [sys._base_executable, "-m", "pip", "install", "--dry-run", "--ignore-installed", "--no-deps"]
    command += [
        "--disable-pip-version-check",
        "--retries",
        "0",
        "--timeout",
        "5",
        "-r",
        "binder/requirements.txt",
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=110)
    if "No module named pip" in done.stderr:
        pytest.skip(f"{sys._base_executable} has no pip, so the pins cannot be resolved")
    offline = re.search(
        r"from versions: none|Failed to establish a new connection|Temporary failure in name", done.stderr
    )
    if offline and not os.environ.get("EVOLUTION_REQUIRE_TOOLS"):
        pytest.skip("no package index can be reached from here, so the pins cannot be resolved")
    assert done.returncode == 0, done.stderr[-2000:]
    assert "Would install" in done.stdout
