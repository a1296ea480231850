"""Lua source as messages."""

from __future__ import annotations

from bridge.errors import ValueRefused
from bridge.wire.messages import MAX_SOURCE, Source

#: Name of a chunk that nobody named, as it stands in error texts of the board.
CHUNK_NAME = "lua"


def source_messages(source: bytes, name: str | None = None) -> list[Source]:
    """Source as messages, to be followed at once by the call that uses it.

    Args:
        source: the source.
        name: of the chunk, for error texts; what the bridge itself wrote needs none.

    Raises:
        ValueRefused: no message can begin in a run of NULs.
    """
    messages = [] if name is None else [Source(b"\0=" + chunk_name(name))]
    at = 0
    while at < len(source):
        end = min(at + MAX_SOURCE, len(source))
        while end > at and source[end : end + 1] == b"\0":
            end -= 1  # a piece that begins with NUL would be a name
        if end == at or source[at] == 0:
            raise ValueRefused("Lua source with NULs at its beginning, or with a thousand of them, is no source")
        messages.append(Source(source[at:end]))
        at = end
    return messages if at else [*messages, Source(b" ")]


def chunk_name(name: str) -> bytes:
    """A chunk's name as the board shows it: up to 59 bytes (`luaO_chunkid`), the last ones when there are more."""
    data = name.encode("utf-8", "replace").replace(b"\0", b"?")
    return data[-59:]
