import select

LIMIT = 262144


def serve(listener):
    """Everything that comes is kept until it can be sent."""
    listener.setblocking(False)
    unsent = {}  # each client has its own
    while True:
        reading = list(unsent)
        writing = [sock for sock in unsent if unsent[sock]]
        readable, writable, _ = select.select([listener, *reading], writing, [])  # sleeps here
        for sock in readable:
            if sock is listener:
                accept(listener, unsent)
            else:
                receive(sock, unsent)
        for sock in writable:
            if sock in unsent:
                transmit(sock, unsent)


def accept(listener, unsent):
    try:
        conn, _ = listener.accept()
    except OSError:  # it has gone again
        return
    conn.setblocking(False)
    unsent[conn] = bytearray()


def receive(sock, unsent):
    try:
        data = sock.recv(65536)
    except BlockingIOError:
        return
    except OSError:
        data = b""
    if data:
        unsent[sock] += data
        transmit(sock, unsent)  # most answers fit at once
    else:
        drop(sock, unsent)


def transmit(sock, unsent):
    try:
        sent = sock.send(unsent[sock])
    except BlockingIOError:
        return
    except OSError:
        drop(sock, unsent)
        return
    del unsent[sock][:sent]


def drop(sock, unsent):
    del unsent[sock]
    sock.close()
