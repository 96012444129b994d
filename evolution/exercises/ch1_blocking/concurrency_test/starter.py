import socket


def is_concurrent(address):
    """Return True when the server at `address` serves several clients at once."""
    for name in (b"first", b"second"):
        with socket.create_connection(address) as client:
            client.sendall(name + b"\n")
            if not client.recv(100):
                return False
    return True
