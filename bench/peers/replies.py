"""What all peers answer, and how they say that they are ready: no more than that is shared."""

EMPTY_LINE = b"\r\n\r\n"
DONE = b"\r\nconnection: close"
TEXT = "text/plain; charset=utf-8"
BODY = b"hello world!"

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 12\r\n"
KEEP = HEAD + b"Connection: keep-alive\r\n\r\n" + BODY
LAST = HEAD + b"Connection: close\r\n\r\n" + BODY


def announce(sock):
    """Print the line that the bench waits for."""
    host, port = sock.getsockname()[:2]
    print(f"listening {host}:{port}", flush=True)
