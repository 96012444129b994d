"""What the head of an HTTP/1.1 request means: its request line, its fields, the length of its body.

Nothing is repaired or guessed. A server and whatever stands before it must agree where each request
ends; where they do not, one client can slip a request into another's connection ("request smuggling").
So what has two readings is refused. Sections cited are RFC 9112's (HTTP/1.1), or RFC 9110's (HTTP
semantics) where it is named.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import parse_qs

MAX_FIELDS = 100  # of a head, and parameters of a query
MAX_BODY = 1 << 20  # bytes

TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # RFC 9110, 5.6.2
FIELD_NAME = re.compile(TOKEN)
REQUEST_LINE = re.compile(rf"({TOKEN}) ([!-~]+) HTTP/([0-9])\.([0-9])")
ABSOLUTE = re.compile(r"https?://([^/?]*)([^?]*)\??(.*)", re.I)
AUTHORITY = re.compile(r"(?:(?:[\w.~!$&'()*+;=-]|%[0-9a-f]{2})+|\[[0-9a-f:.]+\])(?::(\d{0,5}))?", re.A | re.I)
DIGITS = re.compile(r"[0-9]+")
NO_QUERY = MappingProxyType({})


class BadRequest(Exception):
    """Answer `status` with `reason` and close the connection: what follows cannot be understood."""

    def __init__(self, status, reason):
        super().__init__(status, reason)
        self.status = status
        self.reason = reason


class Headers(Mapping):
    """The fields of a head, read-only: `headers["content-type"]`, in any case.

    A name that came several times has its values joined by commas (RFC 9110, 5.3).
    """

    __slots__ = ("_fields",)

    def __init__(self, fields):
        self._fields = fields

    def __getitem__(self, name):
        return self._fields[name.lower()]

    def get(self, name, default=None):
        return self._fields.get(name.lower(), default)

    def __contains__(self, name):
        return name.lower() in self._fields

    def __iter__(self):
        return iter(self._fields)

    def __len__(self):
        return len(self._fields)

    def listed(self, name):
        """The items of a comma-separated value in lower case; none when the field is missing."""
        return [item.strip(" \t").lower() for item in self[name].split(",")] if name in self else []


@dataclass(frozen=True, slots=True, eq=False)
class Request:
    """One complete request. Nobody can change it, so that equal heads may share one object."""

    method: str
    target: str  # as the client wrote it
    path: str  # of the target, still percent-encoded
    query: Mapping[str, tuple[str, ...]]  # every value of every name, as urllib.parse.parse_qs finds them
    version: str  # "1.0" or "1.1"
    headers: Headers
    keep_alive: bool  # the client wants, and its version allows, another request after this (9.3)
    body: bytes = b""


def parse_head(head):
    """Return the Request that begins with `head`: its lines, without the last one's end."""
    line, *lines = head.decode("latin-1").split("\r\n")
    match = REQUEST_LINE.fullmatch(line)
    if not match:
        raise BadRequest(400, "expected METHOD TARGET HTTP/1.1")
    method, target, major, minor = match.groups()
    if major != "1":
        raise BadRequest(505, "expected HTTP/1.1 or HTTP/1.0")
    version = "1.0" if minor == "0" else "1.1"  # a later minor version speaks ours too (RFC 9110, 6.2)
    path, query = parse_target(method, target)
    headers = parse_fields(lines)
    if version == "1.1" and "host" not in headers:  # 3.2
        raise BadRequest(400, "expected a Host field")
    if version == "1.1" and headers.get("expect", "100-continue").lower() != "100-continue":
        raise BadRequest(417, "expected no Expect but 100-continue")
    options = headers.listed("connection")
    keep_alive = "close" not in options and (version == "1.1" or "keep-alive" in options)
    return Request(method, target, path, query, version, headers, keep_alive)


def parse_target(method, target):
    """Return path and query (3.2)."""
    if method == "CONNECT":
        raise BadRequest(501, "expected another method: there are no tunnels here")
    if method == "OPTIONS" and target == "*":
        return target, NO_QUERY
    path, _, query = target.partition("?")
    if absolute := ABSOLUTE.fullmatch(target):
        authority, path, query = absolute.groups()
        check_authority(authority)
        path = path or "/"
    if "#" in target or not path.startswith("/"):
        raise BadRequest(400, "expected a target such as /path?query")
    if not query:
        return path, NO_QUERY
    try:
        pairs = parse_qs(query, keep_blank_values=True, max_num_fields=MAX_FIELDS)
    except ValueError:
        raise BadRequest(400, f"expected at most {MAX_FIELDS} parameters") from None
    return path, MappingProxyType({name: tuple(values) for name, values in pairs.items()})


def parse_fields(lines):
    if len(lines) > MAX_FIELDS:
        raise BadRequest(431, f"expected at most {MAX_FIELDS} fields")
    fields = {}
    for line in lines:
        name, value = split_field(line)
        # Two Hosts or lengths become a list too, and then the comma is refused.
        fields[name] = f"{fields[name]}, {value}" if name in fields else value
    if "host" in fields:
        check_authority(fields["host"])
    return Headers(fields)


def split_field(line):
    """Return name and value. No space before the colon (5.1), no folded lines (5.2)."""
    name, colon, value = line.partition(":")
    if not colon or not FIELD_NAME.fullmatch(name):
        raise BadRequest(400, "expected Name: value")
    return name.lower(), value.strip(" \t")


def check_authority(text):
    """A host, perhaps a port, no user (RFC 9110, 4.2.1 to 4.2.4)."""
    match = AUTHORITY.fullmatch(text)
    if not match or int(match[1] or 0) > 65535:
        raise BadRequest(400, "expected one host such as example.org:80")


def body_length(request):
    """Return how many bytes follow the head, or None when they come in chunks (6.3)."""
    headers = request.headers
    codings = headers.listed("transfer-encoding")
    if codings:
        if "content-length" in headers or request.version == "1.0":
            raise BadRequest(400, "expected Transfer-Encoding without Content-Length, and in HTTP/1.1 only")
        if "" in codings or "chunked" in codings[:-1]:
            raise BadRequest(400, "expected chunked once, as the last transfer coding")
        if codings != ["chunked"]:
            raise BadRequest(501, "expected no transfer coding but chunked")
        return None
    digits = headers.get("content-length", "0")
    if not DIGITS.fullmatch(digits):
        raise BadRequest(400, "expected one Content-Length of decimal digits")
    if len(digits) > 18 or int(digits) > MAX_BODY:
        raise BadRequest(413, f"expected a body of at most {MAX_BODY} bytes")
    return int(digits)
