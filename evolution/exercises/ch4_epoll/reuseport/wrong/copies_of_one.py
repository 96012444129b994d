import socket


def open_listeners(port, count):
    first = socket.create_server(("127.0.0.1", port), reuse_port=True)
    return [first] + [first.dup() for _ in range(count - 1)]


def retire(listener, serve):
    listener.setblocking(False)
    try:
        while True:
            serve(listener.accept()[0])
    except BlockingIOError:
        listener.close()
