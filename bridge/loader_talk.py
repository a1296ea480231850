"""Lines said to a board, at its prompt or to a reader of our own, and what it answers; for `bridge.loader`.

Each line is said once, and whoever says it sees by the answer whether it arrived. What is counted here is how long a
line can be, and how long an answer takes.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass

from bridge import loader_lines as lines
from bridge.errors import BoardOutOfMemory, BoardReset, ReplError
from bridge.loader_lines import TABLE
from bridge.repl import BREAK, CONTINUED, Repl

#: Characters of source in one line: at most, at least, and to start with.
_LONGEST, _SHORTEST, _FIRST = lines.LONGEST, 20, 120
#: When a prompt came, so much silence means that nothing more does: longer than an adapter holds bytes back.
_SETTLED, _LONG_SETTLED = 0.030, 0.100
#: What an answer is followed by comes so soon, or is waited for in vain.
_BEHIND = 0.006
#: Give up when nothing has got through for so long.
_STUCK_SECONDS = 10.0

#: How Lua says that the heap is full; it stays so when so many lines end so, and none does what it should.
NO_MEMORY, _OFTEN = b"not enough memory", 8

#: An empty prompt.
PROMPT = re.compile(rb"(?:^|\n)> $")
#: The same, or that of an unfinished chunk.
_AT_PROMPT = re.compile(rb"(?:^|\n)>>? $")
#: What only a prompt says, even if much of it is damaged.
_PROMPTED = re.compile(rb"\n> |Lua error|stdin:\d")
#: A line that was not whole, as the board's own reader says.
REFUSED = re.compile(rb"\?\r\n")
_RAW = re.compile(rb"@raw\r")
#: What Lua says when the table is gone, 5.1 and 5.3. Damage to a line does not bring that about.
_GONE = re.compile(
    rb"attempt to index (?:global '%(table)s' \(a nil value\)|a nil value \((?:global|field) '%(table)s'\))"
    % {b"table": TABLE.encode()}
)

#: From and to, of a piece in its source.
Range = tuple[int, int]


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


class Talk:
    """One board at its prompt.

    All methods raise BoardReset when the board has restarted meanwhile, BoardOutOfMemory when its heap is full, and
    ReplError when the time is over.

    Args:
        repl: at its prompt.
        seconds: how long everything together may take.
    """

    def __init__(self, repl: Repl, seconds: float) -> None:
        self.repl = repl
        #: The reader of our own has the UART.
        self.raw = False
        #: It seems to have lost it again.
        self.fallen = False
        self._pace = _Pace()
        self._loop = asyncio.get_running_loop()
        self._deadline = self._loop.time() + seconds
        self._seconds = seconds
        self._progress_at = self._loop.time()
        self._sent = 0
        self._unsure = False
        self._starved = self._starved_in_sight = 0

    @property
    def length(self) -> int:
        """Characters of source that a line should have now."""
        return int(self._pace.length)

    @property
    def failures(self) -> int:
        """Lines that have not been answered as they should."""
        return self._pace.failures

    @property
    def damage(self) -> float:
        """Estimated share of bytes that the line damages, one way."""
        # What fails a line is damage to itself or to the dozen bytes of its answer.
        count = self._pace.failures + self._pace.successes
        return min(0.05, self._pace.failures / max(self._sent + 12 * count, 1))

    async def say(self, line: bytes, answer: re.Pattern[bytes], *, patient: bool = False) -> re.Match[bytes] | None:
        """Have the board run a line of Lua, at its prompt or by its own reader, and wait for an answer."""
        if self.fallen:
            await self.read_raw()
        if self.raw:
            return await self.tell(line, answer, patient=patient)
        return await self.type(line, answer, patient=patient)

    async def tell(self, line: bytes, answer: re.Pattern[bytes], *, patient: bool = False) -> re.Match[bytes] | None:
        """Have the board's own reader run a line of Lua once."""
        if answer is PROMPT:  # there is none: whether it ran is for the next line to find out
            line += b" print('@ran')"
            answer = re.compile(rb"@ran\r")
        return await self._once(lines.raw_line(0, line), answer, REFUSED, patient=patient)

    async def type(self, line: bytes, answer: re.Pattern[bytes], *, patient: bool = False) -> re.Match[bytes] | None:
        """Type a line at the prompt once and wait for its answer, or for the prompt without one."""
        return await self._once(line, answer, _AT_PROMPT, patient=patient)

    async def say_all(self, data: bytes, answers: dict[Range, bytes]) -> set[Range]:
        """Say lines in one go and wait for their answers; returns whose answers came."""
        repl, pace = self.repl, self._pace
        if self.raw:
            data += b"\r"  # answered in any case, also when the end of the last line is lost
        await self._begin(len(data))
        began = last = self._loop.time()
        repl.write(data)
        took = len(data) * 10 / repl.port.baud
        limit = min(began + took + pace.wait, self._deadline)
        left = dict(answers)
        while left and (now := self._loop.time()) < limit:
            if self.raw and repl.received.count(b"\n") > len(answers):
                break
            # A prompt follows each line; it is the last one when nothing follows it.
            settling = now > began + took if self.raw else PROMPT.search(repl.received) is not None
            settled = max(_SETTLED, min(pace.mean, _LONG_SETTLED)) if settling else limit - now
            if not await repl.more(min(settled, limit - now)) and settling:
                break
            last = self._loop.time()
            left = {place: answer for place, answer in left.items() if answer not in repl.received}
        if self.raw and not left:
            # What answers the end must not be taken for an answer to the next line.
            await repl.wait_for(re.compile(rb"(?:[^\n]*\n){%d}" % (len(answers) + 1)), _BEHIND)
        for place in answers:
            (pace.bad if place in left else pace.good)()
        if len(left) < len(answers):
            self._progress_at = self._loop.time()
        await self._end(answered=not left, heard=len(left) < len(answers), took=max(last - began - took, 0.0))
        return answers.keys() - left.keys()

    async def read_raw(self) -> None:
        """Have the board's own reader take the UART over."""
        while True:
            self.raw = False
            # What is typed behind that line would be taken by the prompt: the reader says when it is there.
            if await self.type(f"{TABLE}.W()".encode(), _RAW) is None and not REFUSED.search(self.repl.received):
                continue
            self.raw = True
            for _ in range(4):
                if await self.tell(b"print('@raw')", _RAW) is not None:
                    self.fallen = False
                    return

    async def _once(
        self, line: bytes, answer: re.Pattern[bytes], none: re.Pattern[bytes], *, patient: bool
    ) -> re.Match[bytes] | None:
        repl, pace = self.repl, self._pace
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
        if found is not None and answer is not PROMPT:  # a prompt comes whatever the line did
            self._starved = 0
        took = None if patient else max(self._loop.time() - began - time, 0.0)
        await self._end(answered=found is not None, heard=found is not None, took=took)
        return found

    async def _begin(self, size: int) -> None:
        """Before so many bytes are sent: is there time, and nothing else on the line?

        Raises:
            ReplError: the time is over, or nothing has got through for long.
        """
        now = self._loop.time()
        if now >= min(self._deadline, self._progress_at + _STUCK_SECONDS):
            raise ReplError(
                f"The prompt could not be made to run anything within {self._seconds:.3g} s"
                if now >= self._deadline
                else f"Nothing that the prompt was told has got through for {_STUCK_SECONDS:g} s",
                port=self.repl.port.url,
                remedy="The line may be very bad: try a shorter cable, another adapter, or reset the board.",
            )
        if self._unsure:
            # A line whose own end was lost still waits there: run it or find it empty.
            self.repl.write(b"\r")
            await self.repl.wait_for(REFUSED if self.raw else PROMPT, self._pace.wait)
            self._unsure = False
            self._look_for_starving()
        self.repl.forget()
        self._starved_in_sight = 0
        self._sent += size

    async def _end(self, *, answered: bool, heard: bool, took: float | None) -> None:
        """What was sent has had its time: learn from it, and leave an empty prompt if that can be told.

        Args:
            answered: all answers came.
            heard: one at least.
            took: how long that was, or None when it tells nothing of the line.

        Raises:
            BoardReset: the board has restarted.
            BoardOutOfMemory: its heap is full.
        """
        repl, pace = self.repl, self._pace
        if _GONE.search(repl.received):
            raise BoardReset("The board restarted while the agent was put on it", port=repl.port.url)
        self._look_for_starving()
        if heard:
            self._progress_at = self._loop.time()
        at_prompt = _AT_PROMPT.search(repl.received)
        if self.raw:
            if not heard and _PROMPTED.search(repl.received):  # it has restarted, or heard nothing whole for long
                self.fallen = self._unsure = True
                return
            if not answered and not REFUSED.search(repl.received):
                pace.silent()
                self._unsure = True
                return
        elif answered:
            # The prompt behind the answer must not be taken for that of the next line.
            await repl.wait_for(PROMPT, _BEHIND)
        elif not at_prompt:
            pace.silent()
            self._unsure = True
            return
        if took is not None:
            pace.answered(took)
        if not self.raw and CONTINUED in repl.received[-4:]:
            repl.write(BREAK + b"\r")
            await repl.wait_for(PROMPT, pace.wait)

    def _look_for_starving(self) -> None:
        """Count what the board has said of its full heap since it was last looked at; it may say so late."""
        said = self.repl.received.count(NO_MEMORY)
        new, self._starved_in_sight = said - self._starved_in_sight, said
        if new > 0:
            self._starved += 1
            if self._starved >= _OFTEN:
                self._starved = 0
                raise out_of_memory(self.repl.port.url)


def out_of_memory(url: str) -> BoardOutOfMemory:
    """The error of a board whose heap is too small for what it is told."""
    return BoardOutOfMemory(
        "The board has too little free heap for what it is told to run",
        port=url,
        remedy="Restart it; if its init.lua holds the memory, let it hold less.",
    )
