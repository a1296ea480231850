"""Names of files on the board (app/platform/vfs.c, app/spiffs of release 3.0.0), and those that an upload uses."""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass

from bridge.errors import UsageError

#: FS_OBJ_NAME_LEN: bytes of a name.
LONGEST = 31
_SCRATCH = re.compile(rb"(nodemcu-bridge\.[0-9a-f]{8})\.(?:part|done|name)")


def check_name(name: str, *, scratch: bool = False) -> bytes:
    """A name as the board has it.

    Args:
        name: 1 to 31 bytes of UTF-8 without NUL. "/" is a character like any other, but not the first: stock takes
            what begins so for another drive.
        scratch: names that uploads use are names, too.

    Raises:
        UsageError: the board's file system can have no file of that name, or uploads use it.
    """
    if not isinstance(name, str):
        raise UsageError(f"A {type(name).__name__} is no name of a file", remedy="Give a str.")
    try:
        raw = name.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        raise UsageError(f"{shown(name)} is no text", remedy="Leave half surrogate pairs out.") from error
    if not raw:
        raise UsageError("A file needs a name", remedy="Give one of 1 to 31 bytes.")
    if len(raw) > LONGEST:
        raise UsageError(
            f"{shown(name)} has {len(raw)} bytes, and names on the board have at most {LONGEST}",
            remedy="Choose a shorter name.",
        )
    if b"\0" in raw:
        raise UsageError(f"{shown(name)} has a NUL in it, which no name on the board can have", remedy="Leave it out.")
    if raw.startswith(b"/"):
        raise UsageError(
            f"{shown(name)} begins with a slash, which is another drive on the board", remedy="Leave the slash out."
        )
    if not scratch and scratch_tag(raw) is not None:
        raise UsageError(f"{shown(name)} is a name that uploads use", remedy="Choose another one.")
    return raw


def plain(name: str) -> str:
    """A name as text that can be written as UTF-8: what is none has its bytes written out, as in "caf\\xe9"."""
    try:
        return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:
        return name.encode("utf-8", "backslashreplace").decode()


def shown(name: str) -> str:
    """A name for people: without bytes that are no text, and with control characters written out."""
    text = plain(name)
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text) or "''"


@dataclass(frozen=True)
class Scratch:
    """What an upload of one file is called on its way; names of 28 bytes that tell whose they are.

    The checksum in them is that of the file's name. The name itself, which may be as long as these, is in a file.

    Args:
        tag: what the three begin with.
    """

    tag: str

    @property
    def part(self) -> str:
        """What has come so far."""
        return f"{self.tag}.part"

    @property
    def done(self) -> str:
        """All of it, compared, and not in its place yet."""
        return f"{self.tag}.done"

    @property
    def name(self) -> str:
        """Holds the file's name."""
        return f"{self.tag}.name"


def scratch_for(name: bytes) -> Scratch:
    """What the upload of a file is called on its way."""
    return Scratch(f"nodemcu-bridge.{zlib.crc32(name):08x}")


def scratch_tag(name: bytes) -> str | None:
    """The tag of a name that an upload uses; None for all other names."""
    found = _SCRATCH.fullmatch(name)
    return None if found is None else found[1].decode()
