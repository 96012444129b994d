import os
import signal


def serve(listener, reply):
    """A crew of two. On SIGTERM: finish what is begun and what waits in the queue; then return."""
    crew = []
    signal.signal(signal.SIGTERM, lambda *_: [os.kill(pid, signal.SIGTERM) for pid in crew])
    for _ in range(2):
        pid = os.fork()
        if pid == 0:
            work(listener, reply)
            os._exit(0)
        crew.append(pid)
    for pid in crew:
        os.waitpid(pid, 0)
    raise SystemExit(128 + signal.SIGTERM)


def work(listener, reply):
    stopping = []
    signal.signal(signal.SIGTERM, lambda *_: stopping.append(True))  # only a note: what runs goes on
    listener.settimeout(0.1)
    while True:
        try:
            conn, _ = listener.accept()
        except TimeoutError:
            if stopping:
                return  # asked to stop, and the queue is empty
            continue
        talk(conn, reply, stopping)


def talk(conn, reply, stopping):
    conn.settimeout(0.1)
    while True:
        try:
            data = conn.recv(1000)
        except TimeoutError:
            if stopping:
                break  # nothing begun here
            continue
        if not data:
            break
        conn.sendall(reply(data))
    conn.close()
