import select
import socket


def is_concurrent(address):
    clients = [socket.create_connection(address) for _ in range(3)]
    try:
        clients[-1].sendall(b"last come\n")
        ready, _, _ = select.select(clients, [], [], 2.0)
        return clients[-1] in ready
    finally:
        for each in clients:
            each.close()
