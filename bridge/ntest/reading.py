"""Reads what a board says while a test file runs: which sub-tests there are, what came of them, and when it is over.

No I/O here: bytes come in, and the time is an argument, in seconds on any clock.
"""

from __future__ import annotations

from bridge.ntest.dialect import Dialect, Kind, Lines, Meaning
from bridge.ntest.naming import Names
from bridge.ntest.results import Assertion, Ending, FileRun, SubTest

#: Seconds for the first line of TAP (tap-driver.expect has 10), and from each to the next (60).
FIRST, NEXT = 10.0, 60.0
#: Characters of console text that are kept of a sub-test, and of everything between them.
KEPT = 64_000

#: How the firmware prints an error that nothing caught: with the stack behind it. It restarts 2 s later.
_TRACE = "stack traceback:"


class Reading:
    """The reading of one run.

    Attributes:
        ending: how the run ended, as far as the text says; None while it goes on.
        reason: a sentence on that.
        uncaught: an error that was printed while no sub-test ran; the firmware restarts the board 2 s after it.

    Args:
        file: the file's name on the board.
        now: when it was started.
        dialect: what lines mean.
        first, next_line: seconds for the first line of TAP, and from each to the next.
    """

    def __init__(
        self, file: str, now: float, *, dialect: Dialect | None = None, first: float = FIRST, next_line: float = NEXT
    ) -> None:
        self._file, self._began, self._now = file, now, now
        self._dialect = dialect or Dialect()
        self._next = next_line
        self._deadline = now + first
        self._lines = Lines()
        self._tests: list[SubTest] = []
        self._names = Names()
        self._running: list[tuple[str, SubTest]] = []
        self._last: tuple[str, SubTest] | None = None
        self._pending: list[str] = []
        self._between: list[str] = []
        self._before = ""
        self._started = self._finished = 0
        self._assertions = self._all = 0
        self._planned: int | None = None
        self._problems: list[str] = []
        self.ending: Ending | None = None
        self.reason = ""
        self.uncaught: str | None = None

    @property
    def deadline(self) -> float:
        """When the board has been silent for too long."""
        return self._deadline

    def feed(self, data: bytes, now: float) -> None:
        """Bytes came."""
        self._now = now
        for line in self._lines.feed(data):
            self._take(line)

    def expire(self, now: float) -> None:
        """The time is `now`: has the board been silent for too long?"""
        self._now = now
        if self.ending is None and now >= self._deadline:
            if self._tests or self._started:
                what = f"No line of TAP came for {self._next:g} s"
            else:
                what = f"No test began within {now - self._began:.0f} s"
            self._end(Ending.SILENT, f"{what}{self._when()}")

    def end(self, ending: Ending, reason: str) -> None:
        """It ended by something that the text does not say, or that weighs more than what it said."""
        self._end(ending, reason)

    def result(self, now: float) -> FileRun:
        """What came of it all. The run is over."""
        assert self.ending is not None
        if rest := self._lines.end():
            self._take(rest)
        self._flush(None)
        return FileRun(
            self._file,
            self.ending,
            self.reason,
            list(self._problems),
            self._tests,
            _joined(self._between),
            round(now - self._began, 3),
        )

    def _take(self, line: str) -> None:
        meaning = self._dialect.meaning(line, tuple(name for name, _ in self._running))
        if meaning.kind is not Kind.TEXT and self._pending[-1:] == [""]:
            self._pending.pop()  # the reporter's own, which makes sure that its line begins one
        self._pending.append(line)
        match meaning:
            case Meaning(Kind.RESTART, cause):
                self._restarted(cause)
            case Meaning(Kind.START):
                self._start()
            case Meaning(Kind.BEGIN, name):
                self._begin(name)
            case Meaning(Kind.END, name):
                self._end_of(name)
            case Meaning(Kind.BAIL_OUT, why):
                self._end(Ending.BAILED_OUT, f"The file gave up: {why or 'it does not say why'}{self._when()}")
            case Meaning(Kind.NOT_UNDERSTOOD, text):
                self._problems.append(f"A line is no TAP: {text!r}")
            case Meaning(Kind.PLAN, count=count):
                self._plan(count)
            case Meaning(Kind.SUMMARY, count=count):
                self._summary(count)
            case Meaning(Kind.ASSERTION, test, assertion=Assertion() as assertion):
                self._assert(test, assertion)
            case Meaning(Kind.TEXT):
                if line.strip() == _TRACE and not self._running:
                    self.uncaught = self._before
                self._before = line.strip() or self._before
                return
        self._deadline = self._now + self._next

    # -- what lines say --------------------------------------------------------------------------------------------

    def _start(self) -> None:
        self._started += 1
        self._assertions = 0
        if self.ending is Ending.COMPLETE:  # another run of tests, made when the one before was through
            self.ending = None

    def _begin(self, name: str) -> None:
        line = self._pending.pop()
        self._flush(None)
        self._pending = [line]
        self._running.append((name, self._new(name)))

    def _end_of(self, name: str) -> None:
        found = next((each for each in self._running if each[0] == name), None)
        if found is not None:
            self._flush(found[1])
            self._running.remove(found)
            self._last = found

    def _assert(self, name: str, assertion: Assertion) -> None:
        self._late("an assertion")
        self._assertions += 1
        self._all += 1
        number = assertion.number
        if number is not None and number != self._assertions:
            self._problems.append(f"Assertion {self._assertions} came as number {number}: a line is missing or double")
            self._assertions = number  # once, not for each that follows
        found = next((each for each in self._running if each[0] == name), None)
        if found is None and self._running:
            found = self._running[-1]
        if found is None and self._last is not None and name in (self._last[0], ""):
            found = self._last
        if found is None:
            found = (name, self._new(name))
        self._last = found
        found[1].assertions.append(assertion)
        self._flush(found[1])
        if self._planned is not None and self._all >= self._planned:
            self._end(Ending.COMPLETE, "")

    def _plan(self, count: int) -> None:
        if self._planned is None and self._all and not self._started:
            self._summary(count)  # TAP itself may have it at the end
            return
        if self._planned is not None or self._all:
            self._problems.append(f"A plan of {count} assertions came in the middle")
            return
        self._planned = count
        if not count:
            self._end(Ending.COMPLETE, "")

    def _summary(self, count: int) -> None:
        self._late("a plan")
        self._finished += 1
        if count != self._assertions:
            self._problems.append(f"There were {count} assertions, and {self._assertions} lines of them came")
        if self._finished >= self._started:
            self._end(Ending.COMPLETE, "")

    def _restarted(self, cause: str) -> None:
        if self.ending not in (None, Ending.COMPLETE):
            return  # it is restarted after what went wrong
        said = f": {cause}" if cause else ""
        when = self._when()
        if self.uncaught and not cause:
            when = f" after the error {self.uncaught!r}" + (when if self._running else "")
        self._end(Ending.RESTARTED, f"The board restarted{when}{said}")

    def _late(self, what: str) -> None:
        if self.ending is Ending.COMPLETE:
            self._problems.append(f"After the end came {what}")

    # -- sub-tests -------------------------------------------------------------------------------------------------

    def _new(self, name: str) -> SubTest:
        test = SubTest(self._names.own(name), self._now)
        self._tests.append(test)
        return test

    def _flush(self, test: SubTest | None) -> None:
        """What came since the last boundary belongs to this sub-test, or to none."""
        if test is None:
            _keep(self._between, self._pending)
        else:
            kept = [test.console] if test.console else []
            _keep(kept, self._pending)
            test.console = _joined(kept)
            test.seconds = round(self._now - test.began, 3)
        self._pending = []

    def _when(self) -> str:
        if self._running:
            return f" during {self._running[-1][1].name!r}"
        return f" after {self._last[1].name!r}" if self._last is not None else ""

    def _end(self, ending: Ending, reason: str) -> None:
        if ending is Ending.COMPLETE and self.ending is not None:
            return  # what ended before stays so; its last lines are still on their way
        self.ending, self.reason = ending, reason
        if ending is Ending.COMPLETE:
            return
        if self._running:
            self._flush(self._running[-1][1])
        for _, test in self._running:
            test.unfinished = reason
        self._running = []


def _keep(kept: list[str], more: list[str]) -> None:
    room = KEPT - sum(map(len, kept)) - len(kept)
    for line in more:
        if not kept and not line:
            continue  # an empty line at the beginning
        if room < len(line):
            if not kept or kept[-1] != "…":
                kept.append("…")
            return
        kept.append(line)
        room -= len(line) + 1


def _joined(kept: list[str]) -> str:
    return "\n".join(kept).rstrip("\n")
