import signal


class Late(Exception):
    pass


def ring(*_):
    raise Late


def serve(listener):
    """One alarm for the whole client, however it spends its second."""
    signal.signal(signal.SIGALRM, ring)
    while True:
        conn, _ = listener.accept()
        try:
            signal.setitimer(signal.ITIMER_REAL, 1.0)
            line = conn.makefile("rb").readline()
            signal.setitimer(signal.ITIMER_REAL, 0)
            if line.endswith(b"\n"):
                conn.sendall(b"hello " + line)
        except (Late, OSError):
            pass
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            conn.close()
