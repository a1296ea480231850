"""The beginning and the end of a long text."""

from __future__ import annotations

import re

from bridge.rack_report.model import Excerpt
from bridge.rack_report.visible import visible

#: How much of a text is kept of its beginning and of its end, in characters. What went wrong stands at the end.
HEAD, TAIL = 1000, 3000
#: The same in lines.
_HEAD_LINES, _TAIL_LINES = 12, 24

#: Ends of lines as a board sends them.
_LINE_END = re.compile(r"\r+\n")


def excerpt(text: str, head: int = HEAD, tail: int = TAIL) -> Excerpt:
    """The beginning and the end of a text, in visible characters.

    Args:
        text: whatever it is.
        head: characters to keep of its beginning.
        tail: characters to keep of its end.
    """
    # What is left out is not looked at: a flood of a hundred megabytes costs no more than what is shown of it.
    begin, end = text[:head], text[max(len(text) - tail, head) :] if tail else ""
    if len(begin) + len(end) == len(text) and text.count("\n") <= _HEAD_LINES + _TAIL_LINES:
        return Excerpt(head=_lines(text))
    begin = "".join(begin.splitlines(keepends=True)[:_HEAD_LINES])
    if begin.endswith("\r") and text[len(begin) : len(begin) + 4].lstrip("\r").startswith("\n"):
        begin = begin.rstrip("\r")
    end = "".join(end.splitlines(keepends=True)[-_TAIL_LINES:])
    return Excerpt(head=_lines(begin), left_out=len(text) - len(begin) - len(end), tail=_lines(end))


def shorter(text: Excerpt, head: int, tail: int) -> Excerpt:
    """An excerpt of which less is shown; what it had left out before is counted too."""
    if len(text.head) + len(text.tail) <= head + tail:
        return text
    if not text.left_out:
        return Excerpt(head=text.head[:head], left_out=len(text.head) - head - tail, tail=text.head[-tail:])
    begin, end = text.head[:head], text.tail[-tail:]
    gone = len(text.head) - len(begin) + len(text.tail) - len(end)
    return Excerpt(head=begin, left_out=text.left_out + gone, tail=end)


def _lines(text: str) -> str:
    return visible(_LINE_END.sub("\n", text))
