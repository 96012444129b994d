import socket


def open_listeners(port, count):
    return [socket.create_server(("127.0.0.1", port), reuse_port=True) for _ in range(count)]


def retire(listener, serve):
    listener.close()
