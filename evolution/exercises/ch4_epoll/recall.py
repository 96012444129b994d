"""The recall cards of chapter 4. Each takes a random.Random and returns a Card with its own numbers."""

from evolution.course.recall import Card


def level_reports(rng):
    piece, times = rng.choice((50, 100, 128, 200)), rng.randint(3, 12)
    return Card(
        f"{piece * times:,} bytes lie in a socket that is watched level-triggered. At each report the program calls recv({piece}) "
        "once. How many times is it reported until it is silent?",
        times,
        "times",
        why="It is reported as long as something is there to read: once for each piece.",
        about=("lt_once", "et_repeats"),
    )


def stranded(rng):
    piece, size = rng.choice((64, 100, 256)), rng.randint(10, 60) * 100
    return Card(
        f"{size:,} bytes arrive at once at a socket that is watched edge-triggered. The program calls recv({piece}) once and goes "
        "back to epoll_wait. How many bytes lie there unread, and nobody is told about them?",
        size - piece,
        "bytes",
        why="An edge is told once. What one recv leaves behind stays in the buffer until the next arrival.",
        about=("et_loses_data", "et_no_drain", "edge_is_one_shot"),
    )


def accepts(rng):
    clients = rng.randint(3, 30)
    return Card(
        f"{clients} clients connect while the loop is busy. The listener is watched edge-triggered. How many times must the loop "
        "call accept on a non-blocking listener until it may sleep again?",
        clients + 1,
        "times",
        why="One for each client, and one more that says EAGAIN: only then is the next edge to be expected.",
        about=("et_accept_once", "drain_on_blocking_socket"),
    )


def idle_cost(rng):
    idle, each, active = rng.choice((2000, 4000, 8000)), rng.choice((100, 200, 300)), rng.choice((1, 2))
    return Card(
        f"poll pays {each} ns for each descriptor that it watches. {idle:,} clients are idle, {active} speaks. About how many "
        "microseconds does one call of poll take?",
        idle * each / 1000,
        "µs",
        why="It walks through all of them at each call, whoever has spoken. epoll pays for those that are ready.",
        about=("poll_is_constant", "epoll_always_wins"),
    )


def silent_until_armed(rng):
    requests = rng.randint(2, 9)
    return Card(
        f"A connection is registered once, with EPOLLONESHOT. Its client sends {requests} requests, each after the answer to the "
        "one before, and stays. A worker writes each answer at once, and after each request it arms the connection for input "
        "again with modify. How many calls of modify are that?",
        requests,
        "times",
        why="Each report makes the connection silent, so one call follows each request. After the last one it is armed for what "
        "may still come: one more request, or the end.",
        about=("no_rearm", "rearm_before_done", "two_workers_one_socket"),
    )


def queue_entries(rng):
    requests = rng.randint(3, 40)
    return Card(
        f"The classic Reactor in seven steps serves {requests} requests, with EPOLLONESHOT. How many entries are put on the "
        "request queue in all?",
        2 * requests,
        "entries",
        why="One for the input (step 3) and one for the room to send (step 6), for each request.",
        about=("two_workers_one_socket", "queue_grows", "order_lost"),
    )


def woken(rng):
    workers = rng.randint(3, 16)
    return Card(
        f"{workers} processes sleep in epoll_wait, each with the same listener in a list of its own, without any flag. One client "
        "connects. How many processes are woken?",
        workers,
        "processes",
        why="epoll_wait answers a question, and for each of them the answer is: yes, there is somebody.",
        about=("herd_is_gone", "accept_wakes_all"),
    )


def private_queue(rng):
    workers = rng.choice((2, 4, 5, 8, 10))
    waiting = rng.randint(3, 20)
    return Card(
        f"{workers} workers each have a listener of their own (SO_REUSEPORT). One is killed while {waiting} connections wait in its "
        f"accept queue; the others have room. How many of the {waiting} are served by another worker?",
        0,
        "connections",
        why="The queue belongs to the socket, and the socket to the dead process: all of them are reset.",
        about=("reuseport_least_loaded", "closing_drops_queue", "kernel_round_robins", "copies_of_one"),
    )


def who_has_the_listener(rng):
    workers = rng.choice((2, 4, 8))
    return Card(
        f"A master and {workers} Reactors share a port by SO_REUSEPORT. How many listening sockets does the port have, when the "
        "master never listens itself?",
        workers,
        "sockets",
        why="One for each Reactor. The master holds the number of the port only, and starts a worker that is missing.",
        about=("only_one_sets_it", "after_bind", "reuseaddr_confused", "no_option"),
    )


def timer_under_traffic(rng):
    period, gap = rng.choice((2, 3, 5)), rng.choice((0.5, 1))
    turns = rng.randint(4, 9)
    return Card(
        f"A loop waits {period} s in epoll and takes an empty answer for the timer. A client speaks every {gap:g} s, {turns} times, "
        "the first time at once. After how many seconds from the start does the timer fire?",
        (turns - 1) * gap + period,
        "s",
        why="Each event starts the wait anew, so it fires a whole period after the last one. Keep the moment when it is due.",
        about=("timer_drift", "timer_too_early", "timers_in_a_row", "handler_blocks_loop"),
    )


def exclusive(rng):
    workers, clients = rng.randint(2, 8), rng.randint(5, 40)
    return Card(
        f"{workers} sleeping workers watch one listener with EPOLLEXCLUSIVE. {clients} clients come, each when all workers are "
        "asleep again. How many of them does the busiest worker get?",
        clients,
        "clients",
        why="The flag says that one is woken, not that they take turns: the first in the row that sleeps is the same each time.",
        about=("exclusive_means_fair", "kernel_round_robins"),
    )


CARDS = (
    level_reports,
    stranded,
    accepts,
    idle_cost,
    silent_until_armed,
    queue_entries,
    woken,
    private_queue,
    who_has_the_listener,
    timer_under_traffic,
    exclusive,
)
