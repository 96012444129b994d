import select
import time

IDLE = 1.0


def serve(listener):
    """Send back to each client what it says; close a client that has said nothing for IDLE seconds."""
    deadline = {}  # of each client: the moment at which it has been idle for too long
    while True:
        left = min(deadline.values()) - time.monotonic() if deadline else None
        readable, _, _ = select.select([listener, *deadline], [], [], max(0, left) if deadline else None)
        now = time.monotonic()
        for sock in readable:
            if sock is listener:
                conn, _ = listener.accept()
                deadline[conn] = now + IDLE
            elif echo(sock):
                deadline[sock] = now + IDLE
            else:
                del deadline[sock]
                sock.close()
        for sock in [each for each, moment in deadline.items() if moment <= now]:
            del deadline[sock]
            sock.close()


def echo(sock):
    """Return whether the client is still there."""
    try:
        data = sock.recv(65536)
        sock.sendall(data)
    except OSError:
        return False
    return bool(data)
