"""A connection that only remembers, the requests it is fed with, and the answers taken apart."""

import math

from evolution.core.signals import Stop

HEAD = b"HTTP/1.1\r\nHost: a\r\n"


class Wire:
    """A connection as the application sees it: what was sent, with how many sends, and how it was closed."""

    def __init__(self, app):
        self.context, self.deadline, self.midway, self.stop = None, math.inf, False, Stop()
        self.closed, self.sends = None, []
        self.app = app
        app.on_connect(self)

    def send(self, data):
        if data:
            assert self.closed is None
            self.sends.append(data)

    def close(self, linger=False):
        self.closed = "lingering" if linger else "at once"

    def get(self, data):
        """Feed bytes; return what was sent for them."""
        self.sends.clear()
        self.app.on_message(self, data)
        return b"".join(self.sends)


def ask(line, *fields, body=b""):
    fields = b"".join(field + b"\r\n" for field in fields)
    return line + b" " + HEAD + fields + b"\r\n" + body


def split(answer):
    """Return a response's status, fields and body."""
    head, _, body = answer.partition(b"\r\n\r\n")
    line, *lines = head.decode().split("\r\n")
    return int(line.split()[1]), dict(line.split(": ") for line in lines), body
