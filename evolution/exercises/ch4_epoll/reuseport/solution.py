import socket


def open_listeners(port, count):
    """Return `count` listening sockets on 127.0.0.1:port, each with a queue of its own."""
    listeners = []
    for _ in range(count):
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)  # before bind, on every one of them
        listener.bind(("127.0.0.1", port))
        listener.listen(128)
        listeners.append(listener)
    return listeners


def retire(listener, serve):
    """Close one of them; every client in its queue is served first, by serve(conn)."""
    listener.setblocking(False)
    try:
        while True:
            conn, _ = listener.accept()
            serve(conn)
    except BlockingIOError:
        pass
    listener.close()
