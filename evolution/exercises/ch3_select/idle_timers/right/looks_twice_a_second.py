import select
import time

IDLE = 1.0
TICK = 0.5


def serve(listener):
    """As many real servers do: whatever happens, look at the clock twice a second."""
    heard = {}
    while True:
        for sock in select.select([listener, *heard], [], [], TICK)[0]:
            if sock is listener:
                conn, _ = listener.accept()
                heard[conn] = time.monotonic()
                continue
            try:
                data = sock.recv(65536)
                sock.sendall(data)
            except OSError:
                data = b""
            heard[sock] = time.monotonic() if data else 0
        for sock in [each for each in heard if time.monotonic() - heard[each] >= IDLE]:
            del heard[sock]
            sock.close()
