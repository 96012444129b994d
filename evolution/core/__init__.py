"""What every server model shares: the address, the connection, the callbacks, the request to stop."""

from evolution.core.address import SHORTAGE, TICK, Address, AddressError, listen, reserve, take_queue
from evolution.core.connection import Connection
from evolution.core.crew import Crew
from evolution.core.worker import Worker, complain

__all__ = [
    "SHORTAGE",
    "TICK",
    "Address",
    "AddressError",
    "Connection",
    "Crew",
    "Worker",
    "complain",
    "listen",
    "reserve",
    "take_queue",
]
