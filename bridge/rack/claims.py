"""A claim that its keeper tries again and again, in turn, until it has all boards that it wants or the time is over.

Imported by the keeper: it needs little.
"""

from __future__ import annotations

import contextlib
import selectors
import time
from collections.abc import Mapping, Sequence
from typing import Any

from bridge.rack.board_lock import BoardLock, locked_by, prepare_folder, take_lock
from bridge.rack.stale import LOOK_S, Watch
from bridge.rack.turns import Ticket, Turn, arrival, take_ticket, waiting
from bridge.rack.who import who_has

#: Seconds between two tries, and how much longer each wait is than the one before, up to the longest.
_FIRST_S, _GROWTH, _LONGEST_S = 0.01, 1.2, 0.1

#: Seconds that others may look at the lock of a board that nobody has: that shows as busy for a moment.
_GLANCE_S = 0.2

#: A place of a claim, and its locks: that of its board, and that of its port if it is known.
Taken = tuple[Mapping[str, Any], list[BoardLock]]


class Claim:
    """What one claim asks for.

    Args:
        selector: of the keeper's loop.
        message: `id`; `count` of boards; `places`, the best first, each with its `name`, its `board` (name of the
            lock), and as `port_lock` folder and name of its port's lock or None; `folder` of the locks; `ttl` in
            seconds; `seconds` to wait, or None for ever; `about` the holder; `order` of a claim that this one goes on
            with, or None.

    Attributes:
        answer: what to tell the holder when it has come to nothing.
    """

    def __init__(self, selector: selectors.BaseSelector, message: Mapping[str, Any]) -> None:
        self._selector = selector
        self.number: int = message["id"]
        self.ttl: float = message["ttl"]
        self.about: Mapping[str, Any] = message["about"]
        self.folder: str = message["folder"]
        self.answer: Mapping[str, Any] | None = None
        self.next_at = time.monotonic()
        self._count: int = message["count"]
        self._places: list[Mapping[str, Any]] = message["places"]
        self._until = None if message["seconds"] is None else self.next_at + message["seconds"]
        first, pid, number = message["order"] or arrival(self.number)
        self.order: tuple[int, int, int] = (first, pid, number)
        self._ticket: Ticket | None = None
        self._pause = _FIRST_S
        self._watch, self._look_at = Watch(), self.next_at
        self._doubts: dict[str, str | None] = {}

    def touch(self) -> None:
        """Its holder was heard of."""
        if self._ticket is not None:
            self._ticket.touch()

    def give_up(self) -> None:
        """Wait no more."""
        ticket, self._ticket = self._ticket, None
        if ticket is not None:
            self._selector.unregister(ticket.bell)
            ticket.give_back()

    def attempt(self, now: float) -> list[Taken] | None:
        """Try to take all that is wanted.

        Returns:
            None if it is not to be had now, and will be tried again at `next_at`, unless there is an `answer`.
        """
        try:
            prepare_folder(self.folder)
            taken = self._take()
        except OSError as error:
            self.give_up()
            self.answer = {"trouble": error.strerror or str(error)}
            return None
        if taken is None and self._ticket is None and (self._until is None or now < self._until):
            # On a full disk there is no room for it: then this claim waits out of turn.
            with contextlib.suppress(OSError):
                self._queue_up()
                self.next_at = now  # what was given back meanwhile was not rung for
                return None
        if taken is not None:
            self.give_up()
            return taken
        if self._until is not None and now >= self._until:
            holders = self._holders()
            if not any(found["held"] for found in holders) and not self._before() and now < self._until + _GLANCE_S:
                self.next_at = now + _FIRST_S / 4
                return None
            self.give_up()
            self.answer = {"busy": holders}
            return None
        if now >= self._look_at:
            self._look_at = now + LOOK_S
            self._look()
        self._pause = min(self._pause * _GROWTH, _LONGEST_S)
        self.next_at = now + self._pause
        if self._until is not None:
            self.next_at = min(self.next_at, self._until)
        return None

    def _queue_up(self) -> None:
        about = {key: self.about[key] for key in ("pid", "user", "command", "purpose")}
        about["since"] = time.time()
        wants = [place["board"] for place in self._places]
        # One that was stopped keeps those behind him waiting for less long than a holder his board.
        self._ticket = take_ticket(self.folder, self.order, wants, self._count, self.ttl / 2, about)
        self._selector.register(self._ticket.bell, selectors.EVENT_READ, self._rung)

    def _look(self) -> None:
        """End keepers that stand still themselves."""
        for place in self._places:
            base = locked_by(self.folder, place["board"])
            self._doubts[place["name"]] = None if base is None else self._watch.look(base)

    def _rung(self, events: int) -> None:
        if self._ticket is not None:
            self._ticket.listen()
            self.next_at = time.monotonic()

    def _take(self) -> list[Taken] | None:
        before = self._before()
        places = self._places
        if self._count > 1:
            # In the same order for all, so that of two who want several one gets on.
            places = sorted(places, key=lambda place: str(place["board"]))
        # What those who came before do not want comes first.
        places = sorted(places, key=lambda place: any(place["board"] in turn.wants for turn in before))
        taken: list[Taken] = []
        try:
            for place in places:
                locks = self._lock(place) if self._is_left(place["board"], before) else None
                if locks is not None:
                    taken.append((place, locks))
                    if len(taken) == self._count:
                        return taken
        except BaseException:
            _give_back(taken)
            raise
        _give_back(taken)
        return None

    def _before(self) -> list[Turn]:
        """Those who came before and want one of these boards, too."""
        wanted = {place["board"] for place in self._places}
        return [turn for turn in waiting(self.folder) if turn.order < self.order and turn.wants & wanted]

    def _is_left(self, board: str, before: Sequence[Turn]) -> bool:
        """True if enough is free for all who came before when this board goes to this claim."""
        for turn in before:
            if board in turn.wants:
                # What this claim has taken already is not free here, either.
                free = sum(locked_by(self.folder, name) is None for name in turn.wants)
                if free - 1 < sum(other.boards for other in before if other.wants & turn.wants):
                    return False
        return True

    def _lock(self, place: Mapping[str, Any]) -> list[BoardLock] | None:
        board = take_lock(self.folder, place["board"])
        if board is None:
            return None
        try:
            port = take_port_lock(place["port_lock"]) if place["port_lock"] is not None else None
        except BaseException:
            board.release()
            raise
        if place["port_lock"] is not None and port is None:
            board.release()
            return None
        return [board] if port is None else [board, port]

    def _holders(self) -> list[Mapping[str, Any]]:
        """Who has the places, as far as it is written down."""
        found: list[Mapping[str, Any]] = []
        for place in self._places:
            who = who_has(self.folder, place["board"], place["port_lock"])
            by = None if who is None else who.record
            doubt = self._doubts.get(place["name"])
            found.append({"place": place["name"], "held": who is not None, "by": by, "doubt": doubt})
        return found


def take_port_lock(where: tuple[str, str]) -> BoardLock | None:
    """Lock a port as `bridge.ports.lock` does, which keeps programs out that know nothing of racks.

    Raises:
        OSError: the file cannot be made.
    """
    prepare_folder(where[0])
    return take_lock(*where)


def _give_back(taken: list[Taken]) -> None:
    for _, locks in taken:
        for lock in reversed(locks):
            lock.release()
