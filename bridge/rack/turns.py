"""Waiting in turn: who waits for a board leaves a ticket, and who came later leaves the boards on it alone.

A ticket is a file that its keeper has locked as long as somebody waits. One of a process that is gone is not locked
any more, and one of a process that was stopped is not touched any more: neither keeps anybody waiting. Tickets are
about fairness alone; that a board never has two holders rests on its lock. Imported by the keeper: it needs little.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import socket
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from bridge.ports.file_lock import is_locked
from bridge.rack.told import read_told, seconds, whole

_KIND = ".turn"


class Turn(NamedTuple):  # not a dataclass: those would be half of the keeper's start
    """Somebody who waits."""

    order: tuple[int, int, int]
    """Sorts by arrival."""
    wants: frozenset[str]
    """Names of the boards' locks that would do."""
    boards: int
    """How many of them are wanted."""
    about: Mapping[str, Any]
    """What stands on the ticket besides: pid, user, command, purpose, since (seconds since the epoch)."""


class Ticket:
    """A place in the queue; made by `take_ticket`.

    Attributes:
        bell: readable when somebody has rung for it (`ring`).
    """

    def __init__(self, path: str, descriptor: int, order: tuple[int, int, int]) -> None:
        self._path, self._descriptor = path, descriptor
        self.bell = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.bell.setblocking(False)
        with contextlib.suppress(OSError):  # without a bell it is tried again after a while
            self.bell.bind(_bell(order))

    def listen(self) -> None:
        """Forget that somebody rang."""
        with contextlib.suppress(OSError):
            while True:
                self.bell.recv(16)

    def touch(self) -> None:
        """Say that the one who waits lives."""
        with contextlib.suppress(OSError):
            os.utime(self._descriptor)

    def give_back(self) -> None:
        """Wait no more."""
        with contextlib.suppress(OSError):
            os.unlink(self._path)
        os.close(self._descriptor)
        self.bell.close()


def arrival(number: int) -> tuple[int, int, int]:
    """The order of a claim that comes now.

    Args:
        number: tells the claims of one process apart.
    """
    return time.monotonic_ns(), os.getpid(), number


def take_ticket(
    folder: str, order: tuple[int, int, int], wants: Iterable[str], count: int, ttl: float, about: Mapping[str, Any]
) -> Ticket:
    """Begin to wait.

    Args:
        folder: of the locks.
        order: from `arrival`.
        wants: names of the boards' locks that would do.
        count: how many of them are wanted.
        ttl: seconds after which a ticket that was not touched counts no more.
        about: who waits.

    Raises:
        OSError: it cannot be written.
    """
    path = os.path.join(folder, ".".join(f"{part:d}" for part in (*order, os.getuid())) + _KIND)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
    ticket = Ticket(path, descriptor, order)
    try:
        # Locked before it says anything: an empty one wants nothing.
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        os.fchmod(descriptor, 0o644)
        os.write(descriptor, json.dumps({**about, "wants": [*wants], "count": count, "ttl": ttl}).encode())
    except BaseException:
        ticket.give_back()
        raise
    return ticket


def ring(folder: str, board: str) -> None:
    """Tell those who wait for a board that it is free; who does not hear it finds out by himself, later."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as bell:
        for turn in waiting(folder):
            if board in turn.wants:
                with contextlib.suppress(OSError):
                    bell.sendto(b"", socket.MSG_DONTWAIT, _bell(turn.order))


def _bell(order: tuple[int, int, int]) -> str:
    """A name that is no file: it goes with its socket, and everybody may ring. Linux has such names."""
    return "\0nodemcu-bridge-turn." + ".".join(map(str, order))


def waiting(folder: str) -> list[Turn]:
    """Who waits, in turn."""
    return sorted(_turns(folder), key=lambda turn: turn.order)


def _turns(folder: str) -> Iterator[Turn]:
    try:
        files = [file for file in os.listdir(folder) if file.endswith(_KIND)]
    except OSError:
        return
    for file in files:
        path = os.path.join(folder, file)
        parts = file.removesuffix(_KIND).split(".")
        if len(parts) != 4 or not all(part.isdecimal() for part in parts):
            continue
        if not is_locked(path):
            if int(parts[3]) == os.getuid() and _age(path) > 60.0:  # not one that is only about to be locked
                with contextlib.suppress(OSError):
                    os.unlink(path)
            continue
        said = read_told(path) or {}
        wants, count, ttl = said.pop("wants", None), whole(said.get("count")), seconds(said.get("ttl"))
        if isinstance(wants, list) and count and ttl is not None and _age(path) <= ttl:
            yield Turn((int(parts[0]), int(parts[1]), int(parts[2])), frozenset(map(str, wants)), count, said)


def _age(path: str) -> float:
    try:
        return time.time() - os.stat(path, follow_symlinks=False).st_mtime
    except OSError:
        return 0.0
