import select

LIMIT = 262_144  # bytes of one client that may wait with you: read, and not sent back yet


def serve(listener):
    """Send back to each client what it says, for ever; a client that does not read harms nobody."""
    listener.setblocking(False)
    unsent, ended = {}, set()  # each client has its own bytes; some will say no more
    while True:
        reading = [sock for sock in unsent if len(unsent[sock]) < LIMIT // 2 and sock not in ended]
        writing = [sock for sock in unsent if unsent[sock]]
        readable, writable, _ = select.select([listener, *reading], writing, [])  # sleeps here
        for sock in readable:
            if sock is listener:
                accept(listener, unsent)
            else:
                receive(sock, unsent, ended)
        for sock in writable:
            if sock in unsent:
                transmit(sock, unsent, ended)


def accept(listener, unsent):
    try:
        conn, _ = listener.accept()
    except OSError:  # it has gone again
        return
    conn.setblocking(False)
    unsent[conn] = bytearray()


def receive(sock, unsent, ended):
    try:
        data = sock.recv(65536)
    except BlockingIOError:
        return
    except OSError:
        drop(sock, unsent, ended)
        return
    if not data:
        ended.add(sock)  # it may still read: what is left over comes first
    unsent[sock] += data
    transmit(sock, unsent, ended)  # most answers fit at once


def transmit(sock, unsent, ended):
    try:
        sent = sock.send(unsent[sock])
    except BlockingIOError:
        return
    except OSError:
        drop(sock, unsent, ended)
        return
    del unsent[sock][:sent]
    if sock in ended and not unsent[sock]:
        drop(sock, unsent, ended)


def drop(sock, unsent, ended):
    del unsent[sock]
    ended.discard(sock)
    sock.close()
