"""Lines of a board's console, and what they mean to who waits for its tests: NodeMCU's dialect of TAP, a restart, or
just text. TAP itself is read by the library tap.py.

What is different here (utils/NTestTapOut.lua, tap-driver.expect in the firmware's tests): each line of TAP has a prefix
and stands among other text; behind `#` follows the text of an assertion, no directive; and the plan comes last, as
`POST 1..N`, where N is one more than there were assertions. Our own reporter (firmware/ntest/tap.lua) says besides when
a sub-test begins and ends, and writes control characters as `\\010`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto

from tap.line import Bail, Plan, Result, Version
from tap.parser import Parser

from bridge.ntest.naming import plain
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
_NUMBERED = re.compile(r"^((?:not )?ok\b\s*\d*) ?(.*)$", re.DOTALL)


class Kind(Enum):
    """What a line of a board's console is to who waits for its tests."""

    TEXT = auto()
    """No TAP."""
    COMMENT = auto()
    """None of those that follow."""
    START = auto()
    """A run of tests starts; its text is the name of that."""
    BEGIN = auto()
    """A sub-test begins, whose name is its text."""
    END = auto()
    """A sub-test has ended, whose name is its text."""
    PLAN = auto()
    """So many assertions there will be: its count."""
    SUMMARY = auto()
    """So many assertions there were: its count."""
    BAIL_OUT = auto()
    """The tests gave up: its text says why."""
    ASSERTION = auto()
    """Its text is the sub-test whose it is, as far as the line says so."""
    NOT_UNDERSTOOD = auto()
    """Its text has the prefix and is no TAP."""
    RESTART = auto()
    """The board has restarted, or is about to: its text says why, as far as the board does."""


@dataclass(frozen=True)
class Meaning:
    """What a line means; which of these it has is said of its kind."""

    kind: Kind
    text: str = ""
    count: int = 0
    assertion: Assertion | None = None


#: Comments of reporters that say something.
_WORDS = {"STARTUP": Kind.START, "begin": Kind.BEGIN, "end": Kind.END}


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
        said = _PROMPTS.sub("", line)
        if not self._prefix or not said.startswith(self._prefix):
            if _PANIC.match(line):
                return Meaning(Kind.RESTART, boot_cause(line.encode()) or "")
            if _BANNER.search(line):
                return Meaning(Kind.RESTART)
            if self._prefix:
                return Meaning(Kind.TEXT)
        said = said.removeprefix(self._prefix)
        if said.startswith("#"):
            return self._comment(said)
        said = whole = said.rstrip()
        if after := said.startswith("POST "):
            said = said[5:]
        test, text = "", ""
        if (numbered := _NUMBERED.match(said)) and not self._directives:
            said, rest = numbered[1], plain(numbered[2])
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
                return Meaning(Kind.SUMMARY if after else Kind.PLAN, count=parsed.expected_tests - after)
            case Bail():
                return Meaning(Kind.BAIL_OUT, parsed.reason)
            case Result() if not after:
                excuse = None
                if self._directives:
                    test = parsed.description.removeprefix("- ")
                    if parsed.skip or parsed.todo:
                        excuse = parsed.directive.text
                    text = parsed.directive.text if excuse is None else ""
                assertion = Assertion(parsed.ok, parsed.number, text or test, excuse)
                return Meaning(Kind.ASSERTION, test, assertion=assertion)
            case Version() if self._directives:
                return Meaning(Kind.COMMENT)
            case _:
                # TAP's details of an assertion, which are YAML, are indented.
                detail = self._directives and self._prefix and whole.startswith(" ")
                return Meaning(Kind.COMMENT) if detail else self._none(whole)

    def _comment(self, said: str) -> Meaning:
        """What stands behind `#`; of sub-tests our own reporter alone speaks, which leaves their names as they are."""
        word, _, name = said[1:].removeprefix(" ").partition(" ")
        kind = _WORDS.get(word)
        if kind is None or (self._directives and kind is not Kind.START):
            return Meaning(Kind.COMMENT, said[1:].strip())
        return Meaning(kind, name if self._directives else plain(name))

    def _none(self, line: str) -> Meaning:
        """What has the prefix and is no TAP; where TAP has none, any text may be."""
        return Meaning(Kind.NOT_UNDERSTOOD, line) if self._prefix else Meaning(Kind.TEXT)


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
