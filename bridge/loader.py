"""Runs Lua at the prompt over a line that damages bytes: what is sent is checked by the board before it is run.

A flipped byte can become a line end, and half a line be executed. So source travels as pieces, each in a line that is
answered with a hash of what arrived; only when all hashes are right does one short line run it, and that line carries
a hash of everything, itself included. A run has a number, and a run whose answer was damaged is asked for again, not
repeated. All that stays on the board meanwhile is one global table, taken away at the end.
"""

from __future__ import annotations

import asyncio
import re

from bridge import loader_lines as lines
from bridge.errors import BridgeError, LuaError
from bridge.loader_lines import TABLE
from bridge.loader_talk import NO_MEMORY, PROMPT, REFUSED, Range, Talk, out_of_memory
from bridge.repl import Repl
from bridge.wire.check import hash24

#: Bytes of lines under way at most: while the board is at one, the others wait in its ring of 256.
_IN_FLIGHT = 240
#: So many lines that went wrong make a bad line.
_BAD = 2
#: A line that has not done what it should after so many times cannot do it any more.
_MOST_TRIES = 24


class Loader:
    """Checked execution at a prompt that `Repl.sync` has found. Call `prepare` first and `finish` at the end.

    All methods raise BoardReset when the board has restarted meanwhile: what it was told is gone; and BoardOutOfMemory
    when its heap is too small for what it is told.

    Args:
        repl: at its prompt.
        seconds: how long everything together may take, from `prepare` on.
    """

    def __init__(self, repl: Repl, seconds: float = 30.0) -> None:
        self._repl = repl
        self._talk = Talk(repl, seconds)
        self._number = 0
        self._launched = b""
        self._refused = 0
        self._considered = False

    @property
    def damage(self) -> float:
        """Estimated share of bytes that the line damages, one way."""
        return self._talk.damage

    async def prepare(self) -> None:
        """Put the checking functions on the board.

        Raises:
            ReplError: not in time.
        """
        stored = lines.answer_to(1, lines.STORE.encode())
        steps = (
            (f"{TABLE}={{}}", f"print('@'..type({TABLE}))", rb"@table\r"),
            (lines.HASH, f"print('@'..{TABLE}.H('nodemcu',1))", b"@%d\r" % hash24(b"nodemcu", 1)),
            (f"{TABLE}.S='{lines.STORE}'", f"print('@'..{TABLE}.H({TABLE}.S,1))", stored),
            (f"assert(loadstring({TABLE}.S))()", f"print('@'..type({TABLE}.C))", rb"@function\r"),
        )
        done = 0
        while done < len(steps):
            # These lines nothing checks: what one of them became may have spoilt what those before it did.
            done = done + 1 if await self._until(*steps[done]) else 0
        await self._leave_a_bad_prompt()
        await self._put_function(lines.RUN, "R")

    async def _leave_a_bad_prompt(self) -> None:
        """Where the line damages much, have a reader of our own take the UART over.

        On a good one the prompt is as quick, and leaves the heap alone: the reader takes 3.3 KB of it meanwhile.
        """
        if self._considered or self._talk.failures < _BAD:
            return
        self._considered = True
        if await self._has_what_reading_needs():
            await self._put_function(lines.RAW, "W")
            await self._talk.read_raw()

    async def _has_what_reading_needs(self) -> bool:
        question = b"print('@'..type(uart)..type(tmr))"
        kinds = re.compile(rb"@(table|romtable|nil)(table|romtable|nil)\r")
        # A damaged question asks for what there is not; several of them hardly ever ask for the same.
        for _ in range(4):
            while (found := await self._talk.type(question, kinds)) is None:
                pass
            if b"nil" not in found[0]:
                return True
        return False

    async def _put_function(self, source: str, name: str) -> None:
        while True:
            await self._put(source.encode())
            question = f"print('@'..type({TABLE}.{name}))"
            if await self._until(lines.load_stored(len(source)), question, rb"@function\r"):
                return

    async def _until(self, line: str, question: str, answer: bytes) -> bool:
        """Say a line until a question is answered as it should be; False if it was not after many tries."""
        prompt, right = PROMPT, re.compile(answer)
        for _ in range(_MOST_TRIES):
            await self._talk.say(line.encode(), prompt)
            for _ in range(3):
                if await self._talk.say(question.encode(), right) is not None:
                    return True
                if b"nil" in self._repl.received:
                    break
        return False

    async def run(self, source: str | bytes) -> str:
        """Run a chunk once; returns what it returns, as text of one line.

        Its argument is a table that all chunks share and that outlives `finish`.

        Raises:
            LuaError: it does not compile, or raised.
            BoardOutOfMemory: there was not enough heap for it.
            ReplError: not in time.
        """
        text = source.encode() if isinstance(source, str) else source
        await self._leave_a_bad_prompt()
        await self._put(text)
        refused = 0
        self._number += 1
        line = f"{TABLE}.R({len(text)},{hash24(text, self._number)},{self._number})".encode()
        answer = re.compile(rb"@%d\t(true|false)\t(\d+)\t([^\r\n]*)\r\n" % self._number)
        while True:
            found = await self._talk.say(line, answer, patient=True)
            if found is not None and hash24(found[3]) == int(found[2]):
                result = found[3].decode("latin-1")
                if found[1] != b"true":
                    raise self._raised(found[3])
                return result
            refused += b"@-" in self._repl.received
            if refused > 3:  # more often than this line can have been damaged: a piece is wrong
                await self._put(text)
                refused = 0

    async def launch(self, source: bytes) -> bytes | None:
        """Run a chunk that takes the UART over; returns what came since it was typed, or None when it has not run.

        Whether it ran is else for the caller to find out: its answer may be damaged, and then nobody is there any
        more to ask. Calling again runs it again only if it has not run.

        Raises:
            LuaError: it does not compile, or raised.
            BoardOutOfMemory: there was not enough heap for it.
            ReplError: not in time.
        """
        if source != self._launched:
            await self._leave_a_bad_prompt()
            await self._put(source)
            self._launched = source
            self._number += 1
        line = f"{TABLE}.R({len(source)},{hash24(source, self._number)},{self._number})"
        if self._talk.raw:
            line = f"{TABLE}.t:unregister(){line}"  # it must not give the prompt back any more
        answer = re.compile(rb"@%d\t(true|false)\t(\d+)\t([^\r\n]*)\r\n|\0[^\0]+\0" % self._number)
        found = await self._talk.say(line.encode(), answer, patient=True)
        received = self._repl.received
        if found is not None and found[1] == b"false" and hash24(found[3]) == int(found[2]):
            raise self._raised(found[3])
        self._refused = self._refused + 1 if b"@-" in received else 0
        if self._refused > 3:
            self._launched = b""
        not_run = found is None and (PROMPT.search(received) or (self._talk.raw and REFUSED.search(received)))
        return None if not_run else received

    async def finish(self) -> None:
        """Take the table away and leave an empty prompt."""
        if self._talk.raw:
            # From a timer: leaving raw mode inside a raw callback crashes the chip.
            leave = f"{TABLE}.t:alarm(20,0,function()uart.on('data'){TABLE}=nil end)print('@left')"
            for _ in range(8):
                if await self._talk.tell(leave.encode(), re.compile(rb"@left\r")) is not None or self._talk.fallen:
                    break
            self._talk.raw = self._talk.fallen = False
            await asyncio.sleep(0.03)
        else:
            await self._talk.type(f"{TABLE}=nil".encode(), PROMPT)
        await self._repl.sync()

    def _raised(self, text: bytes) -> BridgeError:
        """The error for one of Lua's."""
        url = self._repl.port.url
        return out_of_memory(url) if text.endswith(NO_MEMORY) else LuaError(text.decode("latin-1"), port=url)

    # pieces

    async def _put(self, text: bytes) -> None:
        """Store a source in pieces, each under the place of its first byte, from 1 on.

        As many lines as the board's ring holds are under way at once. What does not get through is cut anew.
        """
        missing: list[Range] = [(0, len(text))] if text else []
        while missing:
            if self._talk.fallen:
                await self._talk.read_raw()
            write = lines.raw_line if self._talk.raw else lines.prompt_line
            batch: dict[Range, bytes] = {}
            room = _IN_FLIGHT
            while missing:
                begin, end = missing[0]
                piece = lines.cut(text[begin:end], self._talk.length)
                line = write(begin + 1, piece)
                if batch and len(line) + 1 > room:
                    break
                room -= len(line) + 1
                batch[begin, begin + len(piece)] = line
                missing[0] = begin + len(piece), end
                if missing[0][0] == end:
                    del missing[0]
            answers = {place: lines.answer_to(place[0] + 1, text[slice(*place)]) for place in batch}
            data = b"".join(line + b"\r" for line in batch.values())
            stored = await self._talk.say_all(data, answers)
            missing = lines.joined(sorted({*missing, *batch} - stored))
