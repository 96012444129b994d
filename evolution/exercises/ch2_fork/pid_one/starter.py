import os


def init(start):
    """Be PID 1: start() the service, bury all who die below, return the service's exit code when it ends."""
    service = start()  # forks; returns the pid of the service
