"""The program around serve: a listening socket, handle, and a second port on which the checker hears who does what.

handle answers each line in capitals. At "hold WORD" it waits until the checker lets it go on; at "big" its answer is
longer than what the kernel takes while the client does not read. Told on the second port: "in PORT WORD", "overlap
PORT main|worker" (two threads in handle for one client, and who has read), "read PORT main|worker" (somebody reads
from a client that another thread works for), "sending PORT" (a long answer), "closed PORT".
"""

import contextlib
import faulthandler
import signal
import socket
import sys
import threading

sys.path.insert(0, ".")
faulthandler.register(signal.SIGUSR1, all_threads=False)  # "where are you?": the checker may ask

import answer  # noqa: E402 — the learner's file

if not callable(getattr(answer, "serve", None)):
    sys.exit("expected the answer to define the function serve(listener, handle)")
books, inside, readers, halves = threading.Lock(), {}, {}, {}
go, let_close = threading.Event(), threading.Event()
let_close.set()
control = None
BIG = 8_000_000


def tell(words):
    if control:
        control.sendall(words.encode() + b"\n")


def who():
    return "main" if threading.current_thread() is threading.main_thread() else "worker"


class Conn(socket.socket):
    """A socket that tells who reads from it, and can be held in close."""

    __slots__ = ("port",)

    def recv(self, *arguments):
        with books:
            readers[self.port] = who()
            if inside.get(self.port) not in (None, threading.get_ident()):
                tell(f"read {self.port} {who()}")
        return super().recv(*arguments)

    def sendall(self, data, *arguments):
        with self.mine(len(data)):
            return super().sendall(data, *arguments)

    def send(self, data, *arguments):
        with self.mine(len(data)):
            return super().send(data, *arguments)

    @contextlib.contextmanager
    def mine(self, size):
        """While an answer is sent, its client is in this thread's hands."""
        with books:
            before = inside.get(self.port)
            inside[self.port] = before or threading.get_ident()
            if size > 1_000_000:
                tell(f"sending {self.port}")
        try:
            yield
        finally:
            with books:
                inside[self.port] = before

    def close(self):
        already = self.fileno() < 0
        super().close()
        if not already and not let_close.is_set():
            with books:
                tell(f"closed {self.port}")
            let_close.wait(6)  # the others may run meanwhile, as they may at any time


class Listener(socket.socket):
    def accept(self):
        fd, peer = self._accept()
        conn = Conn(self.family, self.type, self.proto, fileno=fd)
        conn.port = peer[1]
        return conn, peer


def handle(conn, data):
    """Called by a worker with some bytes of the stream; returns the answer."""
    port, me = conn.port, threading.get_ident()
    with books:
        if inside.get(port) is not None:
            tell(f"overlap {port} {readers.get(port)}")
        before, inside[port] = inside.get(port), me
        lines = (halves.get(port, b"") + data).split(b"\n")
        halves[port] = lines.pop()
        held = [line for line in lines if line.startswith(b"hold")]
        if held:
            go.clear()
            tell(f"in {port} {held[0].decode()[5:]}")
    if held:
        go.wait(8)
    with books:
        inside[port] = before
    return b"".join(b"x" * BIG + b"\n" if line == b"big" else line.upper() + b"\n" for line in lines)


def obey(listener):
    global control
    control, _ = listener.accept()
    with books:
        tell("ready")
    for line in control.makefile("r"):
        word = line.strip()
        {"go": go.set, "hold close": let_close.clear, "let close": let_close.set}[word]()
        with books:
            tell(f"did {word}")


second = socket.create_server(("127.0.0.1", 0))
threading.Thread(target=obey, args=(second,), daemon=True).start()
print("control %s:%s" % second.getsockname(), flush=True)
listener = Listener(socket.AF_INET, socket.SOCK_STREAM)
listener.bind(("127.0.0.1", 0))
listener.listen(128)
print("listening %s:%s" % listener.getsockname(), flush=True)
answer.serve(listener, handle)
sys.exit("serve returned, though it should go on for ever")
