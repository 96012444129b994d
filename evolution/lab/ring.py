"""io_uring, as small as it goes: a wish is put into one ring, its result is taken out of another.

Two rings of memory are shared with the kernel (io_uring(7)): a program writes entries into the submission
queue, and the kernel writes what came of them into the completion queue. Nobody asks for readiness between.
"""

import ctypes
import errno
import mmap
import os
import struct
from contextlib import ExitStack

SETUP, ENTER = 425, 426
"""System calls io_uring_setup(2) and io_uring_enter(2); the same numbers on x86_64 and aarch64."""

READ = 22
"""IORING_OP_READ: like read(2)."""

GETEVENTS = 1
SQ_RING, CQ_RING, SQES = 0, 0x8000000, 0x10000000
"""Offsets that tell mmap which of the three areas is meant."""

_libc = ctypes.CDLL(None, use_errno=True)


class Refused(OSError):
    """This kernel, or the container's rules, do not allow io_uring; the message says which errno came."""


class Ring:
    """A ring of four entries. Close it, or use it in a `with` block. Raises Refused."""

    def __init__(self):
        params = ctypes.create_string_buffer(120)  # struct io_uring_params
        self.fd = _libc.syscall(SETUP, 4, params)
        if self.fd < 0:
            number = ctypes.get_errno()
            name = errno.errorcode.get(number, number)
            raise Refused(number, f"io_uring_setup: {name}; the kernel or the container's rules refuse it")
        words = struct.unpack("30I", params.raw)
        entries = words[0]
        self.sq, self.cq = words[10:17], words[20:27]  # head tail mask entries flags array|cqes …
        self._areas = ExitStack()
        self._areas.callback(os.close, self.fd)
        self.submissions = self._map(self.sq[6] + entries * 4, SQ_RING)
        self.completions = self._map(self.cq[5] + words[1] * 16, CQ_RING)
        self.entries = self._map(entries * 64, SQES)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def close(self):
        self._areas.close()

    def wish_to_read(self, fd, buffer, mark):
        """Ask for a read of `fd` into `buffer`; `mark` is handed back with the result."""
        tail = _word(self.submissions, self.sq[1])
        slot = tail & _word(self.submissions, self.sq[2])
        address = ctypes.addressof(ctypes.c_char.from_buffer(buffer))
        struct.pack_into(
            "<BBHiQQIIQ24x", self.entries, slot * 64, READ, 0, 0, fd, 0, address, len(buffer), 0, mark
        )
        struct.pack_into("I", self.submissions, self.sq[6] + slot * 4, slot)
        struct.pack_into("I", self.submissions, self.sq[1], tail + 1)
        return self._enter(1, 0)

    def results(self, least=0):
        """Return [(mark, result)] of what is done; sleeps until there are `least`. Negative: an errno."""
        if least:
            self._enter(0, least)
        head, tail = _word(self.completions, self.cq[0]), _word(self.completions, self.cq[1])
        found = []
        for number in range(head, tail):
            slot = number & _word(self.completions, self.cq[2])
            found.append(struct.unpack_from("Qi", self.completions, self.cq[5] + slot * 16))
        struct.pack_into("I", self.completions, self.cq[0], tail)
        return found

    def _enter(self, submit, least):
        done = _libc.syscall(ENTER, self.fd, submit, least, GETEVENTS if least else 0, None, 0)
        if done < 0:
            raise OSError(ctypes.get_errno(), "io_uring_enter")
        return done

    def _map(self, size, offset):
        area = mmap.mmap(self.fd, size, offset=offset)
        self._areas.callback(area.close)
        return area


def _word(area, offset):
    return struct.unpack_from("I", area, offset)[0]


def demonstrate():
    """Wish to read from an empty pipe, then write to it, and find the bytes in place. Return it in words."""
    try:
        ring = Ring()
    except OSError as error:
        return f"io_uring is not to be had here ({error.strerror})"
    lines = []
    reader, writer = os.pipe()
    buffer = bytearray(16)
    try:
        with ring:
            ring.wish_to_read(reader, buffer, mark=7)
            lines.append(f"wish 7: read from the empty pipe. Results so far: {ring.results()}")
            os.write(writer, b"hello")
            [(mark, result)] = ring.results(least=1)
            lines.append(f"five bytes are written to it. Result of wish {mark}: {result} bytes")
            lines.append(f"they are in place already, no read was called: {bytes(buffer[:result])}")
    finally:
        os.close(reader)
        os.close(writer)
    return "\n".join(lines)


if __name__ == "__main__":
    print(demonstrate())
