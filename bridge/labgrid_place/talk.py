"""The holder's end of the socket to a keeper: starts it, asks it, and gives it signs of life."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import subprocess
import threading
import time
from collections.abc import Mapping
from typing import Any

from bridge import errors
from bridge.child_python import module_environment
from bridge.errors import BridgeError, RackError
from bridge.labgrid_place.environment import labgrid_python
from bridge.rack.lines import Lines
from bridge.rack.loss import Loss

#: A sign of life is due so many times in a time to live.
BEATS = 4
#: Seconds that a keeper is waited for when it is to end.
PARTING_S = 15.0
#: Seconds for what the keeper has said to be heard.
_HEARD_S = 0.5

Message = Mapping[str, Any]


class Talk:
    """A keeper, and what it says.

    A thread of its own gives the signs of life: they say that this process lives, not that its event loop is quick.

    Args:
        request: the first line.
        ttl: seconds that this process may be silent.

    Attributes:
        loss: of the lease.
        is_wanted: somebody waits for the place.

    Raises:
        UsageError: there is no environment with labgrid.
        RackError: the keeper cannot be started.
    """

    def __init__(self, request: Message, ttl: float) -> None:
        self.ttl = ttl
        self._loop = asyncio.get_running_loop()
        self._said: asyncio.Queue[Message] = asyncio.Queue()
        self._socket, theirs = socket.socketpair()
        python = labgrid_python()
        with theirs:
            try:
                self._process = subprocess.Popen(
                    [python, "-P", "-m", "bridge.labgrid_place.keeper", str(theirs.fileno())],
                    pass_fds=[theirs.fileno()], start_new_session=True, env=module_environment(),
                    stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                )  # fmt: skip
            except OSError as error:
                self._socket.close()
                raise RackError(f"{python} cannot be started: {error.strerror}") from error
        self._lock = threading.Lock()
        self._spoke_at = time.monotonic()
        self._over = threading.Event()
        self.loss = Loss()
        self._lines = Lines(self._socket)
        self.is_wanted = False
        self._ended = False
        self.say({**request, "ttl": ttl})
        threading.Thread(target=self._beat, name="labgrid lease", daemon=True).start()
        self._reading = threading.Thread(target=self._read, name="labgrid keeper", daemon=True)
        self._reading.start()

    @property
    def pid(self) -> int:
        """Of the keeper."""
        return self._process.pid

    def say(self, message: Message) -> None:
        """Tell the keeper something; one that has ended is told nothing."""
        with self._lock, contextlib.suppress(OSError):
            silent = time.monotonic() - self._spoke_at
            if silent > self.ttl:
                # The keeper may have been stopped as well, and may not know.
                self.loss.say(f"this process stood still for {silent:.1f} s, and {self.ttl:g} s are allowed")
            self._spoke_at = time.monotonic()
            self._socket.sendall(json.dumps(message).encode() + b"\n")

    async def hear(self) -> Message:
        """What the keeper says next.

        Raises:
            BridgeError: it refuses what it was asked for; of the kind that it says.
        """
        message = await self._said.get()
        if "refused" in message:
            kind = getattr(errors, message["refused"], RackError)
            if not issubclass(kind, BridgeError):
                kind = RackError
            raise kind(message["why"], remedy=message["remedy"])
        return message

    def judge(self) -> str | None:
        """Why the lease is over, by what the keeper has said and by the clock, or None."""
        silent = time.monotonic() - self._spoke_at
        if silent > self.ttl:
            self.loss.say(f"this process stood still for {silent:.1f} s, and {self.ttl:g} s are allowed")
        return self.loss.why

    def hear_out(self) -> None:
        """Wait for the moment that the thread needs to hear what the keeper has said already.

        The keeper says that a lease is over before it drops its client, which another thread finds out.
        """
        self._lines.hear_out(_HEARD_S)

    def end(self) -> None:
        """End the keeper, which gives everything back, and wait for that. Doing it again does nothing."""
        if self._ended:
            return
        self._ended = True
        self._over.set()
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)
        # One that is flashing a board ends that first, and is left to it.
        self._reading.join(PARTING_S)

    def _beat(self) -> None:
        while not self._over.wait(self.ttl / BEATS):
            self.say({"do": "beat"})

    def _read(self) -> None:
        while (lines := self._lines.wait(None)) is not None:
            for line in lines:
                message = json.loads(line)
                if "lost" in message:
                    self.loss.say(message["lost"])
                elif "wanted" in message:
                    self.is_wanted = message["wanted"]
                else:
                    self._tell(message)
        self._over.set()
        assert self._process.stderr is not None
        last = self._process.stderr.read().decode(errors="replace").strip().splitlines()[-1:]
        self._process.stderr.close()
        why = "its keeper, the process that had the place, has ended" + "".join(f": {line}" for line in last)
        self.loss.say(why)
        self._lines.close()
        self._socket.close()
        self._process.wait()
        self._tell({"refused": "RackError", "why": why[0].upper() + why[1:], "remedy": None})

    def _tell(self, message: Message) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(self._said.put_nowait, message)
