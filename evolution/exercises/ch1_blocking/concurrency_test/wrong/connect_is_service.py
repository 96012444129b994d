import socket


def is_concurrent(address):
    try:
        with socket.create_connection(address, 2), socket.create_connection(address, 2):
            return True
    except OSError:
        return False
