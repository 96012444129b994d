import select


def serve(listener):
    poller = select.poll()
    poller.register(listener, select.POLLIN)
    clients = {}
    while True:
        for fd, event in poller.poll(500):
            if fd == listener.fileno():
                conn, address = listener.accept()
                clients[conn.fileno()] = conn
                poller.register(conn, select.POLLIN)
            elif event & (select.POLLERR | select.POLLHUP):
                poller.unregister(fd)
                clients.pop(fd).close()
            else:
                data = clients[fd].recv(1024)
                if data:
                    clients[fd].sendall(data)
                else:
                    poller.unregister(fd)
                    clients.pop(fd).close()
