import os
import select
import signal
import socket


class Stop:
    """A descriptor that is readable from SIGTERM on."""

    def __init__(self):
        self.ours, self.kernels = socket.socketpair()
        self.kernels.setblocking(False)
        signal.set_wakeup_fd(self.kernels.fileno())
        signal.signal(signal.SIGTERM, lambda *_: None)

    def fileno(self):
        return self.ours.fileno()


def serve(listener, reply):
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    crew = [pid for _ in range(2) if (pid := worker(listener, reply))]
    signal.signal(signal.SIGTERM, lambda *_: [os.kill(pid, signal.SIGTERM) for pid in crew])
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    for pid in crew:
        os.waitpid(pid, 0)


def worker(listener, reply):
    pid = os.fork()
    if pid:
        return pid
    try:
        listener.setblocking(False)
        stop = Stop()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
        while True:
            ready, _, _ = select.select([listener, stop], [], [])
            if listener not in ready:
                break
            try:
                conn, _ = listener.accept()
            except BlockingIOError:  # the other one was faster
                continue
            conn.setblocking(True)
            while True:
                ready, _, _ = select.select([conn, stop], [], [])
                data = conn.recv(1000) if conn in ready else b""
                if not data:
                    break
                conn.sendall(reply(data))
            conn.close()
    finally:
        os._exit(0)
