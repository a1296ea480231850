"""Asks a board at its prompt what it is, with nothing on it and nothing left behind."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from bridge.agent_source import stop_sequence
from bridge.errors import AgentError, LuaError
from bridge.loader import Loader
from bridge.ports.base import Port
from bridge.repl import Repl

#: Bytes of facts that the board puts into one string: stock firmware refuses strings of 4096 bytes and more.
_STRING = 1000
#: Between the facts. Where a text has it, or anything but plain ASCII, the board writes the byte out, as in "\\fc".
_BETWEEN = "|"
_WRITTEN_OUT = re.compile(rb"\\([0-9a-f]{2})")
_BEGIN = f"""
local r={{""}} local function a(k,v) if v~=nil then
v=k.."="..tostring(v):gsub("[^ -[%]^-{{}}~]",function(c) return ("\\\\%02x"):format(c:byte()) end).."{_BETWEEN}"
if #r[#r]+#v>{_STRING} then r[#r+1]=v else r[#r]=r[#r]..v end end end
"""
#: 3.x answers by groups, 2.x with eight numbers and whatever it was asked (app/modules/node.c).
_QUESTION = """
a("lua",_VERSION) a("heap",node.heap())
for _,g in ipairs{"sw_version","build_config","hw"} do
local ok,t,n,p,_,_,kb,m,hz=pcall(node.info,g)
if ok and type(t)=="table" then for k,v in pairs(t) do a(k,v) end
elseif ok and hz and g=="hw" then a("version",t.."."..n.."."..p) a("flash_size",kb) a("flash_mode",m)
a("flash_speed",hz) a("number_type",1/2==0 and "integer" or "float") end end
a("chip_id",("%06x"):format(node.chipid()))
if wifi then a("mac",wifi.sta.getmac()) a("ip",(wifi.sta.getip())) end
if net and net.ifinfo then local i=net.ifinfo(0) if i then a("ip",i.ip) end end
"""
#: Bytes of the answer to fetch at once on a good line, and on one that has damaged something: a damaged answer is asked
#: for again, and one of 300 bytes hardly ever comes whole where each fiftieth byte is damaged.
_WHOLE, _PIECE = 1000, 32
#: What is said of a board: text, a number, yes or no, names; None where the firmware does not say.
Fact = str | int | bool | list[str] | None


def _number(text: str) -> int | None:
    """A whole number, however a Lua with floats writes it; None if it is none."""
    try:
        number = float(text)
    except ValueError:
        return None
    return int(number) if number.is_integer() else None


def _flag(text: str) -> bool | None:
    return {"true": True, "false": False}.get(text)


def _names(text: str) -> list[str]:
    return [name for name in text.split(",") if name]


#: Firmware's name → ours and how it is read, in the order in which people want them.
_FACTS: dict[str, tuple[str, Callable[[str], Fact]]] = {
    "version": ("version", str),
    "git_release": ("release", str),
    "git_commit_id": ("commit", str),
    "lua": ("lua", str),
    "number_type": ("number", str),
    "modules": ("modules", _names),
    "ssl": ("ssl", _flag),
    "lfs_size": ("lfs_size", _number),
    "heap": ("heap", _number),
    "chip_id": ("chip_id", str),
    "mac": ("mac", str),
    "ip": ("ip", str),
    "flash_size": ("flash_kb", _number),
    "flash_mode": ("flash_mode", _number),
    "flash_speed": ("flash_hz", _number),
}


async def ask(loader: Loader, more: str = "") -> dict[str, str]:
    """What a board says of itself: each fact by its name.

    Args:
        loader: prepared.
        more: Lua that adds facts: `a(name, value)` adds one that is not nil.

    Returns:
        Texts as UTF-8; bytes that are none as surrogates, as in file names.

    Raises:
        LuaError: the firmware lacks what the question needs.
        ReplError, PortLost: as `inspect_board`.
    """
    lengths = "local n={} for i=1,#r do n[i]=#r[i] end return table.concat(n,' ')"
    sizes = await loader.run(f"{_BEGIN}{_QUESTION}{more}\n(...).said=r {lengths}")
    answer = b""
    for number, size in enumerate(map(_size, sizes.split()), 1):
        at = 0
        # In pieces that the line lets through.
        while at < size:
            most = _PIECE if loader.damage else _WHOLE
            piece = await loader.run(f"return(...).said[{number}]:sub({at + 1},{at + most})")
            answer, at = answer + piece.encode("latin-1"), at + len(piece)
    entries = [entry.partition(b"=")[::2] for entry in answer.split(_BETWEEN.encode()) if entry]
    return {name.decode(): _text(value) for name, value in entries}


def _size(text: str) -> int:
    return int(float(text))


def _text(written: bytes) -> str:
    raw = _WRITTEN_OUT.sub(lambda found: bytes.fromhex(found[1].decode()), written)
    return raw.decode("utf-8", "surrogateescape")


def version_of(said: Mapping[str, str]) -> str | None:
    """The firmware's version among the facts of an answer, as "3.0.0"; None if it says none."""
    numbers = [said.get(f"node_version_{part}") for part in ("major", "minor", "revision")]
    return ".".join(number for number in numbers if number) if all(numbers) else said.get("version")


async def inspect_board(port: Port, timeout: float = 120.0) -> dict[str, Fact]:
    """What firmware and hardware answer: version, lua, modules, heap, chip_id, mac, ip, ….

    Args:
        port: open; its receiver is used and given back.
        timeout: seconds for all of it; it is given up sooner when nothing has got through for 10 s.

    Returns:
        All facts by name: `modules` a list of names, `ssl` a bool, `heap` and `lfs_size` in bytes, `flash_kb` in KiB,
        `flash_mode` the SPI mode's number, `flash_hz` in Hz, all else text (`chip_id` in hexadecimal). What the
        firmware does not say is None.

    Raises:
        NotNodeMCU: something else answers, or nothing does.
        BootLoop: the board restarts again and again.
        AgentError: its firmware lacks the module node.
        BoardOutOfMemory: its heap is too small for the question.
        ReplError: the prompt could not be made to run anything.
        PortLost: the port went away.
    """
    repl = Repl(port, stop=stop_sequence())
    try:
        await repl.sync()
        loader = Loader(repl, timeout)
        try:
            await loader.prepare()
            said = await ask(loader)
        except LuaError as error:
            raise AgentError(
                f"The board cannot say what it is: {error.text}",
                port=port.url,
                remedy="Its firmware may lack the module node; flash one that has node, tmr, uart and net.",
            ) from error
        finally:
            await loader.finish()
    finally:
        repl.release()
    said["version"] = version_of(said) or ""
    return {name: read(said[key]) if said.get(key) else None for key, (name, read) in _FACTS.items()}
