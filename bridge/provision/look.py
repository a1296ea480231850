"""Asks a board at its prompt, with nothing on it and nothing left behind, what provisioning wants to know."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping

from bridge.agent_source import stop_sequence
from bridge.errors import BridgeError
from bridge.loader import Loader
from bridge.ports.base import Port
from bridge.provision.plan import Look
from bridge.repl import Repl

#: Between facts; no text of the firmware has it, and a file's name that has is not one of ours.
_BETWEEN = "|;|"
#: Seconds for a prompt: a board that boots, or is at a program, has it within these or not soon.
SYNC_SECONDS = 3.0
#: Passwords are not asked for: what is not read cannot be shown.
_QUESTION = f"""
local r={{}} local function a(k,v) if v~=nil then r[#r+1]=k.."="..tostring(v) end end
a("lua",_VERSION) a("heap",node.heap())
for _,g in ipairs{{"sw_version","build_config","hw"}} do
local ok,t,n,p,_,_,kb,m,hz=pcall(node.info,g)
if ok and type(t)=="table" then for k,v in pairs(t) do a(k,v) end
elseif ok and hz and g=="hw" then a("version",t.."."..n.."."..p) a("flash_size",kb) end end
a("chip_id",("%06x"):format(node.chipid()))
if wifi then a("mac",wifi.sta.getmac()) a("ip",(wifi.sta.getip())) a("status",wifi.sta.status())
a("ssid",(wifi.sta.getconfig())) end
if file then for k,v in pairs(file.list()) do r[#r+1]="file="..v..":"..k end end
r=table.concat(r,"{_BETWEEN}");(...).said=r return #r
"""
_PIECE, _WHOLE = 32, 1000


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
            size = int(float(await loader.run(_QUESTION)))
            answer = ""
            while len(answer) < size:
                most = _PIECE if loader.damage else _WHOLE
                answer += await loader.run(f"return(...).said:sub({len(answer) + 1},{len(answer) + most})")
        finally:
            with contextlib.suppress(BridgeError):
                await loader.finish()
    finally:
        repl.release()
    return read_answer(answer)


def read_answer(answer: str) -> Look:
    """The facts of an answer."""
    entries = [entry.partition("=")[::2] for entry in answer.split(_BETWEEN)]
    said = dict(entries)
    files = [value.partition(":")[::2] for key, value in entries if key == "file"]
    numbers = [said.get(f"node_version_{part}") for part in ("major", "minor", "revision")]
    version = ".".join(number for number in numbers if number) if all(numbers) else said.get("version")
    kilobytes = _whole(said, "flash_size")
    return Look(
        mac=said.get("mac"),
        chip_id=said.get("chip_id"),
        version=version,
        release=said.get("git_release"),
        commit=said.get("git_commit_id"),
        lua=said.get("lua"),
        modules=frozenset(name for name in said.get("modules", "").split(",") if name),
        flash_bytes=None if kilobytes is None else kilobytes << 10,
        heap=_whole(said, "heap"),
        ssid=said.get("ssid") or None,
        status=_whole(said, "status"),
        ip=said.get("ip") or None,
        files={name: int(float(size)) for size, name in files if name and size},
    )


def _whole(said: Mapping[str, str], name: str) -> int | None:
    """A whole number, however a Lua with floats writes it."""
    try:
        return int(float(said[name]))
    except (KeyError, ValueError):
        return None
