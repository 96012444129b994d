import socket
import time


def is_concurrent(address):
    with socket.create_connection(address), socket.create_connection(address) as second:
        second.sendall(b"second\n")
        time.sleep(0.3)
        second.setblocking(False)
        try:
            return bool(second.recv(100))
        except BlockingIOError:
            return False
