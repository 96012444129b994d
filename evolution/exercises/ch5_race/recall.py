"""The recall cards of chapter 5. Each takes a random.Random and returns a Card with its own numbers."""

from evolution.course.recall import Card


def silent_crowd(rng):
    workers, silent = rng.choice((2, 3, 4, 6)), rng.randint(7, 20)
    return Card(
        f"{silent} silent clients are connected to a prefork server with {workers} workers, then a polite one comes. "
        "How many polite clients are served while the silent ones stay?",
        0,
        "clients",
        why="Each worker sleeps in recv for a silent client of its own; nobody is left to accept.",
        about=("one_client_at_a_time", "one_reactor"),
    )


def waits_in_a_loop(rng):
    clients, work = rng.randint(3, 9), rng.choice((0.1, 0.2, 0.5))
    return Card(
        f"{clients} clients ask an epoll loop at the same moment; each answer needs {work:g} s of *computing*. "
        "After how many seconds has the last one its answer?",
        round(clients * work, 6),
        "s",
        why="One process computes for one at a time. The loop saves the waiting, not the work.",
        about=("one_reactor", "threads_not_processes"),
    )


def waits_in_coroutines(rng):
    clients, work = rng.randint(3, 9), rng.choice((0.1, 0.2, 0.5))
    return Card(
        f"{clients} conversations in one asyncio loop each `await asyncio.sleep({work:g})` before they answer. All begin "
        "at the same moment. After how many seconds has the last client its answer?",
        work,
        "s",
        why="A coroutine that awaits hands the loop back; all of them wait at the same time.",
        about=("one_client_at_a_time",),
    )


def what_await_adds(rng):
    word = rng.choice(("async def", "await"))
    return Card(
        f"A server is rewritten with `{word}`. What does it have more of than the same server as a loop with callbacks: "
        "threads, processes, or neither?",
        "neither",
        choices=("threads", "processes", "neither"),
        why="A coroutine is a function that can pause. The loop below it is still one thread in one process.",
        about=(),
    )


def who_counts(rng):
    reactors, each = rng.randint(2, 6), rng.randint(10, 90)
    return Card(
        f"A master forks {reactors} reactors; each counts its {each} messages in a variable of its own. What does the same "
        "variable say in the master?",
        0,
        "messages",
        why="After fork each process has its own memory. What all shall see must be shared, or sent.",
        about=("counts_one_worker", "counts_the_dead"),
    )


def back_off(rng):
    first = rng.choice((0.1, 0.2, 0.25, 0.5))
    deaths = rng.randint(3, 6)
    return Card(
        f"A reactor dies at once, each time. The first replacement comes after {first:g} s, and each pause is twice the one before. "
        f"How long is the pause before replacement number {deaths}?",
        round(first * 2 ** (deaths - 1), 6),
        "s",
        why="Doubling keeps a broken reactor from costing more and more; it is still tried again.",
        about=("respawn_storm", "worker_not_replaced"),
    )


CARDS = (silent_crowd, waits_in_a_loop, waits_in_coroutines, what_await_adds, who_counts, back_off)
