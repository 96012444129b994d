import os
import select
import signal
import socket


def serve(listener, start, record):
    ours, kernels = socket.socketpair()
    ours.setblocking(False)
    kernels.setblocking(False)
    signal.set_wakeup_fd(kernels.fileno(), warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    while True:
        ready, _, _ = select.select([listener, ours], [], [])
        if ours in ready:
            ours.recv(4096)
            while True:
                try:
                    info = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG)
                except ChildProcessError:
                    break
                if info is None:
                    break
                killed = info.si_code != os.CLD_EXITED
                record(info.si_pid, -info.si_status if killed else info.si_status)
        if listener in ready:
            conn, _ = listener.accept()
            start(conn)
            conn.close()
