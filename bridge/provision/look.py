"""Asks a board at its prompt, with nothing on it and nothing left behind, what provisioning wants to know."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping

from bridge.agent_source import stop_sequence
from bridge.errors import BridgeError
from bridge.inspect import ask, version_of
from bridge.loader import Loader
from bridge.loader_lines import quoted
from bridge.mirror.modules.text import to_name
from bridge.ports.base import Port
from bridge.provision.plan import Look
from bridge.repl import Repl

#: Seconds for a prompt: a board that boots, or is at a program, has it within these or not soon.
SYNC_SECONDS = 3.0
#: Seconds for what it tells, and more for each file.
_SECONDS, _SECONDS_A_FILE = 60.0, 0.5
#: What provisioning wants besides. Passwords are not asked for: what is not read cannot be shown.
_MORE = """
if wifi then a("status",wifi.sta.status()) a("ssid",(wifi.sta.getconfig())) end
if node.LFS then a("lfs_time",node.LFS.time) end"""
#: Sizes of the files that are asked for, "-" for one that is not there. By their names, as a list of all the files of a
#: board that has hundreds would not fit its heap.
_SIZES = """
local r={} if file and file.stat then for i,n in ipairs{%s} do local s=file.stat(n) r[i]=s and s.size or "-" end end
return table.concat(r," ")"""
#: Bytes of names in one question on a good line, and on one that damages bytes.
_NAMES, _FEW_NAMES = 600, 60


async def look(port: Port, names: Iterable[str] = ()) -> Look | None:
    """What a board tells; None if no NodeMCU answers at a prompt, or it cannot say.

    Args:
        port: open; its receiver is used and given back.
        names: of the files that are of interest; of others nothing is told.

    Raises:
        PortLost: the port went away.
    """
    wanted = list(names)
    repl = Repl(port, stop=stop_sequence())
    try:
        await repl.sync(SYNC_SECONDS)
        loader = Loader(repl, _SECONDS + _SECONDS_A_FILE * len(wanted))
        try:
            await loader.prepare()
            said = await ask(loader, _MORE)
            files = await _sizes(loader, wanted)
        finally:
            with contextlib.suppress(BridgeError):
                await loader.finish()
    finally:
        repl.release()
    return read_answer(said, files)


async def _sizes(loader: Loader, names: list[str]) -> dict[str, int]:
    """Sizes in bytes of those files that are there."""
    found: dict[str, int] = {}
    left = names[::-1]
    while left:
        asked: list[str] = []
        room = _FEW_NAMES if loader.damage else _NAMES
        while left and (not asked or room > 0):
            asked.append(left.pop())
            room -= len(quoted(to_name(asked[-1])))
        answer = await loader.run(_SIZES % ",".join(quoted(to_name(name)) for name in asked))
        sizes = answer.split()
        found |= {name: int(float(size)) for name, size in zip(asked, sizes, strict=False) if size != "-"}
    return found


def read_answer(said: Mapping[str, str], files: Mapping[str, int]) -> Look:
    """The facts of an answer, and the files."""
    kilobytes = _whole(said, "flash_size")
    return Look(
        mac=said.get("mac"),
        chip_id=said.get("chip_id"),
        version=version_of(said),
        release=said.get("git_release"),
        commit=said.get("git_commit_id"),
        lua=said.get("lua"),
        modules=frozenset(name for name in said.get("modules", "").split(",") if name),
        flash_bytes=None if kilobytes is None else kilobytes << 10,
        heap=_whole(said, "heap"),
        ssid=said.get("ssid") or None,
        status=_whole(said, "status"),
        ip=None if said.get("ip") in ("", "0.0.0.0") else said.get("ip"),
        files=files,
        lfs_time=_whole(said, "lfs_time") or None,  # Lua 5.3 says 0 without an image
    )


def _whole(said: Mapping[str, str], name: str) -> int | None:
    """A whole number, however a Lua with floats writes it."""
    try:
        return int(float(said[name]))
    except (KeyError, ValueError):
        return None
