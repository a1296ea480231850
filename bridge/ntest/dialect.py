"""Lines of a board's console, and what they mean to who waits for its tests: NodeMCU's dialect of TAP, a restart, or
just text. TAP itself is read by the library tap.py.

What is different here (utils/NTestTapOut.lua, tap-driver.expect in the firmware's tests): each line of TAP has a prefix
and stands among other text; behind `#` follows the text of an assertion, no directive; and the plan comes last, as
`POST 1..N`, where N is one more than there were assertions.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from tap.line import Bail, Plan, Result
from tap.parser import Parser

from bridge.ntest.results import Assertion
from bridge.wire.liveness import boot_cause

#: Of lines that the firmware's reporter prints, and its driver looks for.
PREFIX = "TAP: "
#: A line may not be longer, in bytes; what is comes as several.
LONGEST = 4096

#: What a board says when it starts (app/lua/lua.c; tap-driver.expect looks for the same).
_BANNER = re.compile(r"(?:^| )powered by Lua [\d.]+ on SDK [\d.]+")
_PANIC = re.compile(r"^PANIC: unprotected error")
#: What the prompt writes before anything else can.
_PROMPTS = re.compile(r"^(?:>>? )+")
_ERROR = "exn; "
_NUMBERED = re.compile(r"^((?:not )?ok\b\s*\d*)\s*(.*)$", re.DOTALL)


@dataclass(frozen=True)
class Text:
    """No TAP."""


@dataclass(frozen=True)
class Comment:
    """A comment: what stands behind its `#`."""

    text: str


@dataclass(frozen=True)
class Planned:
    """So many assertions there are.

    Attributes:
        after: it was said after them.
    """

    count: int
    after: bool


@dataclass(frozen=True)
class BailOut:
    """The tests gave up."""

    reason: str


@dataclass(frozen=True)
class Asserted:
    """An assertion.

    Attributes:
        test: whose it is, as far as the line says so.
    """

    test: str
    assertion: Assertion


@dataclass(frozen=True)
class NotUnderstood:
    """A line with the prefix that is no TAP."""

    text: str


@dataclass(frozen=True)
class Restarted:
    """The board has restarted, or is about to.

    Attributes:
        cause: as far as it says so; None if it does not.
    """

    cause: str | None


Meaning = Text | Comment | Planned | BailOut | Asserted | NotUnderstood | Restarted


class Lines:
    """Cuts what comes from a console into lines."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[str]:
        """The lines that are whole with these bytes, without their ends; what is no UTF-8 is replaced."""
        *whole, self._rest = (self._rest + data).split(b"\n")
        while len(self._rest) > LONGEST:
            whole.append(self._rest[:LONGEST])
            self._rest = self._rest[LONGEST:]
        return [self._text(line) for line in whole]

    def end(self) -> str:
        """What is left of a line without an end."""
        rest, self._rest = self._rest, b""
        return self._text(rest)

    @staticmethod
    def _text(line: bytes) -> str:
        return line.rstrip(b"\r").decode("utf-8", "replace").replace("\r", "")


class Dialect:
    """Says what lines mean.

    Args:
        prefix: of lines of TAP; if it is empty, lines that are no TAP are just text.
        directives: what follows `#` may be SKIP or TODO, as in TAP itself. In the dialect it is text, which may well
            begin with "skip".
    """

    def __init__(self, prefix: str = PREFIX, *, directives: bool = False) -> None:
        self._prefix = prefix
        self._directives = directives
        self._parser = Parser()

    def meaning(self, line: str, names: tuple[str, ...] = ()) -> Meaning:
        """What a line means.

        Args:
            line: without its end.
            names: of sub-tests that may be running, which may hold a `#`.
        """
        if _PANIC.match(line):
            return Restarted(boot_cause(line.encode()))
        if _BANNER.search(line):
            return Restarted(None)
        line = _PROMPTS.sub("", line)
        if not line.startswith(self._prefix):
            return Text()
        said = whole = line[len(self._prefix) :].rstrip()
        if said.startswith("#"):
            return Comment(said[1:].strip())
        if after := said.startswith("POST "):
            said = said[5:]
        test, text = "", ""
        if (numbered := _NUMBERED.match(said)) and not self._directives:
            said, rest = numbered[1], numbered[2]
            test, text = _split(rest, names)
            if said.startswith("not"):
                text = _reason(text)
        try:
            parsed = self._parser.parse_line(said)
        except ValueError:  # a number of more digits than Python reads, or a version before TAP had any
            return self._none(whole)
        match parsed:
            case Plan() if (
                said.startswith("1..") and parsed.expected_tests >= after
            ):  # "15f7" is a plan for tap.py, too
                return Planned(parsed.expected_tests - after, after)
            case Bail():
                return BailOut(parsed.reason)
            case Result() if not after:
                excuse = None
                if self._directives:
                    test = parsed.description.removeprefix("- ")
                    if parsed.skip or parsed.todo:
                        excuse = parsed.directive.text
                    text = parsed.directive.text if excuse is None else ""
                return Asserted(test, Assertion(parsed.ok, parsed.number, text or test, excuse))
            case _:
                return self._none(whole)

    def _none(self, line: str) -> Meaning:
        """What has the prefix and is no TAP; where TAP has none, any text may be."""
        return NotUnderstood(line) if self._prefix else Text()


def _reason(text: str) -> str:
    """Of an assertion that was not met: the reporter puts a colon after it, and its own word before an error."""
    text = text.removesuffix(":").rstrip()
    return "error: " + text.removeprefix(_ERROR) if text.startswith(_ERROR) else text


def _split(rest: str, names: tuple[str, ...]) -> tuple[str, str]:
    """A sub-test's name and an assertion's text, which `#` divides."""
    for name in sorted(names, key=len, reverse=True):
        if rest == name or rest.startswith(f"{name} #"):
            return name, rest[len(name) :].removeprefix(" #").strip()
    name, _, text = rest.partition("#")
    return name.strip(), text.strip()
