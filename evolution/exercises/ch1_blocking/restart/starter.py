import socket


def open_listener(port):
    """Return a socket that listens on 127.0.0.1 and `port`, also right after a restart."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.bind(("127.0.0.1", port))
    listener.listen()
    return listener
