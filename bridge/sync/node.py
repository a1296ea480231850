"""The module `node` without `await`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, NoReturn, overload

from bridge.mirror.modules import node as _node
from bridge.mirror.modules.node_info import BuildConfig, Hardware, LFSInfo, PartitionTable, SoftwareVersion, Startup
from bridge.portal import portal
from bridge.sync.face import inward


class LFS:
    """`node.LFS`; see `bridge.mirror.modules.node.LFS`."""

    def __init__(self, lfs: _node.LFS) -> None:
        self._lfs = lfs

    def list(self) -> list[str] | None:
        """Names of the functions, sorted; None without an image."""
        return portal().call(self._lfs.list())

    def get(self, modulename: str) -> Any:
        """A function of the image as an object that can be called, or None."""
        return inward(portal().call(self._lfs.get(modulename)))

    def reload(self, imageName: str) -> str | None:
        """Take another image from a file; then the board restarts, and every handle fails with `BoardReset`."""
        return portal().call(self._lfs.reload(imageName))


class Node(_node.NodeConstants):
    """The module `node`; see `bridge.mirror.modules.node.Node`."""

    def __init__(self, node: _node.Node) -> None:
        self._node = node
        self.LFS = LFS(node.LFS)

    def heap(self) -> int:
        """Free heap in bytes; there may be no single piece of that size."""
        return portal().call(self._node.heap())

    def chipid(self) -> int:
        """The chip's number: the last three bytes of its MAC address."""
        return portal().call(self._node.chipid())

    def flashid(self) -> int:
        """The flash chip's number (JEDEC)."""
        return portal().call(self._node.flashid())

    def flashsize(self) -> int:
        """Size of the flash in bytes."""
        return portal().call(self._node.flashsize())

    @overload
    def info(self, group: None = None) -> tuple[int, ...]: ...
    @overload
    def info(self, group: Literal["hw"]) -> Hardware: ...
    @overload
    def info(self, group: Literal["sw_version"]) -> SoftwareVersion: ...
    @overload
    def info(self, group: Literal["build_config"]) -> BuildConfig: ...
    @overload
    def info(self, group: Literal["lfs"]) -> LFSInfo: ...
    @overload
    def info(self, group: str | None) -> Any: ...
    def info(self, group: str | None = None) -> Any:
        """What the firmware says of itself and of the chip."""
        return portal().call(self._node.info(group))

    def bootreason(self) -> tuple[int, ...]:
        """Why the board started: (raw code, extended cause), after an exception six registers more."""
        return portal().call(self._node.bootreason())

    def getcpufreq(self) -> int:
        """Clock of the CPU in MHz. While the bridge is on the board that is its choice: 160 unless told otherwise."""
        return portal().call(self._node.getcpufreq())

    def setcpufreq(self, speed: int) -> int:
        """Set the clock of the CPU."""
        return portal().call(self._node.setcpufreq(speed))

    def getpartitiontable(self) -> PartitionTable:
        """Where in the flash the LFS and the file system are."""
        return portal().call(self._node.getpartitiontable())

    def compile(self, filename: str) -> None:
        """Compile a file of Lua source; "x.lua" becomes "x.lc"."""
        portal().call(self._node.compile(filename))

    def stripdebug(self, level: int | None = None) -> int | None:
        """Set or read how much `compile` leaves out: 1 nothing, 2 names of locals, 3 line numbers too."""
        return portal().call(self._node.stripdebug(level))

    def random(self, l: int | None = None, u: int | None = None) -> int | float:  # noqa: E741
        """A random number from the chip's noise."""
        return portal().call(self._node.random(l, u))

    def startup(self, options: Startup | None = None) -> Startup:
        """Set or read what the next start does."""
        return portal().call(self._node.startup(options))

    def startupcommand(self, command: str) -> bool:
        """Set what runs at the next start in place of init.lua: "@file" or "=source"."""
        return portal().call(self._node.startupcommand(command))

    def restore(self) -> None:
        """Set Wi-Fi's settings in the flash back; in force after `restart`."""
        portal().call(self._node.restore())

    def restart(self) -> None:
        """Restart the board, as `board.reset()` does: ends when the board is back. Every handle fails."""
        portal().call(self._node.restart())

    def dsleepMax(self) -> float:
        """The longest deep sleep in µs, at the present temperature."""
        return portal().call(self._node.dsleepMax())

    def dsleep(self, us: int | None = None, option: int | None = None, instant: int | None = None) -> None:
        """Set the option of the next deep sleep. To sleep is refused: the link would end without a word."""
        portal().call(self._node.dsleep(us, option, instant))

    def input(self, str: str) -> NoReturn:
        """Refused: what the prompt runs answers nobody."""
        portal().call(self._node.input(str))

    def output(self, output_fn: Callable[..., Any] | None = None, serial_debug: int | None = None) -> NoReturn:
        """Refused: it would take the board's text away from the bridge."""
        portal().call(self._node.output(output_fn, serial_debug))

    def setonerror(self, callback: Callable[..., Any] | None = None) -> NoReturn:
        """Refused: the board restarts after such an error, before a function of the host could know of it."""
        portal().call(self._node.setonerror(callback))
