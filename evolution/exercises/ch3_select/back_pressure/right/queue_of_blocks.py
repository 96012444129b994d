import select

LIMIT = 262144


def serve(listener):
    poller = select.poll()
    poller.register(listener, select.POLLIN)
    clients, queues = {listener.fileno(): listener}, {}
    while True:
        for fd, event in poller.poll():
            sock = clients[fd]
            if sock is listener:
                conn, _ = sock.accept()
                conn.setblocking(False)
                clients[conn.fileno()], queues[conn.fileno()] = conn, []
                poller.register(conn, select.POLLIN)
                continue
            try:
                if event & select.POLLOUT:
                    block = queues[fd].pop(0)
                    sent = sock.send(block)
                    if block[sent:]:
                        queues[fd].insert(0, block[sent:])
                elif event & select.POLLIN:
                    data = sock.recv(4096)
                    if not data:
                        raise ConnectionResetError
                    queues[fd].append(data)
                else:
                    raise ConnectionResetError
            except OSError:
                poller.unregister(fd)
                del clients[fd], queues[fd]
                sock.close()
                continue
            full = len(queues[fd]) >= 50
            poller.modify(fd, (0 if full else select.POLLIN) | (select.POLLOUT if queues[fd] else 0))
