"""A lease as its keeper has it: the locks, the record, and the port that is served. Imported by the keeper."""

from __future__ import annotations

import os
import selectors
import time
from collections.abc import Callable, Mapping
from typing import Any

from bridge.rack.board_lock import BoardLock, bases
from bridge.rack.claims import Claim, take_port_lock
from bridge.rack.ends import Device, End, TcpEnd
from bridge.rack.record import last_generation, write_record
from bridge.rack.relay import Relay
from bridge.rack.stale import started
from bridge.rack.turns import ring


class Kept:
    """One place that is leased.

    Args:
        number: of the lease, for the holder.
        place: of the claim.
        locks: that of the board, and that of its port if it was known.
        claim: who it is for.
        tell: says something to the holder.

    Attributes:
        generation: counts the leases of the board.
        trouble: why its record could not be written, or None; the lease is good without.
        ending: it is over, and its port is about to be given up.
        is_over: all is given back.
    """

    def __init__(
        self,
        number: int,
        place: Mapping[str, Any],
        locks: list[BoardLock],
        claim: Claim,
        tell: Callable[[Mapping[str, Any]], None],
    ) -> None:
        self.number, self.ttl = number, claim.ttl
        self.ending = self.is_over = False
        self.trouble: str | None = None
        self._locks, self._tell = locks, tell
        self._queue = claim.folder, place["board"]
        self._relay: Relay | None = None
        self._device: Device | None = None
        self._released_by: int | None = None
        self.generation = last_generation(bases(claim.folder, place["board"])) + 1
        self._record = {
            **claim.about,
            "place": place["name"],
            "port": None,
            "keeper": os.getpid(),
            "keeper_started": started(os.getpid()),
            "since": round(time.time(), 3),
            "ttl": claim.ttl,
            "generation": self.generation,
            "ended": None,
        }
        self.touch()
        self._write()

    @property
    def deadline(self) -> float | None:
        """When `tick` has something to do (monotonic), or None."""
        return None if self._relay is None else self._relay.deadline

    def touch(self) -> None:
        """Its holder was heard of."""
        for lock in self._locks:
            lock.touch()
        if not self.ending and not all(lock.is_ours() for lock in self._locks):
            self.end("the file of its lock was taken away", at_once=True)

    def serve(self, selector: selectors.BaseSelector, message: Mapping[str, Any]) -> None:
        """Open the port and serve it; the answer says where, or why not.

        Args:
            selector: of the keeper's loop.
            message: `id` for the answer; `port`, the URL, for the record; of a TCP place `family` and `address`; of a
                device `path` and `baud`; and `port_lock` as in a claim, if it is not locked yet.
        """
        number = message["id"]
        connect: Callable[[], End]
        try:
            if message["port_lock"] is not None:
                lock = take_port_lock(message["port_lock"])
                if lock is None:
                    self._tell({"id": number, "busy": True})
                    return
                self._locks.append(lock)
            if "path" in message:
                self._device = Device(message["path"], message["baud"])
                connect = self._device.connect
            else:
                family, address = message["family"], tuple(message["address"])
                connect = lambda: TcpEnd(family, address)  # noqa: E731
            self._relay = Relay(selector, connect, lambda why: self._answer(number, why), self._close)
        except OSError as error:
            self._tell({"id": number, "errno": error.errno, "trouble": error.strerror or str(error)})
            return
        self._record["port"] = message["port"]
        self._write()

    def release(self, number: int) -> None:
        """The holder gives it back; `number` is that of the answer."""
        self._released_by = number
        self.end("released", at_once=False)

    def take_in(self, number: int) -> None:
        """The holder has connected, and waits until it is known; `number` is that of the answer."""
        if self._relay is not None:
            self._relay.take_in()
        self._tell({"id": number})

    def end(self, how: str, *, at_once: bool) -> None:
        """It is over: give up the port, and then the locks.

        Args:
            how: for the record and, if it was not given back, for the holder.
            at_once: nothing may leave any more that the holder wrote.
        """
        if not self.ending:
            self.ending = True
            self._record["ended"] = {"at": round(time.time(), 3), "how": how}
            if self._released_by is None:
                self._tell({"lost": self.number, "why": how})
        if self._relay is None:
            self._close()
        else:
            self._relay.end(at_once=at_once)

    def tick(self, now: float) -> None:
        """Something has happened, or time has passed."""
        if self._relay is not None:
            self._relay.tick(now)

    def _answer(self, number: int, why: str | None) -> None:
        if why is None:
            assert self._relay is not None
            self._tell({"id": number, "tcp_port": self._relay.tcp_port})
        else:
            self._tell({"id": number, "absent": why})

    def _close(self) -> None:
        if self.is_over:
            return
        self.is_over = True
        if self._device is not None:
            self._device.close()
        self._write()
        # The board's last: who has that one may take the port's.
        for lock in reversed(self._locks):
            lock.release()
        ring(*self._queue)
        if self._released_by is not None:
            self._tell({"id": self._released_by, "released": True, "trouble": self.trouble})

    def _write(self) -> None:
        try:
            write_record(self._locks[0].base, self._record)
            if len(self._locks) > 1:
                holder = {key: self._record[key] for key in ("pid", "command", "since")}
                write_record(self._locks[1].base, holder, ".holder")
            self.trouble = None
        except OSError as error:
            self.trouble = error.strerror or str(error)
