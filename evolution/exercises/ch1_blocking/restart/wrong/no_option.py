import socket


def open_listener(port):
    family, kind, proto, _, address = socket.getaddrinfo("127.0.0.1", port, type=socket.SOCK_STREAM)[0]
    listener = socket.socket(family, kind, proto)
    listener.bind(address)
    listener.listen(16)
    return listener
