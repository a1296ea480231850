"""Runs Lua at the prompt over a line that damages bytes: what is sent is checked by the board before it is run.

A flipped byte can become a line end, and half a line be executed. So source travels as pieces, each in a line that is
answered with a hash of what arrived; only when all hashes are right does one short line run it, and that line carries
a hash of everything, itself included. A run has a number, and a run whose answer was damaged is asked for again, not
repeated. All that stays on the board meanwhile is one global table, taken away at the end.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass

from bridge import loader_lines as lines
from bridge.errors import BoardReset, LuaError, ReplError
from bridge.loader_lines import TABLE
from bridge.repl import BREAK, CONTINUED, Repl
from bridge.wire.check import hash24

#: Characters of source in one line: at most, at least, and to start with.
_LONGEST, _SHORTEST, _FIRST = lines.LONGEST, 20, 120
#: Bytes of lines under way at most: while the board is at one, the others wait in its ring of 256.
_IN_FLIGHT = 240
#: When a prompt came, so much silence means that nothing more does: longer than an adapter holds bytes back.
_SETTLED, _LONG_SETTLED = 0.030, 0.100
#: What an answer is followed by comes so soon, or is waited for in vain.
_BEHIND = 0.006
#: Give up when nothing has got through for so long.
_STUCK_SECONDS = 10.0

_PROMPT = re.compile(rb"(?:^|\n)> $")
#: The same, or that of an unfinished chunk.
_AT_PROMPT = re.compile(rb"(?:^|\n)>>? $")
#: What only a prompt says, even if much of it is damaged.
_PROMPTED = re.compile(rb"\n> |Lua error|stdin:\d")
#: A line that was not whole, as the board's own reader says.
_REFUSED = re.compile(rb"\?\r\n")
_RAW = re.compile(rb"@raw\r")
#: What Lua says when the table is gone, 5.1 and 5.3. Damage to a line does not bring that about.
_GONE = re.compile(
    rb"attempt to index (?:global '%(table)s' \(a nil value\)|a nil value \((?:global|field) '%(table)s'\))"
    % {b"table": TABLE.encode()}
)

_Range = tuple[int, int]


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

    All methods raise BoardReset when the board has restarted meanwhile: what it was told is gone.

    Args:
        repl: at its prompt.
        seconds: how long everything together may take, from `prepare` on.
    """

    def __init__(self, repl: Repl, seconds: float = 30.0) -> None:
        self._repl = repl
        self._loop = asyncio.get_running_loop()
        self._deadline = self._loop.time() + seconds
        self._seconds = seconds
        self._progress_at = self._loop.time()
        self._pace = _Pace()
        self._raw = self._fallen = False
        self._number = 0
        self._sent = 0
        self._launched = b""
        self._unsure = False
        self._refused = 0

    @property
    def damage(self) -> float:
        """Estimated share of bytes that the line damages, one way."""
        # What fails a line is damage to itself or to the dozen bytes of its answer.
        count = self._pace.failures + self._pace.successes
        return min(0.05, self._pace.failures / max(self._sent + 12 * count, 1))

    async def prepare(self) -> None:
        """Put the checking functions on the board, and its own reader where the firmware has what that needs.

        Raises:
            ReplError: not in time.
        """
        await self._until(f"{TABLE}={{}}", f"print('@'..type({TABLE}))", rb"@table\r")
        await self._until(lines.HASH, f"print('@'..{TABLE}.H('nodemcu',1))", b"@%d\r" % hash24(b"nodemcu", 1))
        stored = lines.answer_to(1, lines.STORE.encode())
        await self._until(f"{TABLE}.S='{lines.STORE}'", f"print('@'..{TABLE}.H({TABLE}.S,1))", stored)
        await self._until(f"loadstring({TABLE}.S)()", f"print('@'..type({TABLE}.C))", rb"@function\r")
        asked = re.compile(rb"@(table|nil|rom\w*)(table|nil|rom\w*)\r")
        while (found := await self._type(b"print('@'..type(uart)..type(tmr))", asked)) is None:
            pass
        if b"nil" not in found[0]:
            await self._put_function(lines.RAW, "W")
            await self._read_raw()
        await self._put_function(lines.RUN, "R")

    async def _put_function(self, source: str, name: str) -> None:
        while True:
            await self._put(source.encode())
            question = f"print('@'..type({TABLE}.{name}))"
            if await self._until(lines.load_stored(len(source)), question, rb"@function\r", tries=20):
                return

    async def _until(self, line: str, question: str, answer: bytes, *, tries: int = 1_000_000) -> bool:
        """Say a line until a question is answered as it should be; False if it was not in so many tries."""
        prompt, right = _PROMPT, re.compile(answer)
        for _ in range(tries):
            await self._say(line.encode(), prompt)
            for _ in range(3):
                if await self._say(question.encode(), right) is not None:
                    return True
                if b"nil" in self._repl.received:
                    break
        return False

    async def run(self, source: str | bytes) -> str:
        """Run a chunk once; returns what it returns, as text of one line.

        Its argument is a table that all chunks share and that outlives `finish`.

        Raises:
            LuaError: it does not compile, or raised.
            ReplError: not in time.
        """
        text = source.encode() if isinstance(source, str) else source
        await self._put(text)
        refused = 0
        self._number += 1
        line = f"{TABLE}.R({len(text)},{hash24(text, self._number)},{self._number})".encode()
        answer = re.compile(rb"@%d\t(true|false)\t(\d+)\t([^\r\n]*)\r\n" % self._number)
        while True:
            found = await self._say(line, answer, patient=True)
            if found is not None and hash24(found[3]) == int(found[2]):
                result = found[3].decode("latin-1")
                if found[1] != b"true":
                    raise LuaError(result, port=self._repl.port.url)
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
            ReplError: not in time.
        """
        if source != self._launched:
            await self._put(source)
            self._launched = source
            self._number += 1
        line = f"{TABLE}.R({len(source)},{hash24(source, self._number)},{self._number})"
        if self._raw:
            line = f"{TABLE}.t:unregister(){line}"  # it must not give the prompt back any more
        answer = re.compile(rb"@%d\t(true|false)\t(\d+)\t([^\r\n]*)\r\n|\0[^\0]+\0" % self._number)
        found = await self._say(line.encode(), answer, patient=True)
        received = self._repl.received
        if found is not None and found[1] == b"false" and hash24(found[3]) == int(found[2]):
            raise LuaError(found[3].decode("latin-1"), port=self._repl.port.url)
        self._refused = self._refused + 1 if b"@-" in received else 0
        if self._refused > 3:
            self._launched = b""
        not_run = found is None and (_PROMPT.search(received) or (self._raw and _REFUSED.search(received)))
        return None if not_run else received

    async def finish(self) -> None:
        """Take the table away and leave an empty prompt."""
        if self._raw:
            # From a timer: leaving raw mode inside a raw callback crashes the chip.
            leave = f"{TABLE}.t:alarm(20,0,function()uart.on('data'){TABLE}=nil end)print('@left')"
            for _ in range(8):
                if await self._tell(leave.encode(), re.compile(rb"@left\r")) is not None or self._fallen:
                    break
            self._raw = self._fallen = False
            await asyncio.sleep(0.03)
        else:
            await self._type(f"{TABLE}=nil".encode(), _PROMPT)
        await self._repl.sync()

    # pieces

    async def _put(self, text: bytes) -> None:
        """Store a source in pieces, each under the place of its first byte, from 1 on.

        As many lines as the board's ring holds are under way at once. What does not get through is cut anew.
        """
        missing: list[_Range] = [(0, len(text))] if text else []
        while missing:
            if self._fallen:
                await self._read_raw()
            write = lines.raw_line if self._raw else lines.prompt_line
            batch: dict[_Range, bytes] = {}
            room = _IN_FLIGHT
            while missing:
                begin, end = missing[0]
                piece = lines.cut(text[begin:end], int(self._pace.length))
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
            stored = await self._say_all(data, answers)
            missing = lines.joined(sorted({*missing, *batch} - stored))

    async def _say_all(self, data: bytes, answers: dict[_Range, bytes]) -> set[_Range]:
        """Say lines in one go and wait for their answers; returns whose answers came."""
        repl, pace = self._repl, self._pace
        if self._raw:
            data += b"\r"  # answered in any case, also when the end of the last line is lost
        await self._begin(len(data))
        began = last = self._loop.time()
        repl.write(data)
        took = len(data) * 10 / repl.port.baud
        limit = min(began + took + pace.wait, self._deadline)
        left = dict(answers)
        while left and (now := self._loop.time()) < limit:
            if self._raw and repl.received.count(b"\n") > len(answers):
                break
            # A prompt follows each line; it is the last one when nothing follows it.
            settling = now > began + took if self._raw else _PROMPT.search(repl.received) is not None
            settled = max(_SETTLED, min(pace.mean, _LONG_SETTLED)) if settling else limit - now
            if not await repl.more(min(settled, limit - now)) and settling:
                break
            last = self._loop.time()
            left = {place: answer for place, answer in left.items() if answer not in repl.received}
        if self._raw and not left:
            # What answers the end must not be taken for an answer to the next line.
            await repl.wait_for(re.compile(rb"(?:[^\n]*\n){%d}" % (len(answers) + 1)), _BEHIND)
        for place in answers:
            (pace.bad if place in left else pace.good)()
        if len(left) < len(answers):
            self._progress_at = self._loop.time()
        await self._end(answered=not left, heard=len(left) < len(answers), took=max(last - began - took, 0.0))
        return answers.keys() - left.keys()

    # one line

    async def _say(self, line: bytes, answer: re.Pattern[bytes], *, patient: bool = False) -> re.Match[bytes] | None:
        """Have the board run a line of Lua, at its prompt or by its own reader, and wait for an answer."""
        if self._fallen:
            await self._read_raw()
        if self._raw:
            return await self._tell(line, answer, patient=patient)
        return await self._type(line, answer, patient=patient)

    async def _tell(self, line: bytes, answer: re.Pattern[bytes], *, patient: bool = False) -> re.Match[bytes] | None:
        """Have the board's own reader run a line of Lua once."""
        if answer is _PROMPT:  # there is none: whether it ran is for the next line to find out
            line += b" print('@ran')"
            answer = re.compile(rb"@ran\r")
        return await self._once(lines.raw_line(0, line), answer, _REFUSED, patient=patient)

    async def _type(self, line: bytes, answer: re.Pattern[bytes], *, patient: bool = False) -> re.Match[bytes] | None:
        """Type a line at the prompt once and wait for its answer, or for the prompt without one."""
        return await self._once(line, answer, _AT_PROMPT, patient=patient)

    async def _once(
        self, line: bytes, answer: re.Pattern[bytes], none: re.Pattern[bytes], *, patient: bool
    ) -> re.Match[bytes] | None:
        repl, pace = self._repl, self._pace
        data = line + b"\r"
        await self._begin(len(data))
        began = self._loop.time()
        repl.write(data)
        time = len(data) * 10 / repl.port.baud
        wait = pace.wait + time
        if patient:  # compiling takes longer, but an answer may also have been damaged: asking again is cheap
            wait = max(2 * wait, 0.5)
        either = re.compile(rb"(?:%s)|(?:%s)" % (answer.pattern, none.pattern))
        await repl.wait_for(either, min(wait, max(self._deadline - began, 0.01)))
        found = answer.search(repl.received)
        (pace.good if found else pace.bad)()
        took = None if patient else max(self._loop.time() - began - time, 0.0)
        await self._end(answered=found is not None, heard=found is not None, took=took)
        return found

    async def _read_raw(self) -> None:
        """Have the board's own reader take the UART over."""
        while True:
            self._raw = False
            # What is typed behind that line would be taken by the prompt: the reader says when it is there.
            if await self._type(f"{TABLE}.W()".encode(), _RAW) is None and not _REFUSED.search(self._repl.received):
                continue
            self._raw = True
            for _ in range(4):
                if await self._tell(b"print('@raw')", _RAW) is not None:
                    self._fallen = False
                    return

    async def _begin(self, size: int) -> None:
        """Before so many bytes are sent: is there time, and nothing else on the line?

        Raises:
            ReplError: the time is over, or nothing has got through for long.
        """
        now = self._loop.time()
        if now >= min(self._deadline, self._progress_at + _STUCK_SECONDS):
            raise ReplError(
                f"The prompt could not be made to run anything within {self._seconds:g} s"
                if now >= self._deadline
                else f"Nothing that the prompt was told has got through for {_STUCK_SECONDS:g} s",
                port=self._repl.port.url,
                remedy="The line may be very bad: try a shorter cable, another adapter, or reset the board.",
            )
        if self._unsure:
            # A line whose own end was lost still waits there: run it or find it empty.
            self._repl.write(b"\r")
            await self._repl.wait_for(_REFUSED if self._raw else _PROMPT, self._pace.wait)
            self._unsure = False
        self._repl.forget()
        self._sent += size

    async def _end(self, *, answered: bool, heard: bool, took: float | None) -> None:
        """What was sent has had its time: learn from it, and leave an empty prompt if that can be told.

        Args:
            answered: all answers came.
            heard: one at least.
            took: how long that was, or None when it tells nothing of the line.

        Raises:
            BoardReset: the board has restarted.
        """
        repl, pace = self._repl, self._pace
        if _GONE.search(repl.received):
            raise BoardReset("The board restarted while the agent was put on it", port=repl.port.url)
        if heard:
            self._progress_at = self._loop.time()
        at_prompt = _AT_PROMPT.search(repl.received)
        if self._raw:
            if not heard and _PROMPTED.search(repl.received):  # it has restarted, or heard nothing whole for long
                self._fallen = self._unsure = True
                return
            if not answered and not _REFUSED.search(repl.received):
                pace.silent()
                self._unsure = True
                return
        elif answered:
            # The prompt behind the answer must not be taken for that of the next line.
            await repl.wait_for(_PROMPT, _BEHIND)
        elif not at_prompt:
            pace.silent()
            self._unsure = True
            return
        if took is not None:
            pace.answered(took)
        if not self._raw and CONTINUED in repl.received[-4:]:
            repl.write(BREAK + b"\r")
            await repl.wait_for(_PROMPT, pace.wait)
