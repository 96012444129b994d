"""The X-ray in words: the sentence under the picture and the text twin, computed from the sample."""

from collections import Counter

from evolution.views import marks

STATES = {
    "R": ("running", "process.running", "on a processor, or ready for one"),
    "S": ("asleep", "process.asleep", "the kernel wakes it when its call can go on"),
    "D": ("deep asleep", "process.asleep", "waits for a device; no signal wakes it"),
    "T": ("stopped", "process.stopped", "halted by a signal"),
    "t": ("traced", "process.stopped", "held by a debugger"),
    "Z": ("zombie", "process.zombie", "dead; its parent has not asked for the exit status"),
    "X": ("gone", "process.zombie", "dead, about to vanish"),
    "I": ("idle", "process.asleep", "a kernel thread without work"),
}
"""Letter of /proc/PID/stat: (word, mark, meaning); proc_pid_stat(5)."""

TCP = {
    "ESTABLISHED": "open in both directions",
    "SYN_SENT": "asks for a connection",
    "SYN_RECV": "the handshake is not finished",
    "CLOSE_WAIT": "its client has closed, the server has not",
    "LAST_ACK": "both have closed; the last acknowledgement is missing",
    "FIN_WAIT1": "the server has closed, the client has not yet answered",
    "FIN_WAIT2": "the server has closed, the client has not",
    "CLOSING": "both have closed at once",
    "TIME_WAIT": "closed; kept a while for late segments",
    "CLOSE": "closed",
}
"""State of a connection as the server's kernel sees it: meaning; RFC 9293, 3.3.2."""


def state_of(letter):
    """Word, mark and meaning of a state letter; an unknown letter is shown as it is."""
    return STATES.get(letter, (letter or "?", "process.asleep", "a state this course has no word for"))


def count(number, noun, plural=None):
    """``1 process``, ``4,096 connections``."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def hidden(state, name):
    """How many rows of a list the sampler left out to keep its message short."""
    return (state.get("hidden") or {}).get(name, 0)


def is_held(connection):
    """A server's process holds it: one was seen with it, or nothing but that explains its state."""
    open_still = connection["state"] in ("ESTABLISHED", "CLOSE_WAIT")
    return bool(connection["holders"]) or (connection["accepted"] and open_still)


def is_forgotten(connection):
    """Its client has closed and nothing is left to read, yet a process still holds it: perhaps a leak."""
    return connection["state"] == "CLOSE_WAIT" and is_held(connection) and not connection["unread"]


def owners(connection):
    """The pids that hold a connection, each once, in the order seen."""
    return list(dict.fromkeys(pid for pid, _ in connection["holders"]))


def doing(thread):
    """What a thread does: ``asleep in recv(4)``, ``running``."""
    word = state_of(thread["state"])[0]
    return f"{word} in {thread['call']}" if thread.get("call") and "asleep" in word else word


def tally(threads, most=3):
    """Say what threads do, the most frequent first: ``2 asleep in accept(3), 1 in recv(4), 1 running``.

    With more than `most` different calls, the descriptors are left out: ``31 in recv``.
    """
    counts = Counter(doing(thread) for thread in threads)
    if len(counts) > most:
        counts = Counter()
        for thread in threads:
            counts[doing(thread).split("(")[0]] += 1
    words, said = [], False
    for what, number in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])):
        if what.startswith("asleep in") and said:
            what = what.removeprefix("asleep ")
        said = said or what.startswith("asleep in")
        words.append(f"{number:,} {what}" + ("s" if what == "zombie" and number > 1 else ""))
    return ", ".join(words)


def row(key, kind, text, note="", *, facts=(), words="", head=None, **more):
    """Return one row of the picture; xray_scene says what its parts mean."""
    return {
        "key": key,
        "kind": kind,
        "text": text,
        "note": note,
        "head": head or text,
        "facts": [fact for fact in facts if fact],
        "words": words,
        **more,
    }


def ranges(numbers):
    """Write numbers in short: ``0–2, 5, 7–9``."""
    runs = []
    for number in sorted(numbers):
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ", ".join(str(a) if a == b else f"{a}, {b}" if b == a + 1 else f"{a}–{b}" for a, b in runs)


def sentence(state):
    """One sentence that says what was seen; the text twin's first line."""
    if not state or not state.get("server"):
        return "Nothing has been sampled yet: start a server, and its processes show here."
    parts = [_processes(state), _queues(state["listeners"]), _connections(state)]
    return "; ".join(part for part in parts if part) + "."


def _processes(state):
    processes, more = state["processes"], hidden(state, "processes")
    threads = [thread for process in processes for thread in process["threads"]]
    if not processes:
        return "No process of this server is left"
    if len(processes) + more == 1:
        if len(threads) <= 1:
            return f"One process, {doing(threads[0] if threads else processes[0])}"
        return f"One process with {len(threads)} threads: {tally(threads)}"
    all_of_them = count(len(processes) + more, "process", "processes")
    if len(threads) > len(processes):
        all_of_them += f" with {len(threads)} threads"
    zombies = [p for p in processes if not p["threads"]]
    return f"{all_of_them}: {tally(threads + zombies)}" + (
        f" of the {len(processes)} looked at" if more else ""
    )


def _queues(listeners):
    if not listeners:
        return "nobody listens"
    waiting = sum(listener["length"] for listener in listeners)
    verb = "waits" if waiting == 1 else "wait"
    if len(listeners) > 1:
        return f"{waiting:,} {verb} in {len(listeners)} queues"
    limit = listeners[0]["limit"]
    of = f" of {limit:,}" if limit is not None else ""
    return f"{waiting:,}{of} {verb} in the queue" + (", which is full" if is_full(listeners[0]) else "")


def is_full(listener):
    """Linux takes no more once the length has passed the limit; listen(2), sk_acceptq_is_full."""
    return listener["limit"] is not None and listener["length"] > listener["limit"]


def _connections(state):
    seen = state["connections"]
    if hidden(state, "connections"):
        return f"{len(seen) + hidden(state, 'connections'):,} connections in all"
    held = sum(map(is_held, seen))
    words = [f"{count(held, 'connection')} {'is' if held == 1 else 'are'} held"]
    forgotten = sum(map(is_forgotten, seen))
    if forgotten:
        words.append(f"{forgotten:,} of them although the client has closed (CLOSE_WAIT)")
    shared = sum(len(owners(connection)) > 1 for connection in seen)
    if shared:
        words.append(f"{shared:,} by several processes at once")
    unread = sum(connection["unread"] for connection in seen)
    if unread:
        words.append(f"{marks.size(unread)} unread")
    return ", ".join(words)


def text(scene):
    """The text twin: the sentence, then the three columns as indented lists. Takes what `scene` gives."""
    lines = [("Recorded: " if scene.get("recorded") else "") + scene["sentence"]]
    for column in scene["columns"]:
        if not column["blocks"]:
            continue
        lines += ["", column["title"]]
        for block in column["blocks"]:
            for index, row in enumerate(block["rows"]):
                indent = "  " * (1 + block.get("depth", 0) + (index > 0 and row["kind"] != "heading"))
                fd = f"fd {row['fd']} " if "fd" in row else ""
                words = [row.get("letter", ""), fd + row["text"], *row.get("chips", []), row.get("note", "")]
                lines.append(indent + "  ".join(word for word in words if word))
    return "\n".join(lines)
