import select
import socket

LIMIT = 8192


def read_line(conn):
    """Look first, take exactly one line: the kernel itself keeps the rest."""
    taken = b""
    while len(taken) <= LIMIT:
        select.select([conn], [], [])
        seen = conn.recv(LIMIT, socket.MSG_PEEK)
        if not seen:
            return None
        end = seen.find(b"\n")
        taken += conn.recv(end + 1 if end >= 0 else len(seen))
        if end >= 0:
            line = taken[:-1]
            if len(line) > LIMIT:
                break
            return line
    raise ValueError("no newline in sight")
