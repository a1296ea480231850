"""What a board prints when Lua errs where nobody catches it.

A callback of `tmr`, `uart`, `node.task`, … prints its error and a traceback, and the firmware restarts two seconds
later (node.c `default_onerror`); one of `net` or `tls`, and every one on firmware 2.x, is a PANIC, and the watchdog
restarts the board.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# A prompt, where nobody has typed, stands before what is printed.
_TRACED = re.compile(
    rb"(?:>{1,2} )*(?P<message>[^\r\n]*)\r?\nstack traceback:\r?\n(?P<frames>(?:\t[^\r\n]*(?:\r?\n|\Z))*)"
)
_PANIC = re.compile(rb"PANIC: unprotected error in call to Lua API \((?P<message>[^\r\n]*)\)")
#: A chunk's name with the number of a line, at the beginning of a message or of a frame.
_PLACE = re.compile(rb"(?:^|\n)\t?(?P<chunk>[^\s:\[][^:\r\n]{0,59}):\d+: ")


@dataclass(frozen=True)
class UncaughtError:
    """An error of Lua that was caught by nobody.

    Attributes:
        message: of Lua, with the place before it.
        chunks: names of the chunks that it says it came through, the innermost first.
        panic: the board hangs until its watchdog restarts it; else it restarts after two seconds.
        end: where its text ends in what was searched.
    """

    message: str
    chunks: tuple[str, ...]
    panic: bool
    end: int


def uncaught_errors(console: bytes) -> list[UncaughtError]:
    """The errors in what a board printed, in order."""
    found = []
    for match in _TRACED.finditer(console):
        text = match["message"] + b"\n" + match["frames"]
        found.append(UncaughtError(_text(match["message"]), _chunks(text), panic=False, end=match.end()))
    for match in _PANIC.finditer(console):
        found.append(UncaughtError(_text(match["message"]), _chunks(match["message"]), panic=True, end=match.end()))
    return sorted(found, key=lambda error: error.end)


def _chunks(text: bytes) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_text(match["chunk"]) for match in _PLACE.finditer(text)))


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
