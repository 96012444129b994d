import select
import socket


def open_listeners(port, count):
    address = ("127.0.0.1", port)
    return [socket.create_server(address, backlog=512, reuse_port=True) for _ in range(count)]


def retire(listener, serve):
    with listener:
        while select.select([listener], [], [], 0)[0]:
            serve(listener.accept()[0])
