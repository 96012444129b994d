import socket
import threading

DEADLINE = 1.0


def serve(listener):
    """A thread for each client, and a timer that hangs up on it."""
    while True:
        conn, _ = listener.accept()
        threading.Thread(target=answer, args=(conn,), daemon=True).start()


def answer(conn):
    timer = threading.Timer(DEADLINE, conn.shutdown, [socket.SHUT_RDWR])
    timer.start()
    try:
        with conn.makefile("rb") as lines:
            line = lines.readline(1000)
        if line.endswith(b"\n"):
            conn.sendall(b"hello " + line)
    except OSError:
        pass
    timer.cancel()
    timer.join()
    conn.close()
