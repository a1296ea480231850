"""What a NodeMCU build says of itself, from the text that it prints when it starts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

#: app/include/user_version.h and tools/update_buildinfo.sh; releases before 0.9.5 of 2015 wrote "NodeMcu".
_BEGIN, _POWERED = re.compile(rb"NodeM[Cc][Uu] "), b"powered by Lua "
#: Bytes of a banner before and behind that, and banners of one file, that are looked at. Whatever a file holds, reading
#: it takes time by its length and not by the square of it.
_BEFORE, _BEHIND, _MOST = 6000, 400, 16
_FIELD = re.compile(r"^[ \t]*([A-Za-z][A-Za-z ]*):[ \t]*(.*)$", re.M)
_SDK_COMMIT = re.compile(rb"\([0-9a-f]{6,10}\)")
_SDK_NUMBER = re.compile(rb"(?<![\w.])\d{1,3}\.\d{1,3}\.\d{1,3}(?:[-.][\w.]{1,20})?$")
#: What build services put before the date.
_DATE_WORDS = re.compile(r"(?:built on:|created on)\s*")
#: In the banner of images for virtual boards.
_STAND_IN = "stand-in for a stock build, made by nodemcu-bridge"
#: Text that a build has only with a module (the names of its functions), for builds that do not list them.
_SIGNS = {
    "file": b"fsinfo\0",
    "net": b"createServer\0",
    "node": b"chipid\0",
    "ow": b"reset_search\0",
    "tmr": b"wdclr\0",
    "uart": b"uart\0",
    "wifi": b"setphymode\0",
}


@dataclass(frozen=True)
class ImageFacts:
    """What a NodeMCU build says of itself. Texts that a build does not carry are empty."""

    lua: str
    """"5.1" or "5.3"."""
    number: str
    """"float", "integer" or "double"."""
    modules: tuple[str, ...]
    """Lower case, in the order of the image; where it lists none, those the bridge can tell by their functions."""
    ssl: bool
    version: str
    """As in "NodeMCU 3.0.0.0"."""
    release: str
    build_date: str
    branch: str = ""
    commit: str = ""
    lfs_size: int | None = None
    """Bytes of Lua's flash store that it makes room for, or None if it does not say."""
    sdk: str = ""
    listed: bool = True
    """True if the build lists its modules itself."""
    stand_in: bool = False
    """True for an image for virtual boards, which a real one cannot run."""


def find_facts(data: bytes) -> ImageFacts | None:
    """What the build in these bytes says of itself, or None if it is not NodeMCU (app/include/user_version.h).

    Args:
        data: all of the image.
    """
    found = max(_banners(data), key=len, default=None)
    if found is None:
        return None
    text = found.decode("latin-1")
    fields = {name.strip(): value.strip() for name, value in _FIELD.findall(text)}
    version = re.match(r"NodeM[Cc][Uu] (\d[\d.]*)", text)
    lfs = re.match(r"(0x[0-9a-fA-F]+|\d+)\b", fields.get("LFS", ""))
    listed = "modules" in fields
    names = tuple(name.strip() for name in fields.get("modules", "").split(","))
    return ImageFacts(
        lua="5.3" if "powered by Lua 5.3" in text else "5.1",
        number=(fields.get("build type") or fields.get("Build type") or "float").lower(),
        modules=tuple(name for name in names if name not in ("", "-")) if listed else _by_signs(data),
        ssl=fields.get("SSL", "").lower() == "true",
        version=version.group(1) if version else "",
        release=fields.get("release", ""),
        build_date=_date(text),
        branch=fields.get("branch", ""),
        commit=fields.get("commit", ""),
        lfs_size=int(lfs.group(), 0) if lfs else None,
        sdk=_sdk(found) or _sdk(data),
        listed=listed,
        stand_in=_STAND_IN in text,
    )


def _banners(data: bytes) -> Iterator[bytes]:
    """Texts from "NodeMCU …" to behind "powered by Lua …", each within one C string."""
    at = -1
    for _ in range(_MOST):
        at = data.find(_POWERED, at + 1)
        if at < 0:
            return
        lowest = max(0, at - _BEFORE)
        lowest = max(lowest, data.rfind(b"\0", lowest, at) + 1)
        begin = _BEGIN.search(data, lowest, at)
        if begin is not None:
            end = data.find(b"\0", at, at + _BEHIND)
            yield data[begin.start() : end if end >= 0 else at + _BEHIND]


def _sdk(data: bytes) -> str:
    """The SDK's name, as "3.0.1-dev(fce080e)"."""
    for commit in _SDK_COMMIT.finditer(data):
        number = _SDK_NUMBER.search(data[max(0, commit.start() - 40) : commit.start()])
        if number is not None:
            return (number.group() + commit.group()).decode("ascii")
    return ""


def _date(text: str) -> str:
    before = text.partition("powered by")[0]
    _, found, date = before.rpartition("build")
    date = _DATE_WORDS.sub("", date.strip(), count=1)
    return date if found and date[:1].isdigit() and "\n" not in date else ""


def _by_signs(data: bytes) -> tuple[str, ...]:
    return tuple(name for name, sign in sorted(_SIGNS.items()) if sign in data)
