import socket


def is_concurrent(address):
    with socket.create_connection(address), socket.create_connection(address) as second:
        second.sendall(b"second\n")
        return bool(second.recv(100))
