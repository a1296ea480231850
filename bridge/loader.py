"""Runs Lua at the prompt over a line that damages bytes: what is typed is checked by the board before it is run.

A flipped byte can become a line end, and half a line be executed. So source is typed as pieces of a string, each in
a line that prints a hash of what arrived; only when all hashes are right does one short line run it, and that line
carries a hash of everything, itself included. A run has a number, and a run whose answer was damaged is asked for
again, not repeated. All that stays on the board meanwhile is one global table, taken away at the end.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass

from bridge.errors import BoardOutOfMemory, BoardReset, BridgeError, LuaError, ReplError
from bridge.repl import BREAK, CONTINUED, Repl
from bridge.wire.check import hash24

#: The table's name on the board; unlikely in anybody's program.
_TABLE = "_nb"

_HASH = f"function {_TABLE}.H(s,h)for k=1,#s do h=(h*127+s:byte(k))%16777213 end return h end"
_STORE = f'function {_TABLE}.C(i,s,h)if {_TABLE}.H(s,i)==h then {_TABLE}[i]=s collectgarbage()print("@"..h)end end'
#: Runs pieces a to b if their hash, started from the run's number, is h. Prints number, success, hash, result.
_RUN = (
    f"local B={_TABLE} B.A={{}}function B.R(a,b,h,n)if B.n~=n then local x=n for i=a,b do x=B.H(B[i],x)end "
    'if x~=h then return print("@-")end B.n=n x=a-1 collectgarbage()'
    "local k,f,e=pcall(load,function()x=x+1 if x<=b then local s=B[x]B[x]=nil return s end end,"
    '"=lua")if k and f then k,f=pcall(f,B.A)else k,f=false,e or f end '
    'B.o,B.r=k,tostring(f):gsub("%c"," ")end print("@"..n,B.o,B.H(B.r,0),B.r)end'
)

#: Characters of source in one line: at most, at least, and to start with.
_LONGEST, _SHORTEST, _FIRST = 200, 20, 120


#: So many lines end so, and none does what it should, before the heap is taken to stay too small.
_NO_MEMORY, _OFTEN = b"not enough memory", 8

_PROMPT = re.compile(rb"(?:^|\n)> $")
#: What Lua says when the table is gone, 5.1 and 5.3. Damage to a line does not bring that about.
_GONE = re.compile(
    rb"attempt to index (?:global '%(table)s' \(a nil value\)|a nil value \((?:global|field) '%(table)s'\))"
    % {b"table": _TABLE.encode()}
)


@dataclass
class _Pace:
    """How long lines are and how long answers take; both follow what the line does."""

    length: float = _FIRST
    mean: float = 0.1
    failures: int = 0
    successes: int = 0

    @property
    def wait(self) -> float:
        """Seconds to wait for an answer beyond the time that the line itself takes."""
        return min(max(3 * self.mean, 0.04), 1.0)

    def good(self) -> None:
        self.successes += 1
        self.length = min(self.length * 1.2, _LONGEST)

    def bad(self) -> None:
        self.failures += 1
        self.length = max(self.length * 0.7, _SHORTEST)

    def answered(self, seconds: float) -> None:
        self.mean += (seconds - self.mean) / 4

    def silent(self) -> None:
        self.mean = min(self.mean * 1.3, 0.4)


class Loader:
    """Checked execution at a prompt that `Repl.sync` has found. Call `prepare` first and `finish` at the end.

    All methods raise BoardReset when the board has restarted meanwhile: what it was told is gone; and BoardOutOfMemory
    when its heap is too small for what is typed.

    Args:
        repl: at its prompt.
        seconds: how long everything together may take, from `prepare` on.
    """

    def __init__(self, repl: Repl, seconds: float = 30.0) -> None:
        self._repl = repl
        self._loop = asyncio.get_running_loop()
        self._deadline = self._loop.time() + seconds
        self._seconds = seconds
        self._pace = _Pace()
        self._number = 0
        self._sent = 0
        self._launched = b""
        self._launch_pieces = 0
        self._unsure = False
        self._refused = 0
        self._starved = 0

    @property
    def damage(self) -> float:
        """Estimated share of bytes that the line damages, one way."""
        # What fails a line is damage to itself or to the dozen bytes of its answer.
        lines = self._pace.failures + self._pace.successes
        return min(0.05, self._pace.failures / max(self._sent + 12 * lines, 1))

    async def prepare(self) -> None:
        """Type the checking functions.

        Raises:
            ReplError: not in time.
        """
        await self._until(f"{_TABLE}={{}}", f"print('@'..type({_TABLE}))", rb"@table\r")
        await self._until(_HASH, f"print('@'..{_TABLE}.H('nodemcu',1))", b"@%d\r" % hash24(b"nodemcu", 1))
        await self._until(_STORE, self._storing(0, b"nodemcu").decode(), b"@%d\r" % hash24(b"nodemcu", 0))
        pieces = await self._put(_RUN.encode())
        load = f'loadstring(table.concat({_TABLE},"",1,{pieces}))()'
        await self._until(load, f"print('@'..type({_TABLE}.R))", rb"@function\r")

    async def _until(self, line: str, question: str, answer: bytes) -> None:
        """Type a line until a question is answered as it should be."""
        prompt, right = _PROMPT, re.compile(answer)
        while True:
            await self._type(line.encode(), prompt)
            for _ in range(3):
                if await self._type(question.encode(), right) is not None:
                    return
                if b"nil" in self._repl.received:
                    break

    async def run(self, source: str | bytes) -> str:
        """Run a chunk once; returns what it returns, as text of one line.

        Its argument is a table that all chunks share and that outlives `finish`.

        Raises:
            LuaError: it does not compile, or raised.
            BoardOutOfMemory: there was not enough heap for it.
            ReplError: not in time.
        """
        text = source.encode() if isinstance(source, str) else source
        count = await self._put(text)
        refused = 0
        self._number += 1
        check = hash24(text, self._number)
        line = f"{_TABLE}.R(1,{count},{check},{self._number})".encode()
        answer = re.compile(rb"@%d\t(true|false)\t(\d+)\t([^\r\n]*)\r\n" % self._number)
        while True:
            found = await self._type(line, answer, patient=True)
            if found is not None and hash24(found[3]) == int(found[2]):
                result = found[3].decode("latin-1")
                if found[1] != b"true":
                    raise self._raised(found[3])
                return result
            refused += b"@-" in self._repl.received
            if refused > 3:  # more often than this line can have been damaged: a piece is wrong
                count = await self._put(text)
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
            self._launched, self._launch_pieces = source, await self._put(source)
            self._number += 1
        check = hash24(source, self._number)
        line = f"{_TABLE}.R(1,{self._launch_pieces},{check},{self._number})".encode()
        answer = re.compile(rb"@%d\t(true|false)\t(\d+)\t([^\r\n]*)\r\n|\0[^\0]+\0" % self._number)
        found = await self._type(line, answer, patient=True)
        received = self._repl.received
        if found is not None and found[1] == b"false" and hash24(found[3]) == int(found[2]):
            raise self._raised(found[3])
        self._refused = self._refused + 1 if b"@-" in received else 0
        if self._refused > 3:
            self._launched = b""
        return None if found is None and _PROMPT.search(received) else received

    def _raised(self, text: bytes) -> BridgeError:
        """The error for one of Lua's."""
        url = self._repl.port.url
        if text.endswith(_NO_MEMORY):
            return BoardOutOfMemory(
                "The board has too little free heap for what it is told to run",
                port=url,
                remedy="Restart it; if its init.lua holds the memory, let it hold less.",
            )
        return LuaError(text.decode("latin-1"), port=url)

    async def finish(self) -> None:
        """Take the table away and leave an empty prompt."""
        await self._type(f"{_TABLE}=nil".encode(), _PROMPT)
        await self._repl.sync()

    async def _put(self, text: bytes) -> int:
        """Store a source in pieces from 1 on; returns how many there are."""
        at = count = 0
        while at < len(text) or not count:
            count += 1
            while True:
                piece = _cut(text[at:], int(self._pace.length))
                if await self._store(count, piece):
                    break
            at += len(piece)
        return count

    async def _store(self, number: int, piece: bytes) -> bool:
        answer = re.compile(rb"@%d\r" % hash24(piece, number))
        return await self._type(self._storing(number, piece), answer) is not None

    def _storing(self, number: int, piece: bytes) -> bytes:
        # The hash covers the number too: a line with a damaged number must not replace another piece.
        return b'%s.C(%d,"%s",%d)' % (_TABLE.encode(), number, _quoted(piece), hash24(piece, number))

    async def _type(self, line: bytes, answer: re.Pattern[bytes], *, patient: bool = False) -> re.Match[bytes] | None:
        """Type a line once and wait for its answer, or for the prompt without one."""
        repl, pace = self._repl, self._pace
        began = self._loop.time()
        if began >= self._deadline:
            raise ReplError(
                f"The prompt could not be made to run anything within {self._seconds:.3g} s",
                port=repl.port.url,
                remedy="The line may be very bad: try a shorter cable, another adapter, or reset the board.",
            )
        if self._unsure:
            # A line whose own end was lost still waits there: run it or find it empty, and see the prompt.
            repl.write(b"\r")
            await repl.wait_for(_PROMPT, pace.wait)
            self._unsure = False
        repl.forget()
        data = line + b"\r"
        repl.write(data)
        self._sent += len(data)
        both = re.compile(rb"(?:%s)|(?:^|\n)>>? $" % answer.pattern)
        wait = pace.wait + len(data) * 10 / repl.port.baud
        if patient:  # compiling takes longer, but an answer may also have been damaged: asking again is cheap
            wait = max(2 * wait, 0.5)
        found = await repl.wait_for(both, min(wait, max(self._deadline - began, 0.01)))
        if _GONE.search(repl.received):
            raise BoardReset("The board restarted while the agent was put on it", port=repl.port.url)
        if _NO_MEMORY in repl.received:
            self._starved += 1
            if self._starved >= _OFTEN:
                self._starved = 0
                raise self._raised(_NO_MEMORY)
        if found is None:
            pace.silent()
            self._unsure = True
        elif not patient:
            pace.answered(self._loop.time() - began)
        if (good := answer.search(repl.received)) is not None:
            pace.good()
            if answer is not _PROMPT:  # a prompt comes whatever the line did
                self._starved = 0
            # The prompt behind the answer must not be taken for that of the next line.
            await repl.wait_for(_PROMPT, 0.006)
            return good
        pace.bad()
        if CONTINUED in repl.received[-4:]:
            repl.write(BREAK + b"\r")
            await repl.wait_for(_PROMPT, pace.wait)
        return None


def _cut(text: bytes, size: int) -> bytes:
    """As much of the text as fits a line when quoted."""
    piece = text[:size]
    while len(_quoted(piece)) > _LONGEST:
        piece = piece[: len(piece) - 8]
    return piece


def _quoted(piece: bytes) -> bytes:
    """Between double quotes in Lua source; only decimal escapes mean the same in each version."""
    out = bytearray()
    for byte in piece:
        if byte in b'"\\' or not 32 <= byte < 127:
            out += b"\\%03d" % byte
        else:
            out.append(byte)
    return bytes(out)
