"""The console of a board as a listener hears it: waits for the prompt, asks single questions at it.

It knows nothing of the link or the agent, so that what it hears cannot be coloured by them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from bridge.errors import LuaError, NotNodeMCU
from bridge.ports.base import Port

#: How the banner begins, and how the prompt ends (app/lua/lua.c).
BANNER = b"NodeMCU "
PROMPT = b"> "
#: The line must be quiet this long after a prompt, in seconds, before the prompt counts: after a boot, after a line.
QUIET_S = 0.3
QUIET_AFTER_LINE_S = 0.08
#: Ends whatever is half typed, and any unfinished chunk, at the cost of a syntax error.
END_ANY_STATE = b"\r\n)\r\n"
#: How long an answer may take, in seconds.
ANSWER_S = 20.0
#: Bytes around an answer. A typed line cannot show them: it is echoed as the escapes that it was typed as.
OPEN, CLOSE, FAILED = b"\x01[", b"]\x01", b"\x02["
#: The longest line that the prompt takes whole is 255 bytes (LUA_MAXINPUT).
LONGEST_LINE = 250


class Console:
    """What is heard on a port, from the making of the object on."""

    def __init__(self, port: Port) -> None:
        """Listen on a port.

        Args:
            port: open; its receiver is taken.
        """
        self.port = port
        self.heard = bytearray()
        self._changed = asyncio.Event()
        port.set_receiver(self._receive)

    def close(self) -> None:
        """Stop listening; the port stays open."""
        self.port.set_receiver(None)

    async def quiet(self, seconds: float) -> None:
        """Wait until nothing was heard for some seconds."""
        while True:
            self._changed.clear()
            try:
                async with asyncio.timeout(seconds):
                    await self._changed.wait()
            except TimeoutError:
                return

    async def banner(self, seconds: float) -> bool:
        """Wait until the banner of a boot begins; False if it did not within the seconds."""
        return await self._until(lambda: BANNER in self.heard, seconds)

    async def prompt(self, seconds: float, quiet: float = QUIET_S) -> bool:
        """Wait for a prompt after which the line stays quiet for a while; False if none came within the seconds."""
        while await self._until(lambda: self.heard.endswith(PROMPT), seconds):
            await self.quiet(quiet)
            if self.heard.endswith(PROMPT):
                return True
        return False

    async def type(self, line: str) -> None:
        """Type one line and wait for the prompt after it.

        Args:
            line: Lua, at most 250 bytes, without the line end.

        Raises:
            NotNodeMCU: no prompt came.
        """
        assert len(line) <= LONGEST_LINE, line
        self.heard.clear()
        self.port.write(line.encode() + b"\r\n")
        if not await self.prompt(ANSWER_S, QUIET_AFTER_LINE_S):
            raise NotNodeMCU("The Lua prompt stopped answering", port=self.port.url)

    async def ask(self, expression: str) -> str:
        """The value of a Lua expression as `tostring` shows it.

        Args:
            expression: Lua, at most 190 bytes; a function call may raise.

        Raises:
            LuaError: evaluating it raised.
            NotNodeMCU: no answer came.
        """
        line = f"do local k,v=pcall(function()return {expression} end) "
        line += 'uart.write(0,k and"\\1["or"\\2[",tostring(v),"]\\1") end'
        assert len(line) <= LONGEST_LINE, line
        self.heard.clear()
        self.port.write(line.encode() + b"\r\n")
        if not await self._until(lambda: CLOSE in self.heard, ANSWER_S):
            raise NotNodeMCU("The Lua prompt gave no answer", port=self.port.url)
        answer = bytes(self.heard.partition(CLOSE)[0])
        await self._until(lambda: self.heard.endswith(PROMPT), ANSWER_S)
        if FAILED in answer:
            raise LuaError(answer.partition(FAILED)[2].decode("latin-1"), port=self.port.url)
        return answer.partition(OPEN)[2].decode("latin-1")

    def _receive(self, data: bytes) -> None:
        self.heard += data
        self._changed.set()

    async def _until(self, seen: Callable[[], bool], seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                while not seen():
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            return False
        return True
