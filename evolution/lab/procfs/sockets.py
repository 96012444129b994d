"""TCP's own tables: which connections a port has, and how long its accept queue is.

Two doors lead to the same table. /proc/net/tcp is text that everybody can read, but the kernel writes a line
for every socket of the machine. Netlink (sock_diag(7), what `ss` uses) filters by port before it answers, and
tells the limit of the accept queue as well. Both work without root; IPv4 only.
"""

import socket
import struct
from typing import NamedTuple

STATES = (
    "",
    "ESTABLISHED",
    "SYN_SENT",
    "SYN_RECV",
    "FIN_WAIT1",
    "FIN_WAIT2",
    "TIME_WAIT",
    "CLOSE",
    "CLOSE_WAIT",
    "LAST_ACK",
    "LISTEN",
    "CLOSING",
    "SYN_RECV",  # the kernel's TCP_NEW_SYN_RECV
)

_BEFORE_CLOSE = frozenset({"ESTABLISHED", "CLOSE_WAIT", "SYN_RECV"})

_NETLINK_SOCK_DIAG = 4
_SOCK_DIAG_BY_FAMILY = 20
_NLM_F_REQUEST_DUMP = 0x301
_NO_COOKIE = 0xFFFFFFFF
_NLMSG_ERROR, _NLMSG_DONE = 2, 3
_HEADER = struct.Struct("=IHHII")  # struct nlmsghdr
_REQUEST = struct.Struct("=BBBxI 2s2s16s16sIII")  # struct inet_diag_req_v2
_ANSWER = struct.Struct("=BBxx 2s2s4s12x4s12x12x 4xIIII")  # struct inet_diag_msg


class TcpRow(NamedTuple):
    """One socket in TCP's table."""

    local: tuple
    remote: tuple
    """(host, port) of the other end; ("0.0.0.0", 0) for a listener."""
    state: str
    inode: int
    """0 while no process holds it: not accepted yet, or closed already."""
    rx: int
    """Bytes received and not read yet; for a listener, connections not accepted yet."""
    tx: int
    """Bytes sent and not acknowledged yet; for a listener by netlink, the limit of its queue, else 0."""

    @property
    def queued(self):
        """True while the kernel holds the connection and no accept has taken it."""
        return self.inode == 0 and self.state in _BEFORE_CLOSE


class Queue(NamedTuple):
    """The accept queue of a port (listen(2)); with SO_REUSEPORT, of all its listeners together."""

    length: int
    limit: int | None
    """None where only /proc/net/tcp can be read, which does not tell it."""


def parse_tcp(text, port=None):
    """Return the rows of /proc/net/tcp (proc_pid_net(5)); with `port`, only those whose local port it is."""
    rows = {}  # the kernel may tell a socket twice when the table changes while it is read
    mark = None if port is None else f":{port:04X} "
    for line in text.split("\n")[1:]:
        if mark is not None and mark not in line:  # most lines of a busy machine end here
            continue
        fields = line.split()
        if len(fields) < 10 or (port is not None and not fields[1].endswith(mark[:-1])):
            continue
        tx, _, rx = fields[4].partition(":")
        local, remote = _endpoint(fields[1]), _endpoint(fields[2])
        row = TcpRow(local, remote, STATES[int(fields[3], 16)], int(fields[9]), int(rx, 16), int(tx, 16))
        rows[local, remote, row.inode] = row
    return list(rows.values())


def _endpoint(text):
    host, _, port = text.partition(":")
    return socket.inet_ntoa(struct.pack("=I", int(host, 16))), int(port, 16)


def tcp(root="/proc", port=None):
    """Return the rows of ROOT/net/tcp, of all ports or of one local port."""
    with open(f"{root}/net/tcp") as file:
        return parse_tcp(file.read(), port)


def ask_kernel(port, states=None):
    """Return the rows of one local port by netlink; all states but TIME_WAIT unless told otherwise.

    Raises OSError where the machine does not offer sock_diag.
    """
    if states is None:
        states = sum(1 << number for number, name in enumerate(STATES) if name not in ("", "TIME_WAIT"))
    sockid = (port.to_bytes(2, "big"), b"", b"", b"", 0, _NO_COOKIE, _NO_COOKIE)
    body = _REQUEST.pack(socket.AF_INET, socket.IPPROTO_TCP, 0, states, *sockid)
    header = _HEADER.pack(_HEADER.size + len(body), _SOCK_DIAG_BY_FAMILY, _NLM_F_REQUEST_DUMP, 1, 0)
    rows = []
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_SOCK_DIAG) as netlink:
        netlink.settimeout(1.0)
        netlink.send(header + body)
        while _take_answers(netlink.recv(65536), rows):
            pass
    return rows


def _take_answers(data, rows):
    """Append the rows in one packet; return False after the last."""
    start = 0
    while start < len(data):
        length, kind, _, _, _ = _HEADER.unpack_from(data, start)
        if kind == _NLMSG_DONE:
            return False
        if kind == _NLMSG_ERROR:
            raise OSError(-struct.unpack_from("=i", data, start + _HEADER.size)[0], "sock_diag refused")
        rows.append(_row(data, start + _HEADER.size))
        start += (length + 3) & ~3  # NLMSG_ALIGN
    return True


def _row(data, start):
    _, state, sport, dport, src, dst, rx, tx, _, inode = _ANSWER.unpack_from(data, start)
    local = socket.inet_ntoa(src), int.from_bytes(sport, "big")
    remote = socket.inet_ntoa(dst), int.from_bytes(dport, "big")
    return TcpRow(local, remote, STATES[state], inode, rx, tx)


def server_sockets(port):
    """Return the rows of one local port, without TIME_WAIT, and where they were read."""
    try:
        return ask_kernel(port), "netlink sock_diag, as ss -tan reads it; the same rows as /proc/net/tcp"
    except (OSError, AttributeError):  # not offered; no AF_NETLINK at all
        rows = [row for row in tcp(port=port) if row.state != "TIME_WAIT"]
        return rows, "/proc/net/tcp"


def listen_queue(port):
    """Return the accept Queue of a local port, None when nobody listens there."""
    try:
        listeners = ask_kernel(port, 1 << STATES.index("LISTEN"))
        limit = sum(row.tx for row in listeners)
    except (OSError, AttributeError):
        listeners = [row for row in tcp(port=port) if row.state == "LISTEN"]
        limit = None
    return Queue(sum(row.rx for row in listeners), limit) if listeners else None
