import socket


def is_concurrent(address):
    """Return True when the server at `address` serves several clients at once."""
    with socket.create_connection(address), socket.create_connection(address) as second:
        second.settimeout(2)
        second.sendall(b"second\n")
        try:
            return bool(second.recv(100))  # the first client is in front, and has not said a word
        except TimeoutError:
            return False
