"""This process's end of its keeper: started with the first claim, given a sign of life by a thread, asked for leases.

What it knows of time is stricter than what the keeper knows: a sign of life counts here from when it was sent, there
from when it was heard. So who finds here that he is in time is in time there as well, and who was stopped for too long
finds that out by the clock, before his first byte, also when the keeper's word has not been read yet.
"""

from __future__ import annotations

import atexit
import concurrent.futures
import contextlib
import itertools
import json
import math
import os
import socket
import subprocess
import threading
import time
from collections.abc import Mapping
from typing import Any

from bridge.child_python import module_command, module_environment
from bridge.rack.lines import Lines
from bridge.rack.loss import Loss

#: A sign of life is due so many times in a time-to-live.
BEATS = 4
#: Seconds that a keeper may take to give everything back when this process ends.
_PARTING_S = 5.0
#: Seconds that the thread may take to hear what has come.
_HEARD_S = 1.0

Answer = Mapping[str, Any]


class Held(Loss):
    """What a lease knows of its keeper.

    Args:
        ttl: seconds that this process may be silent.

    Attributes:
        given_back: the keeper has been told that it is over.
    """

    def __init__(self, ttl: float) -> None:
        super().__init__()
        self.ttl = ttl
        self.given_back = False


class Holder:
    """The keeper of this process; see `of_this_process`."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self._socket, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [*module_command("bridge.rack.keeper"), str(theirs.fileno())],
                pass_fds=[theirs.fileno()], start_new_session=True, env=module_environment(),
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )  # fmt: skip
        self._lock = threading.RLock()
        self._numbers = itertools.count(1)
        self._said_at = time.monotonic()
        self._held: dict[int, Held] = {}
        self._asked: dict[int, concurrent.futures.Future[Answer]] = {}
        self._claiming: dict[int, float] = {}
        self._gone: str | None = None
        self._unanswered_since: float | None = None
        self._lines = Lines(self._socket)
        self._thread = threading.Thread(target=self._run, name="keeper of racks", daemon=True)
        self._thread.start()

    @property
    def is_gone(self) -> bool:
        """True when the keeper has ended."""
        return self._gone is not None

    def ask(self, message: Mapping[str, Any], ttl: float | None = None) -> concurrent.futures.Future[Answer]:
        """Ask the keeper for something.

        Args:
            message: without its `id`.
            ttl: of a claim; this process gives signs of life while it waits.

        Returns:
            Its answer; `{"gone": why}` if it ends before it has answered.
        """
        future: concurrent.futures.Future[Answer] = concurrent.futures.Future()
        with self._lock:
            number = next(self._numbers)
            if self._gone is not None:
                future.set_result({"gone": self._gone})
                return future
            self._asked[number] = future
            if ttl is not None:
                self._claiming[number] = ttl
            self._say({**message, "id": number})
        self._lines.rouse()
        return future

    def cancel(self, future: concurrent.futures.Future[Answer]) -> None:
        """Give up a claim that was asked for; what it may have got meanwhile is given back."""
        with self._lock:
            number = next((number for number, asked in self._asked.items() if asked is future), None)
            if number is not None:
                self._say({"do": "cancel", "id": number})

    def hold(self, lease: int, ttl: float) -> None:
        """Begin to give signs of life for a lease that the keeper has given."""
        with self._lock:
            held = self._held[lease] = Held(ttl)
            if self._gone is not None:
                held.say(self._gone)
        self._lines.rouse()

    def held(self, lease: int) -> Held:
        """What is known of a lease that is held."""
        with self._lock:
            return self._held[lease]

    def let_go(self, lease: int) -> None:
        """A lease has been given back."""
        with self._lock:
            self._held.pop(lease, None)

    def judge(self) -> None:
        """Find by the clock what this process has been silent for too long for; that is given up."""
        with self._lock:
            silent = time.monotonic() - self._said_at
            late = [lease for lease, held in self._held.items() if held.why is None and silent > held.ttl]
            for lease in late:
                held = self._held[lease]
                held.say(f"this process stood still for {silent:.1f} s, and {held.ttl:g} s are allowed")
                # The keeper may have been stopped as well, and may not know.
                self._send({"do": "drop", "lease": lease})

    def hear_out(self) -> None:
        """Wait for the moment that the thread needs to hear what the keeper has said already.

        The keeper says that a lease is over before it drops its client, and is heard by another thread than that one.
        """
        self._lines.hear_out(_HEARD_S)

    def close(self) -> None:
        """End the keeper; what it has it gives back."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()

    def forget(self) -> None:
        """For a child that was forked: the keeper is its parent's, and is not to live on by it."""
        self._gone = "it belongs to the process that this one was forked from"
        self._lock = threading.RLock()  # a thread that is not here may have it
        for held in self._held.values():
            held.forget()
            held.say(self._gone)
        self._lines.forget()
        self._socket.close()
        self._process.returncode = 0  # not ours to wait for

    def _say(self, message: Mapping[str, Any]) -> None:
        self.judge()
        self._said_at = time.monotonic()
        self._send(message)

    def _send(self, message: Mapping[str, Any]) -> None:
        with contextlib.suppress(OSError):  # the thread finds out that the keeper is gone
            self._socket.sendall(json.dumps(message).encode() + b"\n")

    def _beat_in(self) -> float | None:
        """Seconds until the next sign of life is due, or None if none is."""
        with self._lock:
            ttls = [held.ttl for held in self._held.values() if held.why is None] + [*self._claiming.values()]
            return max(0.0, self._said_at + min(ttls) / BEATS - time.monotonic()) if ttls else None

    def _next_in(self) -> float | None:
        beat = self._beat_in()
        if beat is None or self._unanswered_since is None:
            return beat
        return min(beat, max(0.0, self._unanswered_since + self._shortest() - time.monotonic()))

    def _shortest(self) -> float:
        with self._lock:
            return min([held.ttl for held in self._held.values()] + [*self._claiming.values()], default=math.inf)

    def _beat(self) -> None:
        """Give a sign of life if it is time, and end a keeper that gives none."""
        now = time.monotonic()
        if self._beat_in() == 0.0:
            with self._lock:
                self._say({"do": "beat"})
            self._unanswered_since = self._unanswered_since or now
        if self._unanswered_since is not None and now - self._unanswered_since > self._shortest():
            self._gone = (
                f"its keeper, the process that had the port, stood still for {now - self._unanswered_since:.1f} s"
            )
            self._process.kill()

    def _run(self) -> None:
        # Also a keeper that was ended may still be there, as one whose device the system waits for.
        while self._gone is None and (lines := self._lines.wait(self._next_in())) is not None:
            for line in lines:
                self._hear(json.loads(line))
            self._beat()
        self._end("its keeper, the process that had the port, has ended")

    def _hear(self, message: Answer) -> None:
        self._unanswered_since = None
        with self._lock:
            if "beat" in message:
                return
            if "lost" in message:
                held = self._held.get(message["lost"])
                if held is not None:
                    held.say(str(message["why"]))
                return
            if "crash" in message:
                self._gone = f"its keeper has failed: {str(message['crash']).strip().splitlines()[-1]}"
                return
            future = self._asked.pop(message["id"], None)
            self._claiming.pop(message["id"], None)
        if future is not None and future.set_running_or_notify_cancel():
            future.set_result(message)
            return
        for got in message.get("got", ()):  # nobody wants it any more
            self.ask({"do": "release", "lease": got["lease"]})

    def _end(self, why: str) -> None:
        with self._lock:
            self._gone = self._gone or why
            for held in self._held.values():
                held.say(self._gone)
            asked, self._asked = [*self._asked.values()], {}
            self._claiming.clear()
        for future in asked:
            if future.set_running_or_notify_cancel():
                future.set_result({"gone": self._gone})
        self._lines.close()
        with self._lock:
            self._socket.close()
        try:
            self._process.wait(_PARTING_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


_holder: Holder | None = None
_starting = threading.Lock()


def of_this_process() -> Holder:
    """The keeper of this process, which is started if there is none.

    Raises:
        OSError: it cannot be started.
    """
    global _holder
    with _starting:
        if _holder is None or _holder.is_gone or _holder.pid != os.getpid():
            _holder = Holder()
        return _holder


def _after_fork() -> None:
    global _holder, _starting
    _starting = threading.Lock()
    holder, _holder = _holder, None
    if holder is not None:
        holder.forget()


@atexit.register
def _at_exit() -> None:
    if _holder is not None and _holder.pid == os.getpid() and not _holder.is_gone:
        _holder.close()


os.register_at_fork(after_in_child=_after_fork)
