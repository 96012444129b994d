import select

LIMIT = 262_144  # bytes of one client that may wait with you: read, and not sent back yet


def serve(listener):
    """Send back to each client what it says, for ever; a client that does not read harms nobody."""
    listener.setblocking(False)
    unsent = {}  # each client has its own
    while True:
        reading = [sock for sock in unsent if len(unsent[sock]) < LIMIT // 2]
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
