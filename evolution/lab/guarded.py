"""A command that runs under a guard, seen from the kernel: its output, its end, and how to stop it.

`Guarded` is what servers, clients and learners' programs are started with; `launch` adds readiness to it.
Nothing here forks: `subprocess.Popen` executes the guard at once, and the guard does the rest (guard.py).
"""

import atexit
import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from pathlib import Path

CHUNK = 65536
"""Bytes of output taken at once; also the longest line that is handed on in one piece."""

TAIL = 8192
"""Bytes of output kept for `last_words` and `output`."""

STOP_WITHIN = 6.0
"""Seconds between asking and killing: the servers allow themselves 5 for what is in flight."""

PATIENCE = 5.0
"""Seconds to wait for the guard itself: to start, and to finish clearing up."""

GUARD = Path(__file__).with_name("guard.py")

_alive = set()


class LaunchError(RuntimeError):
    """A process did not start as expected; the message says what was expected, what came and what to do."""


class Guarded:
    """A running command. Everything that it starts ends with it, and it ends with this Python process.

    `stdin` is what the command can read there. `on_line` is called with each line of its stdout (text
    without the line end), in a thread of its own; it must not wait for anything. The output is drained
    whether or not anybody wants it, so that the command never sleeps on a full pipe.
    Raises LaunchError when the guard does not start.
    """

    def __init__(self, command, *, stdin=b"", on_line=None, cwd=None, env=None):
        self.command = [str(word) for word in command]
        self.pid = None
        """The command's own process."""
        self.exit_status = None
        """None while it runs; then the exit status, or minus the signal that ended it."""
        self.swept = 0
        """How many processes the command left behind, which the guard then killed."""
        self.left = []
        """Pids that the guard could not kill within 10 s: of another user, or stuck in the kernel."""
        self._owner = os.getpid()
        self._over = False
        self._on_line = on_line
        self._tails = {"stdout": b"", "stderr": b""}
        self._line = b""
        self._started, self._ended = threading.Event(), threading.Event()
        self._lock = threading.Lock()
        self._start(stdin, cwd, env)
        try:
            if not self._started.wait(PATIENCE) or self.pid is None:
                raise LaunchError(
                    f"expected the guard of {self!r} to start; it did not; {self._last_words()}"
                )
        except BaseException:  # an interrupt too
            self.kill()
            raise

    def _start(self, stdin, cwd, env):
        reports, far_end = os.pipe()
        try:
            with tempfile.TemporaryFile() as input_file:
                input_file.write(stdin)
                input_file.seek(0)
                input_fd = input_file.fileno() if stdin else -1
                guard = [sys.executable, "-I", "-S", GUARD, os.getpid(), far_end, input_fd, *self.command]
                self._guard = subprocess.Popen(
                    list(map(str, guard)),
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    bufsize=0,
                    pass_fds=[fd for fd in (far_end, input_fd) if fd >= 0],
                    start_new_session=True,  # Jupyter's interrupt goes to the kernel's process group
                    cwd=cwd,
                    env=env,
                )
        except BaseException:
            os.close(reports)
            raise
        finally:
            os.close(far_end)
        _alive.add(self)
        threading.Thread(target=self._drain, args=(reports,), name="guarded", daemon=True).start()

    def __repr__(self):
        return f"<Guarded {' '.join(self.command[:4])!r} pid {self.pid}>"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    @property
    def guard_pid(self):
        return self._guard.pid

    @property
    def alive(self):
        """False once the command and everything it started are gone."""
        return not self._ended.is_set()

    @property
    def last_words(self):
        """The tail of its stderr."""
        return self._tails["stderr"].decode(errors="replace")

    @property
    def output(self):
        """The tail of its stdout."""
        return self._tails["stdout"].decode(errors="replace")

    def wait(self, timeout=None):
        """Wait up to `timeout` seconds for the end; return the exit status, None when it still runs."""
        self._ended.wait(timeout)
        return self.exit_status

    def signal(self, number):
        """Send a signal to the command's own process; nothing happens when it has ended."""
        self._tell(f"signal {int(number)}")

    def stop(self, timeout=STOP_WITHIN):
        """Ask it to end (SIGTERM) and after `timeout` seconds kill it; return its exit status.

        A second stop is harmless and returns the same. In a fork of the process that started the command,
        stop and kill do nothing: it is not the owner.
        """
        if os.getpid() != self._owner:
            return None
        self._tell(f"stop {float(timeout)}")
        if not self._ended.wait(timeout + PATIENCE):
            self.kill()
        return self.exit_status

    def kill(self):
        """End it and everything it started, without asking."""
        if os.getpid() != self._owner:
            return
        self._cut_lifeline()
        if not self._ended.wait(PATIENCE):
            self._guard.kill()  # PDEATHSIG takes the command along

    def _tell(self, request):
        with self._lock:
            if not self._guard.stdin.closed and os.getpid() == self._owner:
                with contextlib.suppress(BrokenPipeError):  # the guard has ended, and so has the command
                    self._guard.stdin.write(request.encode() + b"\n")

    def _cut_lifeline(self):
        with self._lock:
            self._guard.stdin.close()

    # --- in the draining thread ---

    def _drain(self, reports):
        handlers = {
            reports: self._take_report,
            self._guard.stdout.fileno(): self._take_stdout,
            self._guard.stderr.fileno(): lambda data: self._keep("stderr", data),
        }
        report_pipe = os.fdopen(reports, "rb", 0)
        with selectors.DefaultSelector() as selector, report_pipe, self._guard.stdout, self._guard.stderr:
            for descriptor in handlers:
                os.set_blocking(descriptor, False)
                selector.register(descriptor, selectors.EVENT_READ)
            while reports in selector.get_map() and not self._over:
                for key, _ in selector.select():
                    self._drain_once(key.fd, handlers[key.fd], selector)
            for descriptor in list(selector.get_map()):
                while self._drain_once(descriptor, handlers[descriptor], selector):
                    pass
        self._finish()

    def _drain_once(self, descriptor, handle, selector):
        try:
            data = os.read(descriptor, CHUNK)
        except BlockingIOError:
            return False
        if not data:
            selector.unregister(descriptor)
            return False
        handle(data)
        if len(data) == CHUNK:
            time.sleep(0.002)  # a command that prints without end must not take the kernel's time
        return True

    def _take_report(self, data):
        for line in data.splitlines():
            facts = json.loads(line)
            self.pid = facts.get("pid", self.pid)
            self._started.set()
            if "exit" in facts:
                self.exit_status, self.swept, self.left = facts["exit"], facts["swept"], facts["left"]
                self._over = True

    def _take_stdout(self, data):
        self._keep("stdout", data)
        if self._on_line is None:
            return
        *lines, self._line = (self._line + data).split(b"\n")
        if len(self._line) > CHUNK:
            lines.append(self._line)
            self._line = b""
        for line in lines:
            self._hand_on(line)

    def _hand_on(self, line):
        try:
            self._on_line(line.decode(errors="replace"))
        except Exception:
            traceback.print_exc()  # and go on: an undrained pipe would stop the command

    def _keep(self, name, data):
        self._tails[name] = (self._tails[name] + data)[-TAIL:]

    def _finish(self):
        if self._line and self._on_line:
            self._hand_on(self._line)
        self._cut_lifeline()
        self._guard.wait()
        if self.exit_status is None:
            self.exit_status = -signal.SIGKILL  # the guard was killed and could not report
            with contextlib.suppress(OSError, TypeError):  # its end took the command along, not the workers
                os.killpg(self.pid, signal.SIGKILL)
        _alive.discard(self)
        self._started.set()
        self._ended.set()

    def _last_words(self):
        words = self.last_words.strip()
        return f"its last words: {words[-2000:]}" if words else "it said nothing on stderr"


@atexit.register
def kill_all():
    """End every guarded command at once; runs when this Python process ends in order."""
    commands = list(_alive)
    for command in commands:
        command._cut_lifeline()
    for command in commands:
        command._ended.wait(PATIENCE)


# A fork of this process owns none of the commands: it must not end them when it ends.
os.register_at_fork(after_in_child=_alive.clear)
