"""Who gets the events of a handle, and what waits until somebody does."""

from __future__ import annotations

import logging
from collections.abc import Callable

from bridge.link.caller import EventReceiver
from bridge.link.calls import lua_text
from bridge.wire.messages import EventCode
from bridge.wire.values import Handle, Value

_log = logging.getLogger("bridge.link")

#: Events kept for a handle that nobody has subscribed yet. Credit bounds their bytes; this bounds the rest.
EARLY_LIMIT = 1_000
_EVENT_NAMES = {code.value: code.name.lower() for code in EventCode}

Values = tuple[Value, ...]


class Receivers:
    """Receivers of events, by handle number.

    Args:
        let_go: releases the handles among values that nobody will get.
    """

    def __init__(self, let_go: Callable[[Values], None]) -> None:
        self._let_go = let_go
        self._receivers: dict[int, EventReceiver] = {}
        self._early: dict[int, list[tuple[str, Values]]] = {}
        # Numbers that were let go, oldest first, each with how many had been until then.
        self._released: dict[int, int] = {}
        #: How many handles were let go so far.
        self.releases = 0

    def subscribe(self, number: int, receiver: EventReceiver) -> None:
        """Say who gets a handle's events. Those that came before are delivered now, in order."""
        self._released.pop(number, None)
        self._receivers[number] = receiver
        for name, values in self._early.pop(number, ()):
            guarded(receiver, name, values)

    def unsubscribe(self, number: int) -> None:
        """Drop a handle's events from now on."""
        self._receivers[number] = _nobody
        self._drop_early(number)

    def release(self, number: int) -> None:
        """The handle is given back: if nobody has it, what is still on its way for it is let go too."""
        self.releases += 1
        if self._receivers.get(number, _nobody) is not _nobody:
            return
        self._drop_early(number)
        self._receivers.pop(number, None)
        self._released.pop(number, None)
        self._released[number] = self.releases

    def settled(self, releases: int) -> None:
        """The board has done the first so many releases: nothing comes for those handles any more."""
        while self._released:
            number = next(iter(self._released))
            if self._released[number] > releases:
                return
            del self._released[number]

    def deliver(self, number: int, name: str, values: Values) -> None:
        """An event came."""
        receiver = self._receivers.get(number)
        if receiver is not None:
            guarded(receiver, name, values)
        elif number in self._released:  # a socket that was accepted would stay on the board
            self._let_go(values)
        else:
            early = self._early.setdefault(number, [])
            if len(early) < EARLY_LIMIT:
                early.append((name, values))
            else:
                self._let_go(values)

    def _drop_early(self, number: int) -> None:
        for _, values in self._early.pop(number, ()):
            self._let_go(values)


def _nobody(name: str, values: Values) -> None:
    """Receives what nobody wants."""


def guarded(function: Callable[..., object], *arguments: Value) -> None:
    """Call a receiver: whatever it does, the pump goes on; the mirror reports errors of user code itself."""
    try:
        function(*arguments)
    except Exception:
        _log.exception("a receiver of the link failed")


def event_of(code: int, values: tuple[Value, ...]) -> tuple[str, tuple[Value, ...]]:
    """An event's name, and its values as NodeMCU's callback has them."""
    if code == 0:
        return (lua_text(values[0]) if values else ""), values[1:]
    if code in (EventCode.CONNECTION, EventCode.SENT):
        values = ()  # the agent sends nil with these
    elif code == EventCode.ACCEPT and values and isinstance(values[0], int):
        values = (Handle(values[0]),)
    return _EVENT_NAMES.get(code, f"event {code}"), values
