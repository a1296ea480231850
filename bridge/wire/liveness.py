"""Whether the other side is still there: silence, signs of life, boot text. Times are seconds and arguments."""

from __future__ import annotations

import re
from collections import deque

from bridge.errors import BoardReset, BridgeError, LinkTimeout
from bridge.wire.noise import is_slow

#: Nothing heard for this long while something is awaited: the other side is gone. A Lua callback may be busy until
#: the soft watchdog bites (3.2 s, stock-firmware.md 3.5), so this must be longer.
SILENCE_LIMIT = 6.0
#: The same after boot text was seen: a board that lives answers at once, or after a slow callback.
SILENCE_AFTER_BOOT = 0.6
#: The same after noise that looks like the console of a board that has booted, at another speed than the line's.
SILENCE_AFTER_NOISE = 1.0
#: So much noise is looked at, in bytes; it must be this much at least, and so large a share must look so.
_NOISE_KEPT, _NOISE_NEEDED, _NOISE_SHARE = 32, 16, 0.9
#: What comes so long after something is awaited, in seconds, says what the board does instead.
_WHILE = 1.0
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
        self._said_at: float | None = None
        self._said_text = True
        self._noise: deque[bool] = deque(maxlen=_NOISE_KEPT)

    @property
    def heard_at(self) -> float:
        """When something valid came last, in seconds; long ago if nothing has."""
        return float("-inf") if self._heard_at is None else self._heard_at

    def heard(self, now: float) -> None:
        """A valid frame came: all is well."""
        if self._boot_at is not None:
            self._text = b""  # it was a program's: what is printed next must not read like a boot because of it
        self._heard_at, self._awaiting_since, self._polled_at, self._boot_at = now, None, None, None
        self._noise.clear()

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
        self._text = (self._text + text)[-2048:]
        self._said_at, self._said_text = now, is_text(text)
        if not watching or self._boot_at is not None or not reads_like_boot(self._text):
            return False
        self._boot_at, self._patience = now, SILENCE_AFTER_BOOT
        self.awaiting(now)
        return True

    def doubt(self, noise: bytes, slower: float, now: float) -> bool:
        """Noise came. True if by now it looks like a board that speaks at the console's speed: then ask, and believe
        the answer.

        Args:
            noise: as it came, without NULs.
            slower: how many times as fast as the console the line is.
            now: when.
        """
        self._noise.extend(is_slow(byte, slower) for byte in noise[-_NOISE_KEPT:])
        enough = len(self._noise) >= _NOISE_NEEDED and sum(self._noise) >= _NOISE_SHARE * len(self._noise)
        if self._boot_at is not None or not enough:
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
            return self.restarted(port)
        what, remedy = "", "It may be unplugged, or stuck in a Lua loop: reset it."
        if self._said_at is not None and self._said_at > (self._awaiting_since or 0.0) + _WHILE:
            what, remedy = ", and what came instead is no text", "It may speak at another speed now: reset it."
            if self._said_text:  # not which: it may be a secret
                what, remedy = ", only printed", "A program that prints so much must let the board do other things."
        return LinkTimeout(f"The board has not answered for {SILENCE_LIMIT:g} s{what}", port=port, remedy=remedy)

    def restarted(self, port: str) -> BoardReset:
        """The error for a board that has restarted, with what it said of it."""
        return BoardReset(cause=boot_cause(self._text), port=port)


def boot_cause(text: bytes) -> str | None:
    """Why a board restarted, as far as its text says so: a PANIC, or the boot ROM's number; None if it does not."""
    found = _BOOT_CAUSE.findall(text)
    return next((panic.decode("latin-1") or f"rst cause {number.decode()}" for number, panic in found), None)


def reads_like_boot(text: bytes) -> bool:
    """True if there is something in a text that a board says when it boots or is about to."""
    return _BOOT_TEXT.search(text) is not None


def is_text(segment: bytes) -> bool:
    """True if nearly all of it is what a console shows."""
    try:
        text = segment.decode()
    except UnicodeDecodeError:
        text = segment.decode("ascii", "replace").replace("\ufffd", "\0")
    return sum(c.isprintable() or c in "\t\r\n\x1b" for c in text) >= 0.9 * len(text)
