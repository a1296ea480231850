"""Text that came from somewhere else, made fit to be shown and stored: nothing in it is unseen, and nothing acts."""

from __future__ import annotations

import re

#: What a browser, a terminal or an eye would not show as it is: control characters, what turns the direction of
#: writing, characters without width, and halves of pairs that no file can hold.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\ufffe\uffff\U000e0000-\U000e007f]"
)


def visible(text: str) -> str:
    """A text in which nothing is unseen: such characters are written as \\x1b. Tabs and new lines stay."""
    return _UNSEEN.sub(_escaped, text)


def _escaped(match: re.Match[str]) -> str:
    code = ord(match[0])
    if 0xDC80 <= code <= 0xDCFF:  # a byte that was no text, as Python's "surrogateescape" keeps it
        return f"\\x{code - 0xDC00:02x}"
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
