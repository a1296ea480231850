"""Asks a board at its prompt what it is, with nothing on it and nothing left behind."""

from __future__ import annotations

from bridge.agent_source import stop_sequence
from bridge.loader import Loader
from bridge.ports.base import Port
from bridge.repl import Repl

#: Between the facts; no text of the firmware has it.
_BETWEEN = "|;|"
#: 3.x answers by groups, 2.x with eight numbers and whatever it was asked (app/modules/node.c).
_QUESTION = f"""
local r={{}} local function a(k,v) if v~=nil then r[#r+1]=k.."="..tostring(v) end end
a("lua",_VERSION) a("heap",node.heap())
for _,g in ipairs{{"sw_version","build_config","hw"}} do
local ok,t=pcall(node.info,g)
if ok and type(t)=="table" then for k,v in pairs(t) do a(k,v) end end end
a("chip_id",("%06x"):format(node.chipid()))
if wifi then a("mac",wifi.sta.getmac()) a("ip",(wifi.sta.getip())) end
if net and net.ifinfo then local i=net.ifinfo(0) if i then a("ip",i.ip) end end
return table.concat(r,"{_BETWEEN}")
"""
#: Firmware's name → ours, in the order in which people want them.
_NAMES = {
    "version": "version",
    "git_release": "release",
    "git_commit_id": "commit",
    "lua": "lua",
    "number_type": "number",
    "modules": "modules",
    "ssl": "ssl",
    "lfs_size": "lfs_size",
    "heap": "heap",
    "chip_id": "chip_id",
    "mac": "mac",
    "ip": "ip",
    "flash_size": "flash_kb",
    "flash_mode": "flash_mode",
    "flash_speed": "flash_hz",
}


async def inspect_board(port: Port, timeout: float = 30.0) -> dict[str, str]:
    """What firmware and hardware answer: version, lua, modules, heap, chip_id, mac, ip, ….

    Args:
        port: open; its receiver is used and given back.
        timeout: seconds.

    Returns:
        Facts as text, those that the firmware gives.

    Raises:
        NotNodeMCU: something else answers, or nothing does.
        ReplError: the prompt could not be made to run anything.
        PortLost: the port went away.
    """
    repl = Repl(port, stop=stop_sequence())
    try:
        await repl.sync()
        loader = Loader(repl, timeout)
        await loader.prepare()
        try:
            answer = await loader.run(_QUESTION)
        finally:
            await loader.finish()
    finally:
        repl.release()
    said = dict(entry.partition("=")[::2] for entry in answer.split(_BETWEEN))
    numbers = [said.get(f"node_version_{part}") for part in ("major", "minor", "revision")]
    if all(numbers):
        said["version"] = ".".join(number for number in numbers if number)
    return {name: said[key] for key, name in _NAMES.items() if said.get(key, "") != ""}
