"""The recall cards of chapter 1. Each takes a random.Random and returns a Card with its own numbers."""

from evolution.course.recall import Card


def last_in_line(rng):
    clients, work = rng.randint(3, 9), rng.choice((0.05, 0.1, 0.2, 0.5))
    return Card(
        f"{clients} clients connect to a blocking server at the same moment. Each answer takes it {work:g} s. "
        "After how many seconds does the last client have its answer?",
        round(clients * work, 6),
        "s",
        why="One after the other: the last one waits for all the work, its own included.",
        about=("all_parallel", "off_by_one"),
    )


def when_connected(rng):
    work = rng.choice((0.2, 0.5, 1, 2))
    return Card(
        f"A blocking server is busy for {work:g} s with one client. Another calls connect. When does connect return: "
        "at once, after the work, or is it refused?",
        "at once",
        choices=("at once", "after the work", "refused"),
        why="The kernel shakes hands by itself; accept only takes what is ready.",
        about=("refused", "connect_blocks", "needs_accept", "connect_is_service"),
    )


def room_in_the_queue(rng):
    backlog = rng.choice((0, 1, 2, 4, 5, 8, 16))
    clients = backlog + rng.randint(3, 9)
    return Card(
        f"A server has called listen({backlog}) and never accepts. {clients} clients connect. How many of the connects succeed?",
        backlog + 1,
        "clients",
        why="Linux turns a SYN away when the queue holds more than the backlog: one more than the number fits.",
        about=("backlog_exact", "unlimited", "fifth_refused"),
    )


def how_many_lines(rng):
    lines, cut = rng.randint(3, 7), rng.randint(1, 3)
    return Card(
        f"A client sends {lines} whole lines in one send, and then {cut} bytes of the next. How many times does a right "
        "read_line return before it sleeps?",
        lines,
        "times",
        why="As many as there are newlines: what has arrived behind the last one waits for the rest.",
        about=("recv_is_a_message", "pipelined_tail_dropped", "read_until_eof_deadlock"),
    )


def dripping(rng):
    size, pause = rng.choice((20, 40, 60, 100)), rng.choice((0.2, 0.5, 0.9))
    return Card(
        f"A client sends a request of {size} bytes, one byte every {pause:g} s. The server has settimeout(1.0) and no other "
        "limit. For how many seconds does the client keep it?",
        round((size - 1) * pause, 6),
        "s",
        why="Each byte comes in time, and each recv starts its own second. Only the pauses between the bytes count.",
        about=("per_recv_not_per_request", "no_deadline", "timeout_as_framing"),
    )


def behind_silent_ones(rng):
    silent, deadline = rng.randint(2, 9), rng.choice((0.5, 1, 2))
    return Card(
        f"{silent} silent clients connect to a blocking server that drops each after {deadline:g} s. Right behind them comes "
        "a polite one. How many seconds does it wait until it is served?",
        round(silent * deadline, 6),
        "s",
        why="A deadline bounds what one client can cost the others, and the blocking server pays it one client at a time.",
        about=("timeout_on_listener", "timeout_kills_server", "no_deadline"),
    )


def whose_time_wait(rng):
    count = rng.randint(5, 40)
    return Card(
        f"{count} clients talk to a server, and the server closes each connection first. How many connections in TIME_WAIT has "
        "the server's port then?",
        count,
        "connections",
        why="Who closes first keeps TIME_WAIT: here the server, once for each connection.",
        about=("option_after_bind", "no_option", "stale_time_wait", "reuseport_instead", "moved_port"),
    )


def closes(rng):
    end, reset, own = (rng.randint(1, 6) for _ in range(3))
    return Card(
        f"{end} clients end their side, {reset} reset, and the handler closes {own} connections itself. How many times is on_close "
        "called?",
        end + reset + own,
        "times",
        why="Once for each connection, however it ends.",
        about=("forgets_reset", "forgets_own_close", "fires_twice", "never_fires", "leaves_it_open"),
    )


CARDS = (
    last_in_line,
    when_connected,
    room_in_the_queue,
    how_many_lines,
    dripping,
    behind_silent_ones,
    whose_time_wait,
    closes,
)
