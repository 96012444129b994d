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
                    queues[fd].append(sock.recv(4096))  # b"" is the last one, and has its place in the queue
                else:
                    raise ConnectionResetError
                if queues[fd] == [b""]:
                    raise EOFError
            except (OSError, EOFError):
                poller.unregister(fd)
                del clients[fd], queues[fd]
                sock.close()
                continue
            full = len(queues[fd]) >= 50 or queues[fd][-1:] == [b""]
            poller.modify(fd, (0 if full else select.POLLIN) | (select.POLLOUT if queues[fd] else 0))
