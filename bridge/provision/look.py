"""Asks a board at its prompt, with nothing on it and nothing left behind, what provisioning wants to know."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping

from bridge.agent_source import stop_sequence
from bridge.errors import BridgeError
from bridge.inspect import BETWEEN, ask, version_of
from bridge.loader import Loader
from bridge.ports.base import Port
from bridge.provision.plan import Look
from bridge.repl import Repl

#: Seconds for a prompt: a board that boots, or is at a program, has it within these or not soon.
SYNC_SECONDS = 3.0
#: What provisioning wants besides. Passwords are not asked for: what is not read cannot be shown. A file whose name has
#: what stands between facts is not one of ours.
_MORE = """
if wifi then a("status",wifi.sta.status()) a("ssid",(wifi.sta.getconfig())) end
if file then for k,v in pairs(file.list()) do a("file",v..":"..k) end end"""


async def look(port: Port, timeout: float = 60.0) -> Look | None:
    """What a board tells; None if no NodeMCU answers at a prompt, or it cannot say.

    Args:
        port: open; its receiver is used and given back.
        timeout: seconds, once there is a prompt.

    Raises:
        PortLost: the port went away.
    """
    repl = Repl(port, stop=stop_sequence())
    try:
        await repl.sync(SYNC_SECONDS)
        loader = Loader(repl, timeout)
        try:
            await loader.prepare()
            answer = await ask(loader, _MORE)
        finally:
            with contextlib.suppress(BridgeError):
                await loader.finish()
    finally:
        repl.release()
    return read_answer(answer)


def read_answer(answer: str) -> Look:
    """The facts of an answer."""
    entries = [entry.partition("=")[::2] for entry in answer.split(BETWEEN)]
    said = dict(entries)
    files = [value.partition(":")[::2] for key, value in entries if key == "file"]
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
        files={name: int(float(size)) for size, name in files if name and size},
    )


def _whole(said: Mapping[str, str], name: str) -> int | None:
    """A whole number, however a Lua with floats writes it."""
    try:
        return int(float(said[name]))
    except (KeyError, ValueError):
        return None
