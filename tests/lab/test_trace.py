"""A server under strace: true calls, true counts, and everything that the guard promises."""

import os
import signal
import socket
import sys
import threading
from pathlib import Path

import pytest
from serving import eventually

import evolution
from evolution import lab
from evolution.lab import launch, procfs
from evolution.lab import trace as tracing
from evolution.lab.trace_story import TraceStory

ASK = b"GET / HTTP/1.1\r\nHost: test\r\n\r\n"

REFUSAL = "" if os.environ.get("EVOLUTION_REQUIRE_TOOLS") == "1" else tracing.refusal()

pytestmark = pytest.mark.skipif(bool(REFUSAL), reason=REFUSAL or "strace works")


def ask(server, times=1):
    """Ask on one connection, keeping it alive; return the descriptor's own port."""
    with lab.call(server) as client:
        for _ in range(times):
            client.sendall(ASK)
            assert client.recv(4096).startswith(b"HTTP/1.1 200 ")
        return client.getsockname()[1]


def told(server):
    """The finished story of a server that has ended."""
    assert server.trace.wait(20)
    story = TraceStory(server.model)
    story.feed(server.trace.read()[0])
    story.finish()
    return story


def named(story, *words):
    spans = (span for lane in story.lanes.values() for span in lane.spans)
    return [span for span in spans if span["word"] in words]


@pytest.mark.parametrize("name", evolution.GENERATIONS)
def test_every_model_is_counted_truly(name):
    with launch.start(name, trace=True) as server:
        for _ in range(2):
            ask(server, 3)
    story = told(server)
    assert (server.exit_status, server.swept, server.trace._reader.skipped) == (0, 0, 0)
    assert story.requests == 6
    assert story.counts["send"] == 6
    assert story.counts["recv"] >= 6 and story.counts["accept4"] >= 2
    assert len([span for span in named(story, "accept4", "accept") if span["said"].startswith("→")]) == 2
    assert all(lane.end["note"] == "exited with 0" for lane in story.lanes.values())
    assert sum(row["n"] for row in story.as_dict()["counts"]["rows"]) == sum(story.counts.values())


def test_the_first_call_is_the_socket_and_the_last_the_exit():
    with launch.start("blocking", trace=True) as server:
        ask(server)
    words = [span["word"] for span in told(server).lanes[server.pid].spans if span["kind"] != "signal"]
    assert words[0] == "socket" and words[-1] == "exit"
    assert [word for word in words if word in ("bind", "listen")] == ["bind", "listen"]


def test_threads_and_processes_have_lanes_below_the_one_that_made_them():
    with launch.start("prefork", workers=2, trace=True) as server:
        eventually(lambda: len(server.tree()) == 3, "two workers")
        workers = {process.pid for process in server.tree()[1:]}
    story = told(server)
    assert {tid for tid, lane in story.lanes.items() if lane.depth == 1} == workers
    assert {span["child"] for span in named(story, "fork")} == {f"t{pid}" for pid in workers}
    with launch.start("threads", trace=True) as server:
        ask(server)
    story = told(server)
    main, thread = story.lanes.values()
    assert (main.name, thread.name, thread.process) == ("server", "thread", main.tid)
    assert [span["child"] for span in named(story, "clone")] == [thread.id]


def test_a_silent_client_is_a_long_sleep():
    with launch.start("blocking", trace=True) as server, lab.call(server):
        call = eventually(
            lambda: [each for each in server.trace.read()[2] if each["name"] == "recvfrom"], "recv"
        )
        assert (call[0]["tid"], call[0]["result"], call[0]["took"]) == (server.pid, None, None)
        eventually(lambda: server.trace.now > call[0]["t"] + 0.05, "a while")
    (first, *_) = named(told(server), "recv")
    assert first["kind"] == "wait" and first["to"] - first["from"] >= 0.05


def test_a_traced_server_is_the_guards_own_child_with_no_descriptor_more():
    def descriptors(server):
        return [(each.fd, each.kind) for each in server.tree()[0].descriptors]

    with launch.start("epoll_loop") as plain, launch.start("epoll_loop", trace=True) as traced:
        assert traced.pid in procfs.children(traced.guard_pid)
        # It says that it listens before it has everything else open.
        eventually(
            lambda: descriptors(traced) == descriptors(plain) and len(descriptors(plain)) > 4, "the same"
        )
        assert [process.pid for process in traced.tree()] == [traced.pid]


def test_the_end_of_a_traced_server_is_its_own():
    with launch.start("epoll_loop", trace=True) as server:
        os.kill(server.pid, signal.SIGKILL)
        assert server.wait(20) == -signal.SIGKILL
    assert told(server).lanes[server.pid].end["note"] == "killed by SIGKILL"
    with launch.start("epoll_loop", trace=True) as server:
        server.signal(signal.SIGTERM)
        assert server.wait(20) == 0
    assert [span["word"] for span in named(told(server), "SIGTERM")] == ["SIGTERM"]
    with launch.start("prefork", trace=True) as server:
        server.kill()
        assert server.exit_status == -signal.SIGKILL
    assert server.trace.wait(20)


def test_what_a_traced_server_leaves_behind_is_counted_without_strace():
    for traced in (False, True):
        with launch.run([sys.executable, Path(__file__).with_name("daemonic.py")], trace=traced) as server:
            os.kill(server.pid, signal.SIGKILL)
            assert server.wait(20) == -signal.SIGKILL
        assert (server.swept, server.left) == (3, [])  # two workers and a daemon


def test_without_its_strace_a_server_ends_and_leaves_nothing(orphanage):
    with launch.start("prefork", workers=2, trace=True) as server:
        eventually(lambda: len(server.tree()) == 3, "two workers")
        family = [process.pid for process in procfs.tree(server.guard_pid)]
        os.kill(tracer_of(server.pid), signal.SIGKILL)
    orphanage.await_end(family, server.address.port)
    assert server.trace.wait(20)


def tracer_of(pid):
    with open(f"/proc/{pid}/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("TracerPid:"))


def test_a_killed_guard_takes_a_traced_server_along(orphanage):
    with launch.start("blocking", trace=True) as server:
        family = [process.pid for process in procfs.tree(server.guard_pid)]
        os.kill(server.guard_pid, signal.SIGKILL)
        assert server.wait(20) == -signal.SIGKILL
    orphanage.await_end(family, server.address.port)


def test_nothing_of_a_trace_stays_open():
    eventually(lambda: not alive("trace"), "the ends of the readers before")
    before = sorted(os.listdir("/proc/self/fd"))
    with launch.start("blocking", trace=True) as server:
        ask(server)
    assert server.trace.wait(20)
    with pytest.raises(lab.LaunchError, match="ended first, exit status 3"):
        launch.run(["sh", "-c", "exit 3"], trace=True)
    eventually(lambda: not alive("trace"), "the readers' ends")
    assert sorted(os.listdir("/proc/self/fd")) == before


def test_without_strace_the_server_runs_and_a_sentence_says_why(monkeypatch):
    monkeypatch.setattr(tracing, "_permitted", False)
    monkeypatch.setenv("PATH", "/nowhere")
    with launch.start("blocking", trace=True) as server:
        ask(server)
        assert server.trace is None
        assert "strace is not installed here" in server.untraced
        view = lab.calls(server)
    assert view.state["recorded"] and view.state["title"].startswith("blocking: ")
    assert view.state["note"] == f"{server.untraced} This is a recorded run."


def test_where_strace_is_refused_its_words_are_told(monkeypatch, tmp_path):
    refusing = tmp_path / "strace"
    refusing.write_text(
        "#!/bin/sh\necho 'strace: ptrace(PTRACE_SEIZE): Operation not permitted' >&2\nexit 1\n"
    )
    refusing.chmod(0o755)
    monkeypatch.setattr(tracing, "_permitted", False)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    said = tracing.refusal()
    assert "refused here (ptrace(PTRACE_SEIZE): Operation not permitted)" in said
    assert tracing._permitted is False


def test_a_server_without_trace_shows_a_recorded_run():
    with launch.start("reactor") as server:
        state = lab.calls(server).state
    assert state["note"].startswith("It was started without trace=True.") and state["recorded"]


def test_the_view_is_live_and_ends_like_the_story():
    with launch.start("epoll_loop", trace=True) as server:
        view, sent = lab.calls(server), []
        view.send = sent.append
        ask(server, 2)
        eventually(lambda: view._latest["counts"]["requests"] == 2, "two requests in the view")
        open_calls = [lane["spans"][-1]["to"] for lane in view._latest["lanes"]]
        assert open_calls == [None] and view._latest["running"]
    eventually(lambda: not view.state["running"], "the last increment")
    assert view.state["lanes"] == lab.calls(server).state["lanes"] == told(server).as_dict()["lanes"]
    shown = [span["from"] for update in sent for lane in update["lanes"] for span in lane["spans"]]
    assert len(shown) <= len(view.state["lanes"][0]["spans"]) + len(sent)  # each once, and the one under way


@pytest.mark.parametrize("name", ["select_loop", "reactor", "fork"])
def test_a_view_made_right_after_a_request_has_all_of_it(name):
    """strace is a little behind the server: the first picture waits for what it has not told yet."""
    with launch.start(name, trace=True) as server:
        for requests in range(1, 4):
            ask(server)
            state = lab.calls(server).state
            closed = [s for lane in state["lanes"] for s in lane["spans"] if s["word"].startswith("close")]
            assert state["counts"]["requests"] == requests and len(closed) >= requests


def test_a_new_view_of_a_server_ends_the_old_ones_updates():
    with launch.start("blocking", trace=True) as server:
        first = lab.calls(server)
        second, sent = lab.calls(server), []
        eventually(lambda: alive("system calls") == 1, "one follower")
        first.send = sent.append
        ask(server)
        eventually(lambda: second._latest["counts"]["requests"] == 1, "the request in the second view")
    eventually(lambda: not second.state["running"], "the end")
    assert sent == []


def alive(name):
    return sum(thread.name == name for thread in threading.enumerate())


def test_a_recording_of_calls_shows_the_same(tmp_path):
    with launch.start("fork", trace=True) as server:
        ask(server)
    story = told(server)
    server.trace.recording().save(tmp_path / "calls.jsonl")
    state = lab.calls(tmp_path / "calls.jsonl").state
    assert state["lanes"] == story.as_dict()["lanes"]
    assert (state["recorded"], state["counts"]) == (True, story.as_dict()["counts"])


def test_the_oldest_calls_are_dropped_and_counted(monkeypatch):
    monkeypatch.setattr(tracing, "MOST", 40)
    with launch.start("blocking", trace=True) as server:
        ask(server, 20)
    assert server.trace.wait(20)
    events, so_far, _ = server.trace.read()
    assert len(events) <= 40 and server.trace.dropped == so_far - len(events) > 0
    assert server.trace.read(so_far - 3)[0] == events[-3:]


def test_a_port_in_use_is_told_under_strace_too():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(lab.LaunchError, match=rf"exit status 1; its last words: .*port {port} .* in use"):
            launch.start("blocking", address=f"tcp://127.0.0.1:{port}", trace=True)
