"""Whether the other side is still there: silence, signs of life, boot text. Times are seconds and arguments."""

from __future__ import annotations

import re

from bridge.errors import BoardReset, BridgeError, LinkTimeout

#: Nothing heard for this long while something is awaited: the other side is gone. A Lua callback may be busy until
#: the soft watchdog bites (3.2 s, stock-firmware.md 3.5), so this must be longer.
SILENCE_LIMIT = 6.0
#: The same after boot text was seen: a board that lives answers at once, or after a slow callback.
SILENCE_AFTER_BOOT = 0.6
#: The same after noise at a speed at which boot text is noise, and nothing valid for so long before it.
SILENCE_AFTER_NOISE = 1.0
_QUIET_BEFORE_NOISE = 0.05
#: Ask for a sign of life after this much silence on an idle link.
KEEP_ALIVE = 15.0

_BOOT_TEXT = re.compile(rb"ets Jan +8 2013|NodeMCU \d|powered by Lua|PANIC: unprotected|cannot open init\.lua")
_BOOT_CAUSE = re.compile(rb"rst cause:(\d+)|(PANIC: [^\r\n]*)")


class Liveness:
    """What was heard last, and what is awaited since when."""

    def __init__(self) -> None:
        self._heard_at: float | None = None
        self._awaiting_since: float | None = None
        self._polled_at: float | None = None
        self._boot_at: float | None = None
        self._patience = SILENCE_AFTER_BOOT
        self._text = b""

    def heard(self, now: float) -> None:
        """A valid frame came: all is well."""
        self._heard_at, self._awaiting_since, self._polled_at, self._boot_at = now, None, None, None

    def awaiting(self, now: float) -> None:
        """Something should have come, and has not."""
        if self._awaiting_since is None:
            self._awaiting_since = now

    def polled(self, now: float) -> None:
        """A sign of life was asked for."""
        self.awaiting(now)
        self._polled_at = now

    def printed(self, text: bytes, now: float, *, watching: bool) -> bool:
        """Text came. True if it reads like a boot for the first time: then ask, and believe the answer.

        Args:
            text: as it came.
            now: when.
            watching: False while the session is not open.
        """
        self._text = (self._text + text)[-512:]
        if not watching or self._boot_at is not None or not _BOOT_TEXT.search(self._text):
            return False
        self._boot_at, self._patience = now, SILENCE_AFTER_BOOT
        self.awaiting(now)
        return True

    def doubt(self, now: float) -> bool:
        """Noise came that may be boot text at another speed. True if that is new: then ask, and believe the answer."""
        if self._boot_at is not None or (self._heard_at is not None and now < self._heard_at + _QUIET_BEFORE_NOISE):
            return False
        self._boot_at, self._patience = now, SILENCE_AFTER_NOISE
        self.awaiting(now)
        return True

    def next_poll(self, *, outstanding: bool, wait: float) -> float | None:
        """When to ask for a sign of life; None while frames under way do so anyway.

        Args:
            outstanding: frames wait for an acknowledgement.
            wait: how long an answer may take.
        """
        if self._boot_at is not None:
            return (self._polled_at or self._boot_at) + self._patience / 4
        if outstanding or self._heard_at is None:
            return None
        return self._heard_at + KEEP_ALIVE if self._polled_at is None else self._polled_at + wait + 0.1

    def over_at(self) -> float | None:
        """When to give the other side up; None while nothing is awaited."""
        if self._boot_at is not None:
            return self._boot_at + self._patience
        return None if self._awaiting_since is None else self._awaiting_since + SILENCE_LIMIT

    def verdict(self, port: str) -> BridgeError:
        """Why it is over, if it is."""
        if self._boot_at is not None:
            found = _BOOT_CAUSE.findall(self._text)
            cause = next((panic.decode("latin-1") or f"rst cause {number.decode()}" for number, panic in found), None)
            return BoardReset(cause=cause, port=port)
        return LinkTimeout(
            f"The board has not answered for {SILENCE_LIMIT:g} s",
            port=port,
            remedy="It may be unplugged, or stuck in a Lua loop: reset it.",
        )


def is_text(segment: bytes) -> bool:
    """True if nearly all of it is what a console shows."""
    try:
        text = segment.decode()
    except UnicodeDecodeError:
        text = segment.decode("ascii", "replace").replace("\ufffd", "\0")
    return sum(c.isprintable() or c in "\t\r\n\x1b" for c in text) >= 0.9 * len(text)
