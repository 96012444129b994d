"""The recall cards of chapter 2. Each takes a random.Random and returns a Card with its own numbers."""

from evolution.course.recall import Card


def loop_without_exit(rng):
    turns = rng.randint(2, 6)
    return Card(
        f"A loop of {turns} turns forks in each turn, and the children do not exit. How many children are made in all?",
        2**turns - 1,
        "children",
        why="Each turn doubles the number of processes: 2 to the power of the turns, less the first process.",
        about=("linear_growth", "generation_missing", "children_stop", "counts_the_parent", "child_falls_through", "parent_talks", "exception_passes_exit", "sys_exit_flushes_twice"),
    )


def naps_inside(rng):
    turns, nap = rng.randint(3, 9), rng.choice((0.1, 0.2, 0.5))
    return Card(
        f"A parent forks {turns} children in a loop and waits for each inside the loop. A child sleeps for {nap:g} s and exits. "
        "After how many seconds is the loop over?",
        round(turns * nap, 6),
        "s",
        why="wait sleeps until the child has ended, so the children run one after the other.",
        about=("wait_is_free", "fork_then_wait", "only_the_first_waits", "naps_take_turns", "forks_before_its_nap", "busy_waits"),
    )


def copies(rng):
    children = rng.randint(2, 7)
    return Card(
        f"A server accepts one client and then forks {children} children. Nobody closes anything. How many closes does it take, "
        "in all processes together, until the client is told of the end?",
        children + 1,
        "closes",
        why="Fork copies the descriptor into each child; the connection ends with the last copy.",
        about=("parent_keeps_fd", "parent_close_kills_child", "child_end_closes", "child_keeps_listener", "closed_before_fork", "closes_the_door"),
    )


def listening_sockets(rng):
    workers = rng.randint(2, 9)
    return Card(
        f"A master listens on a port and then forks {workers} workers. How many accept queues does the port have?",
        1,
        "queues",
        why="The descriptors are copies, the socket is one: all of them take from the same queue.",
        about=("child_has_private_listener", "fd_numbers_change", "shared_variables"),
    )


def pending_signals(rng):
    dead, waits = rng.randint(12, 40), rng.randint(1, 4)
    return Card(
        f"A server is stopped while {dead} of its children die, and then goes on. Its SIGCHLD handler calls waitpid {waits} "
        f"time{'s' if waits > 1 else ''} and returns. How many zombies are left?",
        dead - waits,
        "zombies",
        why="A signal that is pending is not counted again: one SIGCHLD for all of them, so the handler runs once.",
        about=("sigchld_coalesced", "never_reaped", "reaps_only_on_next_accept", "reaper_blocks", "waits_for_one", "spins_on_the_living"),
    )


def silent_and_polite(rng):
    workers = rng.randint(2, 8)
    silent = workers - rng.randint(1, workers - 1)
    return Card(
        f"A prefork server has {workers} workers. {silent} silent clients are connected, then come polite ones. How many polite "
        "clients can be served at the same time?",
        workers - silent,
        "clients",
        why="One connection takes one worker, whatever it does. As many silent clients as workers, and nobody is served.",
        about=("hangs_on_keepalive", "worker_not_replaced", "replaces_failures_only"),
    )


def in_rows(rng):
    workers, rounds, work = rng.choice((2, 4, 5)), rng.randint(2, 4), rng.choice((0.1, 0.2, 0.5))
    return Card(
        f"{workers * rounds} clients come at once to a prefork server with {workers} workers. Each answer takes {work:g} s of "
        "sleep. After how many seconds does the last client have its answer?",
        round(rounds * work, 6),
        "s",
        why="As many at a time as there are workers; the others wait in the one queue.",
        about=("drops_the_queue", "kills_in_flight", "kills_the_crew"),
    )


def orphan_or_zombie(rng):
    seconds = rng.randint(2, 60)
    return Card(
        f"A parent is killed; its child goes on working for {seconds} s. What is the child during this time: an orphan, a zombie, "
        "or gone?",
        "an orphan",
        choices=("an orphan", "a zombie", "gone"),
        why="It lives, and is adopted. A zombie has ended and waits for somebody to ask for its status.",
        about=("kills_the_zombie", "orphans_keep_port", "master_only", "does_not_wait", "outlives_the_service", "first_death_ends_it"),
    )


def backed_off(rng):
    first, tries = rng.choice((0.1, 0.2)), rng.randint(3, 5)
    return Card(
        f"Workers die as they start. A master waits {first:g} s after the first failure, and twice as long after each further one. "
        f"How many seconds has it waited in all before start number {tries + 1}?",
        round(first * (2**tries - 1), 6),
        "s",
        why="A doubled pause makes a crash loop cheap, and still tries again.",
        about=("respawn_storm", "gives_up", "replaces_on_stop", "sleeps_through_stop", "workers_never_hear", "workers_stay"),
    )


def exit_code(rng):
    status = rng.randint(1, 90)
    return Card(
        f"A child has ended with exit status {status}. Which number does waitpid return as its status, before it is unpacked?",
        status * 256,
        "",
        why="The exit status is the upper byte, the lower one has the signal: os.waitstatus_to_exitcode unpacks both.",
        about=("raw_status", "sign_lost", "loses_status", "sig_ign_loses_status", "exit_nonzero", "does_not_return"),
    )


CARDS = (
    loop_without_exit,
    naps_inside,
    copies,
    listening_sockets,
    pending_signals,
    silent_and_polite,
    in_rows,
    orphan_or_zombie,
    backed_off,
    exit_code,
)
