"""The one visual language of all views: palette, marks, measures and words.

The Python twins draw from these tables, and the browser gets the same tables as a synced trait, so a
mark cannot come to mean two things. Every state has a shape of its own; colour only repeats it.
"""

PALETTE = {
    # name: (on a light background, on a dark one). Okabe and Ito's hues, darkened or lightened until marks
    # and text reach 4.5:1 against the page (WCAG 2.2, 1.4.3 and 1.4.11); tests/views computes it.
    "ink": ("#1F2933", "#E8EBEE"),
    "soft": ("#5C6670", "#A7B0BA"),
    "page": ("#FFFFFF", "#111111"),
    "rule": ("#DDE2E8", "#3A424B"),
    "pale": ("#E9EDF2", "#2C333B"),
    "quiet": ("#6A727D", "#98A2AE"),
    "queued": ("#A06600", "#E9A820"),
    "served": ("#0072B2", "#56B4E9"),
    "sending": ("#00805E", "#2FC49A"),
    "fail": ("#C24A00", "#FF8A4C"),
    "guess": ("#A3467C", "#E59AC4"),
    "busy": ("#334155", "#D3DBE4"),
    "onmark": ("#FFFFFF", "#111111"),
}
"""Colours by role. `onmark` is for text on a solid mark; `page`, `rule`, `pale` for backgrounds and lines."""

MARKS = ("quiet", "queued", "served", "sending", "fail", "guess", "busy")
TEXTS = ("ink", "soft", "queued", "served", "sending", "fail", "guess", "quiet")

JUPYTER = {
    "ink": "--jp-content-font-color1",
    "soft": "--jp-content-font-color2",
    "page": "--jp-layout-color0",
    "rule": "--jp-border-color2",
}
"""Roles that a view takes from JupyterLab's theme where there is one."""

# Shapes: dash, line, hollow, solid, half (low and pale), ramp, asleep (pale, with strands), hatch, box.
CLIENT = {
    "connecting": ("connecting", "SYN sent, no answer yet", "dash", "quiet"),
    "queued": (
        "queued",
        "connected; seen in the accept queue: no accept yet",
        "hollow",
        "queued",
    ),
    "waiting": ("not sampled", "connected; no sample has seen yet who holds it", "half", "quiet"),
    "served": ("served", "a process or thread works for it; its pid is in the bar", "solid", "served"),
    "sending": (
        "sending",
        "the answer goes out; the edge rises with the share that has arrived",
        "ramp",
        "sending",
    ),
    "idle": ("idle", "open, nobody says anything", "line", "quiet"),
}
"""state: (word, meaning, shape, colour)."""

ENDS = {
    "done": ("done", "closed in order", "round", "ink"),
    "closed": ("closed", "closed before an answer came", "ring", "ink"),
    "refused": ("refused", "no listener, or no room for it", "cross", "fail"),
    "timed_out": ("timed out", "the client gave up waiting", "hourglass", "fail"),
    "reset": ("reset", "the connection was torn down", "bolt", "fail"),
    "gone": ("gone", "the process or thread has ended", "stop", "ink"),
}

PROCESS = {
    "running": ("running", "on a processor, or ready for one", "solid", "busy"),
    "asleep": ("asleep", "the kernel wakes it when the call can go on", "asleep", "quiet"),
    "stopped": ("stopped", "halted by a signal", "hatch", "busy"),
    "zombie": ("zombie", "dead, its parent has not asked for the exit status", "box", "busy"),
    "gone": ("gone", "the process or thread has ended", "none", "ink"),
}

SLEEPS = {
    # kind: (word, meaning, strands, dash of the strands, colour)
    "accept": ("asleep in accept", "waits for the next connection", 1, "1 4", "queued"),
    "one": ("asleep for one", "waits for one client: nobody else can wake it", 1, "", "served"),
    "many": ("asleep for many", "waits for whichever descriptor is ready first", 3, "", "served"),
    "other": ("asleep", "waits for a thread, a child, the clock", 1, "4 4", "quiet"),
}

CALLS = {
    "accept": "accept",
    "accept4": "accept",
    "read": "one",
    "readv": "one",
    "recv": "one",
    "recvfrom": "one",
    "recvmsg": "one",
    "send": "one",
    "sendto": "one",
    "sendmsg": "one",
    "write": "one",
    "writev": "one",
    "sendfile": "one",
    "select": "many",
    "pselect6": "many",
    "poll": "many",
    "ppoll": "many",
    "epoll_wait": "many",
    "epoll_pwait": "many",
    "epoll_pwait2": "many",
    "inet_csk_accept": "accept",  # from here on: wait channels, where the system call cannot be read
    "wait_woken": "one",
    "sk_stream_wait_memory": "one",
    "do_select": "many",
    "do_poll": "many",
    "ep_poll": "many",
}
"""Which kind of sleep a system call is (or a wait channel); whatever is not listed is "other"."""

SYSCALL = {
    "work": ("works", "a system call that comes back at once", "solid", "busy"),
    "fail": (
        "comes back with an errno",
        "the kernel says why not: EAGAIN is 'nothing there yet'",
        "hollow",
        "fail",
    ),
    "signal": ("signal", "one arrives at this thread", "flag", "fail"),
    "between": ("no system call", "the thread runs the program, or waits for a processor", "line", "quiet"),
}
"""What a thread does in the view of system calls, where it does not sleep."""

GUESS = ("guess", "your prediction, on the same axis", "ghost", "guess")

# Glyphs are drawn in a box from -6 to 6 around their point.
GLYPHS = {
    "round": {"d": "M-4.5 0a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0 -9 0Z", "fill": True},
    "ring": {"d": "M-3.8 0a3.8 3.8 0 1 0 7.6 0a3.8 3.8 0 1 0 -7.6 0Z", "fill": False},
    "cross": {"d": "M-4.2 -4.2L4.2 4.2M4.2 -4.2L-4.2 4.2", "fill": False},
    "hourglass": {"d": "M-4.2 -5.5H4.2L0.6 0L4.2 5.5H-4.2L-0.6 0Z", "fill": True},
    "bolt": {"d": "M1.6 -6.5L-4 1H-0.6L-1.8 6.5L4 -1.4H0.5Z", "fill": True},
    "stop": {"d": "M0 -6V6", "fill": False},
    "flag": {"d": "M-1 7V-7L5.5 -4L0 -1.5", "fill": True},
}

LAYOUT = {
    "gutter": (98, 136),  # px: narrowest and widest column of names
    "gutter_share": 0.2,
    "right": 20,
    "axis": 26,
    "row": 22,
    "bar": 14,
    "dense": 28,  # from so many lanes on, rows are lower
    "dense_row": 18,
    "dense_bar": 12,
    "gap": 16,
    "queue": 46,
    "bands": 170,
    "many": 60,  # from so many clients on, lanes become bands
    "interesting": 12,
    "text": 11,  # px: nothing is written smaller
    "room": 30,  # px: a bar from here on carries its pid
}

BANDS = {
    "served": ("served", 1),
    "sending": ("sending", 1),
    "idle": ("quiet", 0.3),
    "queued": ("queued", 0.22),
    "waiting": ("quiet", 0.2),
    "connecting": ("quiet", 0.1),
    "done": ("ink", 0.1),
    "closed": ("ink", 0.2),
    "failed": ("fail", 1),
}
"""Bands of a crowd from bottom to top: colour and how opaque; `failed` are refused, timed out and reset."""

RANK = tuple(BANDS)


def sleep_kind(note):
    """Kind of sleep behind the kernel's words, ``accept4(3)`` → "accept"; "other" when nothing is known."""
    return CALLS.get((note or "").split("(")[0].strip(), "other")


def language():
    """All tables as JSON-able data, for the browser."""

    def rows(table, *names):
        return {key: dict(zip(names, row, strict=True)) for key, row in table.items()}

    usual = ("word", "meaning", "shape", "colour")
    return {
        "client": rows(CLIENT, *usual),
        "ends": rows(ENDS, *usual),
        "process": rows(PROCESS, *usual),
        "syscall": rows(SYSCALL, *usual),
        "sleeps": rows(SLEEPS, "word", "meaning", "strands", "dash", "colour"),
        "guess": dict(zip(usual, GUESS, strict=True)),
        "calls": CALLS,
        "glyphs": GLYPHS,
        "layout": LAYOUT,
        "bands": rows(BANDS, "colour", "opacity"),
    }


def css(root=".evo"):
    """CSS variables of the palette under `root`, for a light theme and for the dark ones that are known."""
    light = "".join(f"--evo-{name}:{_themed(name, pair[0])};" for name, pair in PALETTE.items())
    dark = "".join(f"--evo-{name}:{_themed(name, pair[1])};" for name, pair in PALETTE.items())
    hosts = ('[data-jp-theme-light="false"]', ".vscode-dark", ".vscode-high-contrast", '[data-theme="dark"]')
    return f"{root}{{{light}}}\n" + ",".join(f"{host} {root}" for host in hosts) + f"{{{dark}}}\n"


def _themed(name, colour):
    return f"var({JUPYTER[name]},{colour})" if name in JUPYTER else colour


def time(seconds):
    """Seconds in words, two significant digits: ``12 ms``, ``0.5 ms``, ``2.0 s``, ``15 s``."""
    if seconds < 0:
        return "−" + time(-seconds)
    if seconds < 0.9995:
        ms = seconds * 1000
        return "0 s" if ms < 0.05 else f"{_two(ms)} ms"
    return f"{_two(seconds)} s"


def size(count):
    """Bytes in words: ``512 B``, ``1.5 KiB``, ``20 MiB``."""
    if count < 1024:
        return f"{count} B"
    for unit in ("KiB", "MiB"):
        count /= 1024
        if count < 1023.5 or unit == "MiB":
            return f"{_two(count)} {unit}"
    raise AssertionError("unreachable")


def _two(value):
    if value >= 99.5:
        return f"{float(f'{value:.1e}'):.0f}" if value < 1000 else f"{value:.0f}"
    return f"{value:.0f}" if value >= 9.95 else f"{value:.1f}"
