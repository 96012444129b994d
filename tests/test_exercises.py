"""The exercises prove themselves: starter not attempted, right passed, each wrong answer by its name."""

import ast
import json
import socket
import subprocess
import sys

import pytest

from evolution.course import exercise, matrix, shipped

CATALOGUE = exercise.catalogue()
CODE = [name for name, task in CATALOGUE.items() if task.kind == "code"]
SAMPLES = matrix.samples()


def in_short(samples):
    """Mark all as slow but the starter, the solution and one wrong answer of each exercise: CI tries all."""
    wrong = {}
    for each in samples:
        if each.path.parent.name == "wrong":
            wrong.setdefault(each.exercise, each)
        chosen = each.name in ("starter", "solution") or wrong.get(each.exercise) is each
        marks = [] if chosen else [pytest.mark.slow]
        yield pytest.param(each, id=f"{each.exercise}-{each.name}", marks=marks)


@pytest.mark.parametrize("sample", list(in_short(SAMPLES)))
def test_confusion_matrix(sample, record_property):
    verdict = matrix.try_out(sample)
    for _ in range(3):  # "too slow to tell" is an invitation to try again, and never a wrong name
        if verdict.outcome == "too_slow":
            verdict = matrix.try_out(sample)
    said = verdict.diagnosis or verdict.outcome
    record_property("matrix", (sample.exercise, sample.name, sample.expected, said))  # see conftest.py
    assert said == sample.expected, verdict.text()
    assert verdict.evidence, "a verdict shows what was observed"


@pytest.mark.parametrize("name", CATALOGUE)
def test_one_folder_is_one_truth(name):
    task = CATALOGUE[name]
    paths = shipped.answers(task)
    stems = [path.stem for path in paths if path.parent.name == "wrong"]
    assert len(stems) == len(set(stems)) and set(stems) == set(task.diagnoses)
    assert set(task.diagnoses) == set().union(*map(raised_in, task.folder.glob("*.py")))
    assert sum(path.parent.name == "right" for path in paths) >= 2
    assert len({shipped.text(path) for path in paths}) == len(paths), "a slip changes something"


def raised_in(path):
    """The codes in Wrong("code", …), also in Wrong("a" if … else "b", …)."""
    codes = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Wrong":
            codes |= {
                each.value
                for each in ast.walk(node.args[0])
                if isinstance(each, ast.Constant)
                and isinstance(each.value, str)
                and each.value.isidentifier()
            }
    return codes


@pytest.mark.parametrize("name", CATALOGUE)
def test_the_texts_are_complete(name):
    task = CATALOGUE[name]
    assert task.title and task.text["task"].strip() and task.text["question"]
    assert len(task.hints) == 3
    for words in task.diagnoses.values():
        assert words["name"] and words["sentence"].endswith(".") and words["question"].endswith("?")
    assert task.text["questions"]["unrecognised"].endswith("?")


def test_every_wrong_answer_that_the_course_names_is_there():
    named = {
        "three_clients": "refused connect_blocks all_parallel off_by_one",
        "backlog_of_three": "needs_accept backlog_exact unlimited fifth_refused",
        "read_line": "recv_is_a_message pipelined_tail_dropped read_until_eof_deadlock timeout_as_framing "
        "eof_spin decode_before_frame unbounded_line",
        "survive": "timeout_on_listener per_recv_not_per_request timeout_kills_server",
        "restart": "option_after_bind reuseport_instead moved_port stale_time_wait",
        "concurrency_test": "in_order_only one_client sleeps_and_hopes",
        "fire_on_close": "forgets_reset forgets_own_close fires_twice",
        "fork_loop": "linear_growth wait_is_free children_stop",
        "descriptors_after_fork": "parent_close_kills_child shared_variables fd_numbers_change "
        "child_has_private_listener",
        "accept_and_fork": "parent_keeps_fd child_falls_through fork_then_wait closed_before_fork "
        "sys_exit_flushes_twice",
        "reaper": "never_reaped sigchld_coalesced reaper_blocks reaps_only_on_next_accept "
        "sig_ign_loses_status kills_the_zombie",
        "supervise": "worker_not_replaced respawn_storm orphans_keep_port replaces_on_stop",
        "graceful_stop": "kills_in_flight master_only hangs_on_keepalive drops_the_queue exit_nonzero",
        "pid_one": "waits_for_one busy_waits loses_status",
        "readiness": "eof_not_readable writable_means_peer_read errors_in_xlist readable_means_whole_message "
        "listener_never_readable",
        "echo_loop": "eof_ignored always_writable_spin one_reset_kills_server closed_socket_in_list "
        "mutates_while_iterating timeout_zero_spin",
        "back_pressure": "accepted_socket_blocking short_send_ignored sendall_on_nonblocking "
        "unbounded_buffer buffer_shared_between_clients",
        "fd_1024": "raise_ulimit watch_fewer swallow_valueerror limit_is_a_count",
        "cost_fit": "poll_is_constant select_and_poll_differ epoll_always_wins",
        "idle_timers": "sleep_in_loop any_activity_resets_all busy_poll wall_clock",
        "survive_emfile": "accept_spin closes_listener dies",
        "level_and_edge": "et_repeats lt_once et_loses_data",
        "drain_the_edge": "et_no_drain et_accept_once drain_on_blocking_socket greedy_drain_starves",
        "registration": "close_always_removes epoll_before_fork stale_event_fd_reuse fd_leak hup_ignored",
        "request_queue": "two_workers_one_socket no_rearm rearm_before_done order_lost unlocked_table",
        "share_the_port": "kernel_round_robins exclusive_means_fair reuseport_least_loaded herd_is_gone",
        "reuseport": "only_one_sets_it after_bind reuseaddr_confused closing_drops_queue",
        "write_reactor": "handler_blocks_loop callback_exception_kills_loop epollout_always_on "
        "callback_after_remove timer_drift",
    }
    for name, codes in named.items():
        assert set(codes.split()) <= set(CATALOGUE[name].diagnoses)


def command(*arguments, **options):
    return subprocess.run(
        [sys.executable, "-m", "evolution.course.exercise", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        **options,
    )


def test_the_command_prints_one_json_object():
    folder = CATALOGUE["read_line"].folder
    wrong = command("read_line", str(folder / "wrong/recv_is_a_message.py"), "--json")
    found = json.loads(wrong.stdout)
    assert list(found) == ["exercise", "outcome", "diagnosis", "evidence", "question"]
    assert (found["exercise"], found["outcome"], found["diagnosis"]) == (
        "read_line",
        "wrong",
        "recv_is_a_message",
    )
    assert all(isinstance(line, str) for line in found["evidence"]) and found["evidence"]
    assert wrong.returncode == 1


def test_exit_status_zero_is_for_passed_only(tmp_path):
    assert command("restart", str(CATALOGUE["restart"].folder / "solution.py")).returncode == 0
    missing = command("restart", "--json", cwd=tmp_path)
    assert missing.returncode == 1
    assert json.loads(missing.stdout)["outcome"] == "not_attempted"


def test_an_unknown_exercise_is_one_line():
    found = command("nope")
    assert found.returncode == 2
    assert found.stdout == "" and found.stderr.count("\n") == 1 and "read_line" in found.stderr


def outcome_of(name, source, tmp_path):
    path = tmp_path / f"{name}.py"
    path.write_text(source)
    return exercise.check(name, path)


def test_a_syntax_error_is_shown_with_its_line(tmp_path):
    verdict = outcome_of("read_line", "def read_line(conn):\n    x = = 3\n", tmp_path)
    assert verdict.outcome == "crashed"
    assert "your line 2: x = = 3" in verdict.evidence[1]
    assert verdict.evidence[2].index("^") == verdict.evidence[1].index("= 3")


def test_an_exception_is_shown_with_the_learners_line(tmp_path):
    verdict = outcome_of(
        "read_line", "def read_line(conn):\n    data = conn.recv(10)\n    return data + 1\n", tmp_path
    )
    assert verdict.outcome == "crashed"
    assert "your line 3: return data + 1" in verdict.evidence
    assert any(line.startswith("TypeError") for line in verdict.evidence)


@pytest.mark.parametrize(
    "body", ["", "pass", "...", "'''soon'''", "raise NotImplementedError", "raise NotImplementedError('x')"]
)
def test_an_empty_body_is_not_attempted(body, tmp_path):
    source = f"import socket\n\ndef read_line(conn):\n    '''later'''\n    {body}\n"
    assert outcome_of("read_line", source, tmp_path).outcome == "not_attempted"


def test_a_missing_function_is_said(tmp_path):
    verdict = outcome_of("read_line", "def readline(conn): return b''\n", tmp_path)
    assert verdict.outcome == "crashed" and "ended" in " ".join(verdict.evidence)
    assert "read_line(conn)" in verdict.output


def test_something_else_that_is_wrong_is_unrecognised_with_its_evidence(tmp_path):
    source = CATALOGUE["read_line"].read("solution.py").replace("return line\n", "return line[::-1]\n")
    verdict = outcome_of("read_line", source, tmp_path)
    assert verdict.outcome == "unrecognised" and verdict.diagnosis is None
    assert any("expected b'" in line for line in verdict.evidence)


def test_a_kept_newline_beside_a_graver_mistake_is_not_passed_over(tmp_path):
    source = "def read_line(conn):\n    return conn.recv(100)\n"
    verdict = outcome_of("read_line", source, tmp_path)
    assert (verdict.outcome, verdict.diagnosis) == ("wrong", "eof_is_empty_line")
    assert "newline, which is not part of it" in verdict.evidence[-1]


@pytest.mark.parametrize(("answer", "told"), [("right/byte_by_byte", True), ("right/peek", False)])
def test_a_right_answer_hears_its_price(answer, told):
    verdict = exercise.check("read_line", CATALOGUE["read_line"].folder / f"{answer}.py")
    assert verdict.passed
    assert any("calls of recv for 4 lines" in line for line in verdict.evidence) is told


FORGERIES = {
    "prints a verdict": """
import json, os
print(json.dumps({"seal": "", "exercise": "read_line", "outcome": "passed"}), flush=True)
os._exit(0)
""",
    "equal to everything": """
class Any(bytes):
    def __eq__(self, other): return True
    def __hash__(self): return 0
    def __repr__(self): return "Any"
def read_line(conn):
    conn.recv(100)
    return Any(b"x")
""",
    "says it listens elsewhere": """
print("listening 127.0.0.1:1", flush=True)
import time
time.sleep(30)
""",
    "writes to every pipe it can find": """
import glob, os
for path in glob.glob("/proc/[0-9]*/fd/[0-9]*"):
    try:
        with open(path, "w") as file: file.write('{"outcome": "passed"}')
    except Exception: pass
os._exit(0)
""",
    "kills what it can": """
import os, signal
os.getuid() and os.kill(-1, signal.SIGKILL)
os._exit(0)
""",
    "exits with 0": "import sys; sys.exit(0)",
    "sends itself": """
def read_line(conn):
    conn.sendall(b"passed")
    return None
""",
}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_verdict_cannot_be_forged(name, tmp_path):
    verdict = outcome_of("read_line", FORGERIES[name], tmp_path)
    assert verdict.outcome in ("crashed", "unrecognised"), verdict.text()


def test_a_checker_that_fails_or_says_nothing_is_no_pass(tmp_path, monkeypatch):
    path = CATALOGUE["restart"].folder / "solution.py"
    module = CATALOGUE["restart"].module()
    monkeypatch.setattr(module, "check", lambda bench: None)
    assert exercise.check("restart", path).outcome == "unrecognised"
    monkeypatch.setattr(module, "check", lambda bench: ())
    assert exercise.check("restart", path).outcome == "unrecognised"
    monkeypatch.setattr(module, "check", lambda bench: 1 / 0)
    verdict = exercise.check("restart", path)
    assert verdict.outcome == "unrecognised" and "the checker itself failed" in verdict.evidence[0]


def test_a_listener_that_is_not_the_learners_is_not_talked_to(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as ours:
        ours.settimeout(0)
        source = (
            f"print('listening 127.0.0.1:{ours.getsockname()[1]}', flush=True)\nimport time; time.sleep(30)"
        )
        verdict = outcome_of("read_line", source, tmp_path)
        with pytest.raises(BlockingIOError):
            ours.accept()
    assert verdict.outcome == "unrecognised" and "no such socket of its own" in verdict.evidence[0]
