"""The terminal on a board with the agent: chunks are edited here, run there, and shown with what they return."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from bridge.board import Board
from bridge.errors import BoardReset, BridgeError, LinkTimeout, LuaError, PortError
from bridge.lifecycle import State
from bridge.terminal.chunk import Unfinished, run_chunk
from bridge.terminal.commands import run_command
from bridge.terminal.editor import Dropped, Input, Leave
from bridge.terminal.text import BoardText
from bridge.wire.values import Value

#: How often a board that does not answer is reset, and seconds for it to come back each time.
_RESETS, _BACK_S = 3, 15.0
PROMPT, CONTINUED = "> ", ">> "

_BUSY = (
    "The board is at this line, and nothing but a reset interrupts Lua on it. Reset it?\n"
    "[y resets, Ctrl-] leaves, any other key waits on] "
)
#: What is said where nothing resets the board.
NO_LINES = "This port has no line that resets the board: press its RESET button, or unplug it.\n"


class LuaTerminal:
    """A terminal on a board.

    Args:
        board: open.
        source: where lines come from.
        shown: how a value is written.
        pull_reset: resets the board whatever it is at; raises PortError where nothing can.
        interactive: a person types, and goes on after an error.
    """

    def __init__(
        self,
        board: Board,
        source: Input,
        shown: Callable[[Value], str],
        *,
        pull_reset: Callable[[], Awaitable[None]],
        interactive: bool = True,
    ) -> None:
        self._board = board
        self._input = source
        self._shown = shown
        self._pull_reset = pull_reset
        self._interactive = interactive
        self._text = BoardText(source.show)
        # Carries the error as a result: nobody may be waiting when it comes.
        self._down: asyncio.Future[Exception] = asyncio.get_running_loop().create_future()
        board.on("console", self._text.feed)
        board.on("fault", lambda text: self._text.say(f"{text}\n"))
        board.on("reset", lambda error: self._text.say(f"{told(error)}\n"))
        board.on("down", self._end)
        board.on("error", self._stumbled)

    async def run(self) -> None:
        """Take lines until somebody leaves.

        Raises:
            BridgeError: the board is lost; or, where nobody types, what the first line that failed raised.
        """
        lines: list[str] = []
        while True:
            try:
                lines.append(await self._line(CONTINUED if lines else PROMPT))
            except Dropped:
                lines.clear()
                continue
            except Leave:
                break
            text = "\n".join(lines)
            try:
                if text.lstrip().startswith("%") and len(lines) == 1:
                    await self._work(self._command(text))
                elif text.strip():
                    await self._work(self._chunk(text))
            except Unfinished:
                continue
            except Leave:
                return
            self._input.keep(text)
            lines.clear()
        if lines and not self._interactive:
            raise LuaError("The last chunk has no end")

    # What `bridge.terminal.commands` works with.

    async def put(self, name: str, data: bytes) -> None:
        """Store a file on the board."""
        await self._board.files.put(name, data)

    async def get(self, name: str) -> bytes:
        """A file of the board."""
        return await self._board.files.get(name)

    async def run_file(self, name: str, source: bytes) -> None:
        """Run a chunk, and show what it returns."""
        self._show_values(await self._board.exec(source, timeout=None, name=name))

    async def reset(self) -> None:
        """Restart the board and wait until the agent is there again; one that does not answer is reset by its lines."""
        if self._board.state is State.READY:
            await self._board.reset()
        else:
            for _ in range(_RESETS - 1):
                await self._reset_anyhow()
                with contextlib.suppress(LinkTimeout):
                    await self._board.eval("0", timeout=_BACK_S)
                    return
            await self._reset_anyhow()
            await self._board.eval("0", timeout=_BACK_S)

    # Below: one thing at a time.

    def _end(self, error: Exception) -> None:
        if not self._down.done():
            self._down.set_result(error)

    def _stumbled(self, error: Exception, where: str) -> None:
        if not isinstance(error, OSError):
            raise error
        self._end(error)  # who reads what is shown has gone, or its disk is full

    async def _line(self, prompt: str) -> str:
        self._text.begin_editing()
        typing = asyncio.ensure_future(self._input.line(prompt))
        ends: list[asyncio.Future[Any]] = [typing, self._down]
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            if self._down.done():
                raise self._down.result()
            return typing.result()
        finally:
            if not typing.done():
                typing.cancel()
                await asyncio.wait([typing])
            self._text.end_editing()

    async def _work(self, work: Coroutine[Any, Any, None]) -> None:
        """Let the board do something; keys can ask for a reset meanwhile, or leave."""
        working = asyncio.ensure_future(work)
        left: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        resets: list[asyncio.Task[None]] = []
        asking = False

        def pressed(key: str) -> bool:
            nonlocal asking
            if key == "c-]":
                if not left.done():
                    left.set_result(None)
            elif asking:
                asking = False
                self._text.say(f"{key if key.isprintable() else ''}\n", beside=True)
                if key in ("y", "Y"):
                    resets.append(asyncio.ensure_future(self._reset_anyhow()))
            elif key == "c-c":
                asking = True
                self._text.say(_BUSY)
            else:
                return False
            return True

        try:
            if self._board.state is State.RESTARTING:
                self._text.say("Waiting for the board to come back.\n")
            with self._input.keys(pressed):
                await asyncio.wait({working, left}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (working, *resets):
                if not task.done():
                    task.cancel()
                    await asyncio.wait([task])
        if working.cancelled():
            raise Leave
        try:
            working.result()
        except BoardReset:
            pass  # the board has told of it
        except BridgeError as error:
            if self._down.done() or not self._interactive:
                raise
            self._text.say(f"{told(error)}\n")
            if isinstance(error, LuaError) and error.traceback:
                self._text.say(f"{error.traceback.rstrip()}\n")

    async def _command(self, text: str) -> None:
        self._text.say(await run_command(self, text))

    async def _chunk(self, text: str) -> None:
        self._show_values(await run_chunk(self._board, text))

    def _show_values(self, found: Value | tuple[Value, ...]) -> None:
        values = found if isinstance(found, tuple) else () if found is None else (found,)
        if values:
            self._text.say("\t".join(self._shown(value) for value in values) + "\n")

    async def _reset_anyhow(self) -> None:
        try:
            await self._pull_reset()
        except PortError:
            self._text.say(NO_LINES)


def told(error: BridgeError) -> str:
    """An error as a terminal tells it: whoever sits there knows which port it is about."""
    if isinstance(error, LuaError):
        return error.text
    return str(error).removeprefix(f"{error.port}: ") if error.port else str(error)
