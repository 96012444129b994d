"""The recall cards of chapter 3. Each takes a random.Random and returns a Card with its own numbers."""

from evolution.course.recall import Card


def who_is_readable(rng):
    half, ended, reset, idle = (rng.randint(1, 5) for _ in range(4))
    return Card(
        f"A select loop has {idle} idle clients, {half} that have sent half a line, {ended} that have ended their side and "
        f"{reset} that have reset. All input is read otherwise. How many client sockets does select call readable?",
        half + ended + reset,
        "sockets",
        why="Readable means that recv would not wait: some bytes, the end, or an error.",
        about=("eof_not_readable", "errors_in_xlist", "readable_means_whole_message", "eof_ignored"),
    )


def who_is_writable(rng):
    idle, unread, full = (rng.randint(2, 9) for _ in range(3))
    return Card(
        f"{idle} clients have read everything, {unread} have 1,000 bytes unread, and {full} have filled the kernel's buffers. "
        "How many sockets does select call writable?",
        idle + unread,
        "sockets",
        why="Writable means that the kernel has room, whatever the other side has read.",
        about=("writable_means_peer_read", "always_writable_spin", "always_writable"),
    )


def left_over(rng):
    size, taken = rng.randint(3, 9) * 100_000, rng.randint(1, 9) * 20_000
    return Card(
        f"On a non-blocking socket, send is given {size:,} bytes and returns {taken:,}. How many bytes are still yours to send?",
        size - taken,
        "bytes",
        why="send takes what fits and says how much that was. The rest stays with you until there is room.",
        about=("short_send_ignored", "forgets_the_rest", "sendall_on_nonblocking", "buffer_shared_between_clients"),
    )


def held_by_a_silent_reader(rng):
    clients, limit = rng.randint(10, 90), rng.choice((64, 128, 256, 512))
    return Card(
        f"A server keeps at most {limit} kilobytes of unsent bytes for each client, and stops reading from one that has as many. "
        f"{clients} clients write without end and never read. How many kilobytes can they make it keep?",
        clients * limit,
        "kilobytes",
        why="A bound for each client bounds the whole; without one, a single client could fill the memory.",
        about=("unbounded_buffer", "spins_when_full", "stays_deaf"),
    )


def number_or_count(rng):
    first, clients = rng.randint(900, 1000), rng.randint(40, 200)
    return Card(
        f"In a program the lowest free descriptors are {first} and up. {clients} clients connect, and select is to watch them "
        "all. How many of them fit into its set?",
        min(clients, 1024 - first),
        "clients",
        why="The set has places for the numbers 0 to 1,023. How many are watched makes no difference.",
        about=("limit_is_a_count", "raise_ulimit", "watch_fewer", "swallow_valueerror"),
    )


def cost_of_idle(rng):
    each, idle = rng.choice((50, 80, 100, 200)), rng.choice((2000, 5000, 8000, 10000))
    calls = rng.choice((50, 100, 200))
    return Card(
        f"poll costs {each} ns for each descriptor. A loop watches {idle:,} idle clients and wakes up {calls} times a second. How "
        "many milliseconds of processor time does poll take in each second?",
        round(each * idle * calls / 1e6, 6),
        "ms",
        why="Once for each descriptor in each call, also for those that never say anything.",
        about=("poll_is_constant", "select_and_poll_differ", "epoll_always_wins", "grows_with_the_square"),
    )


def next_timeout(rng):
    idle = rng.choice((5, 10, 30))
    ages = sorted(rng.sample(range(1, idle * 10), 3))
    words = ", ".join(f"{age / 10:g} s" for age in ages)
    return Card(
        f"A loop closes clients that have been idle for {idle} s. Its three clients spoke {words} ago. How many seconds may "
        "select sleep at most?",
        round(idle - ages[-1] / 10, 6),
        "s",
        why="Until the earliest deadline: that of the client that has been silent for longest.",
        about=(
            *("any_activity_resets_all", "busy_poll", "counts_from_accept", "never_closes"),
            *("sleep_in_loop", "sleeps_past_a_deadline", "wall_clock"),
        ),
    )


def one_computes(rng):
    clients, work = rng.randint(3, 9), rng.choice((0.1, 0.2, 0.5))
    return Card(
        f"{clients} clients send a request to a select loop at the same moment, and each takes {work:g} s of computing. After "
        "how many seconds is the last one answered?",
        round(clients * work, 6),
        "s",
        why="The loop waits for all at once. What it does in between, computing or sleeping, is for one at a time.",
        about=("one_at_a_time", "waits_for_one", "accepted_socket_blocking", "sleeps_for_everybody"),
    )


def when_full(rng):
    limit, others, clients = rng.choice((64, 128, 256)), rng.randint(5, 9), rng.randint(300, 400)
    return Card(
        f"A process may have {limit} descriptors and needs {others} for itself, its listener included. {clients} clients "
        "connect; all of them find room in the accept queue. How many can it accept?",
        limit - others,
        "clients",
        why="The rest waits in the queue. The listener stays readable: a loop that asks about it spins.",
        about=("accept_spin", "closes_listener", "dies", "never_listens_again", "throws_out_a_client"),
    )


CARDS = (
    who_is_readable,
    who_is_writable,
    left_over,
    held_by_a_silent_reader,
    number_or_count,
    cost_of_idle,
    next_timeout,
    one_computes,
    when_full,
)
