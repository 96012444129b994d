import socket


def is_concurrent(address):
    a = socket.create_connection(address, timeout=2)
    b = socket.create_connection(address, timeout=2)
    a.sendall(b"first\n")
    answered_a = a.recv(100)
    a.close()
    b.sendall(b"second\n")
    answered_b = b.recv(100)
    b.close()
    return bool(answered_a and answered_b)
