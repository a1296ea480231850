"""What the heap model sees of a board's VM."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from bridge.virtual.lua.runtime import Runtime
    from bridge.virtual.sdk.system import System


class LuaState(Protocol):
    """What the model needs of the VM."""

    version: str

    def state_address(self) -> int:
        """Address of a `lua_State`."""

    def anchor(self) -> int:
        """Address of a table that is made now and lives as long as the VM."""

    def collect(self) -> None:
        """A full collection."""

    def userdata_size(self, address: int) -> int | None:
        """Bytes on the chip of a userdata of the firmware, or None for another."""

    def pipe_chunks(self) -> list[bytes]:
        """What is in each chunk of all pipes."""

    def makers(self) -> dict[str, int]:
        """Addresses of the functions that make closures which the chip does not have (`standins`); perhaps none."""

    def collects_always(self) -> bool:
        """True while the collector runs before every allocation (EGC ALWAYS of 5.1)."""

    def look(self) -> int:
        """Bring the collector's model up to date; what Lua counts, in bytes. Asked in the other modes only."""

    def fits(self, size: int) -> bool:
        """True if Lua can take more than so many bytes, after a collection if its mode has one for that."""


class BoardLua:
    """Implements `LuaState`.

    Args:
        lua: the VM.
        system: the board around it.
    """

    def __init__(self, lua: Runtime, system: System) -> None:
        self.version = lua.version
        self._lua = lua
        self._system = system
        self._anchor: Any = None

    def state_address(self) -> int:
        """Address of a `lua_State`."""
        return self._lua.state_address()

    def anchor(self) -> int:
        """Address of a table that is made now and lives as long as this object."""
        self._anchor = self._lua.vm.table()
        return int(self._lua.board[b"raw_tostring"](self._anchor).rpartition(b"0x")[2], 16)

    def collect(self) -> None:
        """A full collection."""
        self._system.collect()

    def userdata_size(self, address: int) -> int | None:
        """Bytes on the chip of a userdata of the firmware, or None for another."""
        return self._lua.objects.size_at(address)

    def pipe_chunks(self) -> list[bytes]:
        """What is in each chunk of all pipes."""
        return [text for _, text in self._lua.board[b"pipe_chunks"].items()]

    def makers(self) -> dict[str, int]:
        """Addresses of the functions that make closures which the chip does not have."""
        text = self._lua.board[b"raw_tostring"]
        makers = self._lua.board[b"makers"].items()
        return {name.decode(): int(text(function).rpartition(b"0x")[2], 16) for name, function in makers}

    def collects_always(self) -> bool:
        """True while the collector runs before every allocation."""
        return self._system.account.always

    def look(self) -> int:
        """Bring the collector's model up to date; what Lua counts, in bytes."""
        collecting = self._system.account.collecting
        collecting.look()
        return collecting.total

    def fits(self, size: int) -> bool:
        """True if Lua can take more than so many bytes."""
        return self._system.account.collecting.fits(size)
