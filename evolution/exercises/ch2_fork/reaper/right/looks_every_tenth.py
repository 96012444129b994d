import os


def serve(listener, start, record):
    listener.settimeout(0.1)
    children = set()
    while True:
        for pid in list(children):
            found, status = os.waitpid(pid, os.WNOHANG)
            if found:
                children.discard(pid)
                record(pid, os.waitstatus_to_exitcode(status))
        try:
            conn, _ = listener.accept()
        except TimeoutError:
            continue
        conn.setblocking(True)
        children.add(start(conn))
        conn.close()
