"""What a board says while a test runs: its console, its restarts, errors of Python functions, messages of its link."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections import deque
from collections.abc import Iterator

from bridge import insight
from bridge.board import Board
from bridge.errors import BoardReset, BridgeError
from bridge.pytest_plugin.discretion import Discretion
from bridge.pytest_plugin.error_text import UncaughtError, uncaught_errors
from bridge.trace.discreet import DiscreetMessages
from bridge.wire.messages import Call, DirectCall, Event, EventCode, Message, Source, describe

#: Messages of the link that are kept, and bytes of the console, the last ones of each.
MESSAGES, CONSOLE = 200, 65_536
#: A file of Lua, as it is named where it is put on a board or run.
_FILE = re.compile(rb"[\w./-]{1,60}\.l(?:ua|c)\b")
#: The end of the firmware's banner, once in each boot (`printf` of app/user/user_main.c and app/lua/lua.c).
_BANNER = b"powered by Lua"
_CONNECTED = (EventCode.CONNECTION, EventCode.ACCEPT)


class Watch:
    """Listens to one board; to be told of each test's beginning.

    Args:
        board: ready.
        discretion: knows what must not be shown.
    """

    def __init__(self, board: Board, discretion: Discretion) -> None:
        self._board = board
        self._known = discretion.known
        self._shown = discretion.console
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time()
        self._console = bytearray()
        self._wire: deque[tuple[float, str, Message]] = deque(maxlen=MESSAGES)
        #: What happened since the test began.
        self.resets: list[BoardReset] = []
        self.faults: list[str] = []
        self.errors: list[tuple[BaseException, str]] = []
        self.down: BridgeError | None = None
        #: The agent left in this test and came back without a restart of the board (`Board.prompt`).
        self.was_at_prompt = False
        #: Calls of the agent's own functions in this test: sockets and other objects were used.
        self.object_calls = 0
        #: Files of Lua that were named to the board in this test.
        self.files: set[str] = set()
        self._connections: deque[float] = deque(maxlen=100)
        #: A piece of the console has come, or the state has changed.
        self.stirred = asyncio.Event()
        board.watch(self._told)
        with contextlib.suppress(BridgeError):  # it restarts again; when it is back, that is told
            self._hear()

    def opened(self, heard: bytes, *, restarted: bool = False) -> None:
        """Before this watch began, while the board was opened, it printed something.

        Only an error of Lua matters of that, and whether the restart that it brings has been by now: opening a port may
        restart a board, too.

        Args:
            heard: what it printed.
            restarted: it has restarted since.
        """
        errors = uncaught_errors(heard)
        if errors:
            self._console[:0] = heard
            if restarted or self._board.last_reset is not None or _BANNER in heard[errors[-1].end :]:
                self.resets.insert(0, self._board.last_reset or BoardReset(port=self._board.url))

    @property
    def printed(self) -> bytes:
        """What the board has printed, as it is."""
        return bytes(self._console)

    def begin(self) -> None:
        """A test begins: what was before is none of its doing."""
        self._began = self._loop.time()
        self._console.clear()
        self._wire.clear()
        self.was_at_prompt = False
        self.resets, self.faults, self.errors = [], [], []
        self.object_calls = 0
        self.files = set()

    def recent_connections(self, seconds: float) -> int:
        """Connections that have come about in the last seconds, in this test and before."""
        since = self._loop.time() - seconds
        return sum(when >= since for when in self._connections)

    @property
    def seconds(self) -> float:
        """Since the test began."""
        return self._loop.time() - self._began

    def uncaught(self) -> list[UncaughtError]:
        """Errors of Lua on the console that nobody caught."""
        return uncaught_errors(self.printed)

    def console(self) -> str:
        """What the board has printed, without secrets."""
        return self._shown(self.printed)

    def wire(self) -> list[str]:
        """The last messages of the link, a line each, without secrets."""
        return [f"{when - self._began:10.6f} {mark} {describe(message)}" for when, mark, message in self._wire]

    def mentions(self, *words: str) -> bool:
        """True if the Lua that was sent, as far as it is kept, has one of these words in it."""
        texts = [message.text for _, _, message in self._wire if isinstance(message, Source)]
        return any(word.encode() in text for word in words for text in texts)

    def _told(self, event: str, *values: object) -> None:
        match event, values:
            case "console", (bytes() as data,):
                self._console += data
                del self._console[: max(0, len(self._console) - CONSOLE)]
            case "reset", (BoardReset() as reset,):
                self.resets.append(reset)
            case "ready", _:
                self.was_at_prompt = self.was_at_prompt or not self.resets
                self._hear()
            case "down", (BridgeError() as error,):
                self.down = error
            case "fault", (str() as text,):
                self.faults.append(text)
            case "unhandled", (BaseException() as error, str() as where):
                self.errors.append((error, where))
        self.stirred.set()

    def _hear(self) -> None:
        self._discretion = DiscreetMessages(whole=True, known=self._known)
        insight.hear(self._board, self)

    # as `bridge.wire.log.MessageListener`

    def sent(self, message: Message, now: float) -> None:
        """The link sends a message."""
        self.object_calls += isinstance(message, DirectCall)
        self.files.update(name.decode() for name in _FILE.findall(b"\n".join(_texts(message))))
        for each in self._discretion.sent(message):
            self._wire.append((now, ">", each))

    def came(self, message: Message, now: float) -> None:
        """The link has got a message."""
        if isinstance(message, Event) and message.event in _CONNECTED:
            self._connections.append(now)
        self._wire.append((now, "<", self._discretion.came(message)))


def _texts(message: Message) -> Iterator[bytes]:
    """What a message to the board says that may name a file."""
    match message:
        case Source(text):
            yield text
        case DirectCall(_, _, arguments):
            yield arguments
        case Call(_, _, values):
            yield from (value for value in values if isinstance(value, bytes))
            yield from (value.encode("utf-8", "replace") for value in values if isinstance(value, str))
