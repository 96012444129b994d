"""TCP's own tables: which connections a port has, and how long its accept queue is.

Two doors lead to the same table. /proc/net/tcp is text that everybody can read, but the kernel writes a line
for every socket of the machine. Netlink (sock_diag(7), what `ss` uses) filters by port before it answers, and
tells the limit of the accept queue as well. Both work without root; connections are those of IPv4.
"""

import contextlib
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
_NLM_F_REQUEST, _NLM_F_REQUEST_DUMP = 1, 0x301
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
    words = struct.pack(f"={len(host) // 8}I", *(int(host[i : i + 8], 16) for i in range(0, len(host), 8)))
    name = socket.inet_ntoa(words) if len(words) == 4 else socket.inet_ntop(socket.AF_INET6, words)
    return name.removeprefix("::ffff:"), int(port, 16)  # IPv4 through a socket of the other family


def tcp(root="/proc", port=None, family=4):
    """Return the rows of ROOT/net/tcp, of all ports or of one local port; [] without the `family`, 4 or 6."""
    try:
        with open(f"{root}/net/tcp{'6' if family == 6 else ''}") as file:
            return parse_tcp(file.read(), port)
    except FileNotFoundError:
        if family == 6:  # switched off on this machine
            return []
        raise


def ask_kernel(port, states=None, family=socket.AF_INET):
    """Return the rows of one local port (0: of all) by netlink; without TIME_WAIT unless told otherwise.

    The kernel walks through all sockets for it, but for the listening ones alone. Raises OSError where the
    machine does not offer sock_diag.
    """
    if states is None:
        states = sum(1 << number for number, name in enumerate(STATES) if name not in ("", "TIME_WAIT"))
    rows = []
    with _question(port, b"", b"", b"", states, _NLM_F_REQUEST_DUMP, family) as netlink:
        while _take_answers(netlink.recv(65536), rows):
            pass
    return rows


def connection(port, client, host="127.0.0.1", ended=False):
    """Return the server's row of one connection, None when there is none; with `ended` one in TIME_WAIT too.

    `port` is the server's, `client` the port of the other end, both on `host`. It is a single look-up by
    netlink, which costs the same however many sockets the machine has; without netlink, the whole table.
    """
    address, rows = socket.inet_aton(host), []
    try:
        with _question(port, client.to_bytes(2, "big"), address, address, 0, _NLM_F_REQUEST) as netlink:
            _take_answers(netlink.recv(65536), rows)
    except FileNotFoundError:
        return None
    except (OSError, AttributeError):  # not offered; no AF_NETLINK at all
        rows = [row for row in tcp(port=port) + tcp(port=port, family=6) if row.remote[1] == client]
    # Without a connection the kernel offers the listener, or what remains of the connection.
    unwanted = {"LISTEN"} if ended else {"LISTEN", "TIME_WAIT"}
    return next((row for row in rows if row.state not in unwanted), None)


def listening():
    """Return {inode: port} of all listening sockets of this machine."""
    listen = STATES.index("LISTEN")
    try:
        rows = ask_kernel(0, 1 << listen) + ask_kernel(0, 1 << listen, socket.AF_INET6)
    except (OSError, AttributeError):
        rows = [row for row in tcp() + tcp(family=6) if row.state == STATES[listen]]
    return {row.inode: row.local[1] for row in rows}


def _question(port, peer_port, local, peer, states, flags, family=socket.AF_INET):
    """Return a netlink socket on which the answers to one question about TCP's sockets arrive."""
    sockid = (port.to_bytes(2, "big"), peer_port, local, peer, 0, _NO_COOKIE, _NO_COOKIE)
    body = _REQUEST.pack(family, socket.IPPROTO_TCP, 0, states, *sockid)
    header = _HEADER.pack(_HEADER.size + len(body), _SOCK_DIAG_BY_FAMILY, flags, 1, 0)
    netlink = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_SOCK_DIAG)
    try:
        netlink.settimeout(1.0)
        netlink.send(header + body)
    except BaseException:
        netlink.close()
        raise
    return netlink


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


def server_sockets(port, clients=None):
    """Return the rows of one local port, without TIME_WAIT, and where they were read.

    With `clients`, the ports of the other ends, only the listeners and these connections are looked up.
    """
    try:
        if clients is None:
            rows = ask_kernel(port)
        else:
            rows = ask_kernel(port, 1 << STATES.index("LISTEN"))
            rows += [row for client in clients if (row := connection(port, client))]
        return rows, "netlink sock_diag, as ss -tan reads it; the same rows as /proc/net/tcp"
    except (OSError, AttributeError):  # not offered; no AF_NETLINK at all
        rows = [row for row in tcp(port=port) if row.state != "TIME_WAIT"]
        return rows, "/proc/net/tcp"


def held_sockets(root="/proc"):
    """Return the rows of all sockets that a process may hold: TCP's table without TIME_WAIT."""
    with contextlib.suppress(OSError, AttributeError):
        if root == "/proc":  # the text has a line for each TIME_WAIT too: 40,000 of them cost half a second
            return ask_kernel(0)
    return tcp(root)


def listen_queue(port):
    """Return the accept Queue of a local port, None when nobody listens there."""
    try:
        listeners = ask_kernel(port, 1 << STATES.index("LISTEN"))
        limit = sum(row.tx for row in listeners)
    except (OSError, AttributeError):
        listeners = [row for row in tcp(port=port) if row.state == "LISTEN"]
        limit = None
    return Queue(sum(row.rx for row in listeners), limit) if listeners else None
