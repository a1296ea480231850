"""Lines that a keeper says to its holder, read by a thread of the holder's."""

from __future__ import annotations

import contextlib
import math
import os
import select
import socket
import threading


class Lines:
    """Reads one socket; `wait` is called by one thread, all else by any.

    Args:
        talk: connected to the keeper; it stays the caller's to close, after `close`.
    """

    def __init__(self, talk: socket.socket) -> None:
        self._talk = talk
        self._received = bytearray()
        self._lock = threading.Lock()
        self._asked: list[threading.Event] = []
        self._due: list[threading.Event] = []
        self._woken, self._wake = os.pipe()
        os.set_blocking(self._wake, False)
        os.set_blocking(self._woken, False)
        self._is_open, self._ended = True, False
        # Not select, which knows no descriptors above 1023.
        self._poll = select.poll()
        self._poll.register(talk, select.POLLIN)
        self._poll.register(self._woken, select.POLLIN)

    def wait(self, seconds: float | None) -> list[bytes] | None:
        """What has come since the last call, which may be nothing.

        Args:
            seconds: to wait for something, or for `rouse`; None for ever.

        Returns:
            None at the end.
        """
        if self._ended:
            return None  # that it has ended is obeyed when `close` is called
        for event in self._due:  # what was read for them has been obeyed
            event.set()
        self._due = []
        self._poll.poll(None if seconds is None else math.ceil(seconds * 1000))
        with contextlib.suppress(BlockingIOError):
            os.read(self._woken, 4096)
        with self._lock:
            self._due, self._asked = self._asked, []
        try:
            while data := self._talk.recv(65536, socket.MSG_DONTWAIT):
                self._received += data
        except (BlockingIOError, InterruptedError):
            pass
        except OSError:
            self._ended = True
        else:
            self._ended = True
        *lines, rest = self._received.split(b"\n")
        self._received = bytearray(rest)
        return [bytes(line) for line in lines]

    def rouse(self) -> None:
        """End a `wait`."""
        with self._lock:
            if self._is_open:
                with contextlib.suppress(BlockingIOError):  # it is full of calls already
                    os.write(self._wake, b"\0")

    def hear_out(self, seconds: float) -> None:
        """Wait until what the keeper has said by now, or that it has ended, has been obeyed by the thread of `wait`.

        Args:
            seconds: to wait at most.
        """
        heard = threading.Event()
        with self._lock:
            if not self._is_open:
                return
            self._asked.append(heard)
        self.rouse()
        heard.wait(seconds)

    def close(self) -> None:
        """Read no more; nobody waits any longer. Doing it again does nothing."""
        with self._lock:
            if self._is_open:
                self._is_open = False
                os.close(self._wake)
                os.close(self._woken)
            heard = self._due + self._asked
        for event in heard:
            event.set()

    def forget(self) -> None:
        """For a child that was forked, in which there is no such thread: another may have had the lock."""
        self._lock = threading.Lock()
        self.close()
