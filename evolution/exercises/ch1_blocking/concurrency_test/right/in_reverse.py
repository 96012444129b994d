import socket
import time


def ask(client, patience):
    end = time.monotonic() + patience
    client.sendall(b"are you there?\n")
    answer = b""
    while not answer.endswith(b"\n"):
        left = end - time.monotonic()
        if left <= 0:
            return None
        client.settimeout(left)
        try:
            data = client.recv(64)
        except OSError:
            return None
        if not data:
            return None
        answer += data
    return answer


def is_concurrent(address):
    """Both must be answered, the later one first."""
    early = socket.create_connection(address)
    late = socket.create_connection(address)
    with early, late:
        if ask(late, 2.0) is None:
            return False
        return ask(early, 2.0) is not None
