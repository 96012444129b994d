import socket


def open_listeners(port, count):
    listeners = []
    for number in range(count):
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if number:  # the first one has the port for itself
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen()
        listeners.append(listener)
    return listeners


def retire(listener, serve):
    listener.setblocking(False)
    try:
        while True:
            serve(listener.accept()[0])
    except BlockingIOError:
        listener.close()
