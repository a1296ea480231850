"""`board.node`: the module `node` (app/modules/node.c, release 3.0.0).

What would end the link or take the console from it is refused with the way to do it; what is meant for a program that
runs on the board (`node.task.post`, `node.egc.setmode`, `node.osprint`) is left to `board.lua`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, ClassVar, Literal, NoReturn, cast, overload

from bridge.errors import BoardReset, UsageError
from bridge.mirror.lua import TableSource
from bridge.mirror.modules.face import Face
from bridge.mirror.modules.node_info import BuildConfig, Hardware, LFSInfo, PartitionTable, SoftwareVersion, Startup
from bridge.mirror.modules.text import text_table, to_name, to_table, to_text

#: Seconds for what compiles a file or writes much flash.
SLOW_TIMEOUT = 60.0


class LFS(Face):
    """`node.LFS`: the functions that are kept in the flash."""

    MODULE: ClassVar[str] = "node.LFS"

    async def list(self) -> list[str] | None:
        """Names of the functions, sorted; None without an image."""
        found = await self._one("list")
        return None if found is None else [to_text(name) for name in found]

    async def get(self, modulename: str) -> Any:
        """A function of the image as an object that can be called, or None."""
        return await self._one("get", to_name(modulename))

    async def reload(self, imageName: str) -> str | None:
        """Take another image from a file; then the board restarts, and every handle fails with `BoardReset`.

        Args:
            imageName: name of a file, made by luac.cross.

        Returns:
            None when the board is back; a text if the image is not taken.
        """
        try:
            text = await self._one("reload", to_name(imageName), timeout=SLOW_TIMEOUT)
        except BoardReset:
            await self._tables()
            return None
        return None if text is None else str(to_text(text))


class NodeConstants:
    """Constants of `node`."""

    CPU80MHZ = 80
    CPU160MHZ = 160


class Node(NodeConstants, Face):
    """The chip and its system.

    Attributes:
        LFS: `node.LFS`.

    Args:
        tables: where the table of the present boot comes from.
        reset: restarts the board and puts the agent on it again.
    """

    MODULE: ClassVar[str] = "node"

    def __init__(self, tables: TableSource, reset: Callable[[], Awaitable[None]]) -> None:
        super().__init__(tables)
        self._reset = reset
        self.LFS = LFS(tables)

    async def heap(self) -> int:
        """Free heap in bytes; there may be no single piece of that size."""
        return int(await self._one("heap"))

    async def chipid(self) -> int:
        """The chip's number: the last three bytes of its MAC address."""
        return int(await self._one("chipid"))

    async def flashid(self) -> int:
        """The flash chip's number (JEDEC)."""
        return int(await self._one("flashid"))

    async def flashsize(self) -> int:
        """Size of the flash in bytes."""
        return int(await self._one("flashsize"))

    @overload
    async def info(self, group: None = None) -> tuple[int, ...]: ...
    @overload
    async def info(self, group: Literal["hw"]) -> Hardware: ...
    @overload
    async def info(self, group: Literal["sw_version"]) -> SoftwareVersion: ...
    @overload
    async def info(self, group: Literal["build_config"]) -> BuildConfig: ...
    @overload
    async def info(self, group: Literal["lfs"]) -> LFSInfo: ...
    @overload
    async def info(self, group: str | None) -> Any: ...
    async def info(self, group: str | None = None) -> Any:
        """What the firmware says of itself and of the chip.

        Args:
            group: "hw", "sw_version", "build_config" or "lfs".

        Returns:
            A dict; see `bridge.mirror.modules.node_info`. Without a group, which stock deprecates (the board prints
            so), eight numbers: version major, minor, revision, chip id, flash id, flash size in KB, mode, speed in Hz.

        Raises:
            LuaError: "invalid option 'other'".
            UsageError: a firmware before 3.0, which knows no groups.
        """
        values = await self._call("info", group)
        if group is None:
            return values
        if not isinstance(values[0], dict):
            raise UsageError("node.info of this firmware knows no groups", remedy="Use node.info() without one.")
        return text_table(values[0])

    async def bootreason(self) -> tuple[int, ...]:
        """Why the board started: (raw code, extended cause), after an exception six registers more.

        Extended cause: 0 power on, 1 hardware watchdog, 2 exception, 3 software watchdog, 4 software restart, 5 wake
        from deep sleep, 6 external reset. `board.last_reset` has it in words.
        """
        return await self._call("bootreason")

    async def getcpufreq(self) -> int:
        """Clock of the CPU in MHz. While the bridge is on the board that is its choice: 160 unless told otherwise."""
        return int(await self._one("getcpufreq"))

    async def setcpufreq(self, speed: int) -> int:
        """Set the clock of the CPU.

        The line does not depend on it. When the board is closed, the bridge gives back the clock that it found.

        Args:
            speed: `CPU80MHZ` or `CPU160MHZ`.

        Returns:
            The clock in MHz.
        """
        return int(await self._one("setcpufreq", speed))

    async def getpartitiontable(self) -> PartitionTable:
        """Where in the flash the LFS and the file system are."""
        return cast(PartitionTable, text_table(await self._one("getpartitiontable")))

    async def compile(self, filename: str) -> None:
        """Compile a file of Lua source; "x.lua" becomes "x.lc".

        Raises:
            LuaError: "not a .lua file", what the compiler says, "cannot open/write to file".
        """
        await self._call("compile", to_name(filename), timeout=SLOW_TIMEOUT)

    async def stripdebug(self, level: int | None = None) -> int | None:
        """Set or read how much `compile` leaves out: 1 nothing, 2 names of locals, 3 line numbers too.

        Returns:
            The level, without an argument; with one, what this firmware returns: its level or nothing.

        Raises:
            LuaError: "Invalid strip level".
        """
        value = await self._one("stripdebug", level)
        return None if value is None else int(value)

    async def random(self, l: int | None = None, u: int | None = None) -> int | float:  # noqa: E741
        """A random number from the chip's noise.

        Args:
            l: with `u`, the least number; alone, the greatest, and the least is 1; none, the number is from 0 to
                below 1 (always 0 in the integer build).
            u: the greatest number.

        Raises:
            LuaError: "interval is empty".
        """
        value = await self._one("random", l, u)
        return value if isinstance(value, int) else float(value)

    async def startup(self, options: Startup | None = None) -> Startup:
        """Set or read what the next start does.

        A command that holds the prompt holds the bridge out too, until the flash is written anew.

        Args:
            options: those to change; {} sets all back; None changes nothing.

        Returns:
            All options, as they will be at the next start.
        """
        table = None if options is None else to_table(options, "node.startup")
        return cast(Startup, text_table(await self._one("startup", table)))

    async def startupcommand(self, command: str) -> bool:
        """Set what runs at the next start in place of init.lua: "@file" or "=source".

        Nothing checks it now. A command that holds the prompt holds the bridge out too, until the flash is written
        anew. Deprecated in stock for `startup({"command": …})`.

        Returns:
            False if it could not be kept.
        """
        return bool(await self._one("startupcommand", to_name(command)))

    async def restore(self) -> None:
        """Set Wi-Fi's settings in the flash back; in force after `restart`."""
        await self._call("restore")

    async def restart(self) -> None:
        """Restart the board, as `board.reset()` does: ends when the board is back. Every handle fails.

        Raises:
            LinkTimeout: it did not come back in time.
        """
        await self._reset()

    async def dsleepMax(self) -> float:
        """The longest deep sleep in µs, at the present temperature."""
        return float(await self._one("dsleepMax"))

    async def dsleep(self, us: int | None = None, option: int | None = None, instant: int | None = None) -> None:
        """Set the option of the next deep sleep. To sleep is refused: the link would end without a word.

        Args:
            us: None.
            option: 0 calibrate the radio as the init data say, 1 calibrate it, 2 do not, 4 leave it off.
            instant: None.

        Raises:
            UsageError: a time is given; says how to do it.
        """
        if us is not None:
            raise UsageError(
                "node.dsleep would end the link",
                remedy=f'Run board.exec("tmr.create():alarm(2000, 0, function() node.dsleep({us}) end)") last of all, '
                "and close the board.",
            )
        await self._call("dsleep", None, option)

    async def input(self, str: str) -> NoReturn:
        """Refused: what the prompt runs answers nobody.

        Raises:
            UsageError: always.
        """
        raise UsageError("node.input types at the prompt, where the bridge is", remedy="Use board.exec(source).")

    async def output(self, output_fn: Callable[..., Any] | None = None, serial_debug: int | None = None) -> NoReturn:
        """Refused: it would take the board's text away from the bridge.

        Raises:
            UsageError: always.
        """
        raise UsageError(
            "node.output takes what the board prints away from the line",
            remedy="Use board.on('console', function): the bridge hands the board's text on.",
        )

    async def setonerror(self, callback: Callable[..., Any] | None = None) -> NoReturn:
        """Refused: the board restarts after such an error, before a function of the host could know of it.

        Raises:
            UsageError: always.
        """
        raise UsageError(
            "A function of the host is too late for node.setonerror",
            remedy="Use board.on('reset', function), and board.last_reset for the cause.",
        )
