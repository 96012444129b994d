"""Three queues on one port, and what becomes of those who wait in one that is closed."""

from evolution.course.verdict import Crashed, Unrecognised, Wrong
from evolution.exercises.ch4_epoll import seen
from evolution.lab import procfs

CLIENTS = 36


def check(bench):
    """Return the lines that convinced us. Raises a Finding."""
    try:
        server = bench.serve()
    except Crashed as finding:
        raise refused(bench, finding) from None
    with server:
        inodes = queues(server)
        in_queue = retired(server, inodes)
    return (
        "three listening sockets on one port, each with a queue of its own",
        *calls(server.sandbox.output),
        f"of {CLIENTS} clients {in_queue} waited at the listener that was retired; all {CLIENTS} were served",
    )


def calls(output):
    """Return the host's notes: which calls each socket made, in order."""
    return tuple(line for line in output.splitlines() if line.startswith("socket "))


def refused(bench, finding):
    """Return what it shows when the program did not get as far as listening."""
    notes = calls(bench.output)
    if "Address already in use" not in bench.output or len(notes) < 2:
        return finding
    story = (*notes, *finding.evidence)
    orders = [line.split(": ")[1].split(", ") for line in notes]
    late = any("SO_REUSEPORT" in order[order.index("bind") :] for order in orders if "bind" in order)
    have = ["SO_REUSEPORT" in order for order in orders]
    if late:
        return Wrong("after_bind", *story)
    if any(have) and not all(have):
        return Wrong("only_one_sets_it", *story)
    if not any(have) and any("SO_REUSEADDR" in order for order in orders):
        return Wrong("reuseaddr_confused", *story)
    if not any(have):
        return Wrong("no_option", *story)
    return finding


def queues(server):
    """Three sockets of the kernel, not three names of one; return their inodes."""
    inodes = server.sandbox.line("inodes ", 4).split()
    if len(set(inodes)) == 1:
        raise Wrong("copies_of_one", f"/proc/PID/fd: the three are one socket: [{inodes[0]}] under several numbers")
    listening = seen.until(lambda: server.listeners().count(server.port) == 3, 2.0)
    if len(set(inodes)) != 3 or not listening:
        count = server.listeners().count(server.port)
        raise Unrecognised(f"expected three listening sockets on port {server.port}, /proc shows {count}")
    return [int(each) for each in inodes]


def retired(server, inodes):
    """Clients wait at all three; one is retired, then the others are served. Return how many waited at that one."""
    witness = seen.connect(server)
    seen.until(lambda: seen.descriptor_of(server.pid, witness.port))
    clients = [seen.connect(server) for _ in range(CLIENTS)]
    waiting = procfs.listen_queue(server.port)
    witness.note(f"{CLIENTS} clients connect; the three queues hold {waiting.length}, and nobody accepts")
    witness.send(b"retire 1\n")
    reply = seen.hear(witness)
    found = server.process()
    call = found.threads[0].call if found and found.threads else None
    if reply.silent == "asleep" and call and call.text.startswith("accept("):
        raise Wrong("drain_sleeps", *witness.transcript, "its queue is empty, and the clients of the others wait")
    if seen.ended(server, reply):
        raise server.crashed(*witness.transcript)
    if reply.text and reply.text.startswith(b"retire raised"):
        raise Crashed(*witness.transcript, *server.traceback())
    if not reply.text or not reply.text.startswith(b"retired "):
        raise Unrecognised(*witness.transcript, "expected retire to return")
    answers = [client.hear() for client in clients]
    served = sum(answer.text == b"served" for answer in answers)
    reset = sum(answer.silent in ("resets", "closes") for answer in answers)
    witness.note(f"of {CLIENTS} clients {served} were served, {reset} were reset")
    if reset:
        raise Wrong("closing_drops_queue", *witness.transcript)
    if served != CLIENTS:
        raise Unrecognised(*witness.transcript, f"{CLIENTS - served} clients have heard nothing")
    if any(each.inode == inodes[1] for each in server.process().descriptors):
        kept = f"/proc/PID/fd: the socket [{inodes[1]}] that was retired is still open, and listens"
        raise Wrong("left_open", *witness.transcript, kept)
    return int(reply.text.split()[1])
