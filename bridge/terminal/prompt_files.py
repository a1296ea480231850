"""Files of a board without the agent: brought and fetched through its prompt, each piece checked by the board."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from bridge.agent_source import stop_sequence
from bridge.errors import LuaError, UsageError
from bridge.files.names import check_name, scratch_for
from bridge.files.space import Space, pages_of
from bridge.loader import Loader
from bridge.loader_lines import quoted
from bridge.ports.base import Port
from bridge.repl import Repl

#: Bytes of a file that are moved at once.
_PIECE = 256
#: Seconds for a file, and more for each byte.
_SECONDS, _SECONDS_A_BYTE = 30.0, 0.01

#: Makes the file that holds a name, and opens the one for the contents.
_BEGIN = """
local n=file.open(%s,"w") local ok=n and n:write(%s) if n then n:close() end
(...).f=ok and file.open(%s,"w") return (...).f~=nil and (...).f~=false"""
_GIVE_UP = """
local f=(...).f if f then f:close() end (...).f=nil file.remove(%s) file.remove(%s)"""
_PLACE = """
(...).f:close();(...).f=nil
local part,done,name,note=%s,%s,%s,%s
if not file.rename(part,done) then file.remove(done) if not file.rename(part,done) then return false end end
file.remove(name)
local placed=file.rename(done,name) if placed then file.remove(note) end
return placed"""


class PromptFiles:
    """What the terminal's commands work with where there is no agent; the prompt is there again after each.

    Args:
        port: open; whoever uses its receiver takes it again afterwards.
        pull_reset: resets the board whatever it is at.
    """

    def __init__(self, port: Port, pull_reset: Callable[[], Awaitable[None]]) -> None:
        self._port = port
        self._pull_reset = pull_reset

    async def put(self, name: str, data: bytes) -> None:
        """Store a file on the board, by the steps of `bridge.files.unfinished`: the old one stays until it is whole."""
        raw = check_name(name)
        scratch = scratch_for(raw)
        full = UsageError(f"{name} does not fit on the board's flash", remedy="Remove something there.")
        async with self._loader(len(data)) as loader:
            _, used, total = (await loader.run("return('%d %d %d'):format(file.fsinfo())")).split()
            if pages_of(len(data)) > Space(int(total), int(used)).pages:
                raise full
            try:
                begin = _BEGIN % (_of(scratch.name), quoted(raw), _of(scratch.part))
                if await loader.run(begin) != "true":
                    raise UsageError(
                        f"The board opens no file for {name}",
                        remedy="Programs there have four files open, or it is full: restart it, or remove something.",
                    )
                for at in range(0, len(data), _PIECE):
                    piece = quoted(data[at : at + _PIECE])
                    if await loader.run(f"return (...).f:write({piece}) and 1 or 0") != "1":
                        raise full
                if await loader.run("return (...).f:flush()") != "true":
                    raise full
            except (UsageError, LuaError):
                await loader.run(_GIVE_UP % (_of(scratch.part), _of(scratch.name)))
                raise
            names = (_of(scratch.part), _of(scratch.done), quoted(raw), _of(scratch.name))
            if await loader.run(_PLACE % names) != "true":
                raise UsageError(
                    f"The board did not put {name} in its place",
                    remedy="Does a program there have it open? Restart the board, and store it again.",
                )

    async def get(self, name: str) -> bytes:
        """A file of the board."""
        async with self._loader(64_000) as loader:
            said = await loader.run(f'local f=file.open({quoted(name.encode())});(...).f=f return f and f:seek("end")')
            if said == "nil":
                raise UsageError(f"The board has no file {name}", remedy="Look what it has: =file.list().")
            found = b""
            while len(found) < int(float(said)):
                read = f'(...).f:seek("set",{len(found)}) return((...).f:read({_PIECE // 2}):gsub(".",function(c)'
                found += bytes.fromhex(await loader.run(read + 'return("%02x"):format(c:byte())end))'))
            await loader.run("(...).f:close()")
            return found

    async def run_file(self, name: str, source: bytes) -> None:
        """Not without the agent: what it prints would stand amid what the prompt says."""
        raise UsageError("%run needs the agent", remedy="Store the file with %put, and type dofile at the prompt.")

    async def reset(self) -> None:
        """Reset the board, and leave it to boot."""
        await self._pull_reset()

    @asynccontextmanager
    async def _loader(self, size: int) -> AsyncIterator[Loader]:
        repl = Repl(self._port, stop=stop_sequence())
        try:
            await repl.sync()
            loader = Loader(repl, _SECONDS + size * _SECONDS_A_BYTE)
            try:
                await loader.prepare()
                yield loader
            except LuaError as error:
                raise UsageError(f"The board says: {error.text}", remedy="Its firmware may lack file.") from error
            finally:
                await loader.finish()
        finally:
            repl.release()


def _of(scratch: str) -> str:
    return quoted(scratch.encode())
