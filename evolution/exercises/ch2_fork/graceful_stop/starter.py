import os
import signal


def serve(listener, reply):
    """A crew of two. On SIGTERM: finish what is begun and what waits in the queue; then return."""
    crew = []
    for _ in range(2):
        pid = os.fork()
        if pid == 0:
            work(listener, reply)
            os._exit(0)
        crew.append(pid)
    for pid in crew:
        os.waitpid(pid, 0)


def work(listener, reply):
    while True:
        conn, _ = listener.accept()
        while data := conn.recv(1000):  # one request a recv, and then perhaps another one
            conn.sendall(reply(data))
        conn.close()
