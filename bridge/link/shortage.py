"""What the link does while sockets wait for heap on a board: it spares what it can, and no long wait is silent."""

from __future__ import annotations

#: Seconds after which it is told for the first time.
PATIENCE = 10.0
#: The agent says it again at each turn of its timer (0.3 s) while a socket waits; after a pause of this many seconds it
#: is another wait.
PAUSE = 3.0
#: How long what the link spares stays there at least, in seconds: it is sent again when calls need it.
SPARE_SECONDS = 5.0


class Shortage:
    """Words of the agent that a socket is held because heap is short."""

    def __init__(self) -> None:
        self._began = self._last = float("-inf")
        self._tell_after = PATIENCE
        self._spare_again = 0.0

    def spared(self, now: float) -> None:
        """The link has freed what it can spare."""
        self._spare_again = now + SPARE_SECONDS

    def may_spare(self, now: float) -> bool:
        """True if it is worth doing again."""
        return now >= self._spare_again

    def told(self, now: float) -> str | None:
        """The agent has said so.

        Args:
            now: seconds on a steady clock.

        Returns:
            What to tell of it, which is less and less often: after `PATIENCE`, and whenever the wait has doubled.
        """
        if now - self._last > PAUSE:
            self._began, self._tell_after = now, PATIENCE
        self._last = now
        waited = now - self._began
        if waited < self._tell_after:
            return None
        self._tell_after *= 2
        return (
            f"A socket is held for want of heap on the board, for {waited:.0f} s so far. It goes on when there is "
            "room: close other sockets, TLS above all, or drop objects"
        )
