import select
import socket

TURN = 65536  # bytes that one client gets read at a time; then it is the others' turn


def serve(listener, on_data):
    """EPOLL_CTL_MOD looks anew: what is still readable is reported again."""
    edge = select.EPOLLIN | select.EPOLLET | select.EPOLLRDHUP
    loop = select.epoll()
    loop.register(listener, select.EPOLLIN)  # the listener may stay level-triggered
    clients = {}
    while True:
        for fd, event in loop.poll():
            if fd == listener.fileno():
                sock, _ = listener.accept()
                clients[sock.fileno()] = sock
                loop.register(sock, edge)
                continue
            sock = clients[fd]
            try:
                data = sock.recv(TURN, socket.MSG_DONTWAIT)
                if not data:
                    loop.unregister(sock)
                    clients.pop(fd).close()
                    continue
                on_data(sock, data)
                loop.modify(sock, edge)
            except BlockingIOError:
                continue
            except OSError:
                loop.unregister(sock)
                clients.pop(fd).close()
