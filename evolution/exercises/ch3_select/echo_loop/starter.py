import select


def serve(listener):
    """Send back to each client what it says, for ever; one process, one thread, many clients."""
    ...
