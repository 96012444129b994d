import socket


def open_listeners(port, count):
    listeners = []
    for _ in range(count):
        listener = socket.socket()
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
