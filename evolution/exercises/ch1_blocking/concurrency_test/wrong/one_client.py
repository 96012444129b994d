import socket


def is_concurrent(address):
    with socket.create_connection(address, timeout=2) as client:
        client.sendall(b"first\n")
        one = client.recv(100)
        client.sendall(b"second\n")
        two = client.recv(100)
        return bool(one) and bool(two)
