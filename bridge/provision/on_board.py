"""The steps of provisioning that are done through the agent, in their order."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from dataclasses import replace
from typing import TypeVar

from bridge.board import RESET_TIMEOUT, Board
from bridge.errors import AgentError, BridgeError, NetError, PortError
from bridge.provision.checks import check_connect
from bridge.provision.ledger import Ledger
from bridge.provision.plan import LFS_FILE, STARTUP, BoardPlan, Step, digest, has_lfs
from bridge.provision.startup import not_back
from bridge.provision.wifi import await_address, configure, join

T = TypeVar("T")

#: Told what a board is at: words, and a share of it or None.
Told = Callable[[str, float | None], None]
#: Seconds for an address of a board whose network is configured as it should be.
_ADDRESS_SECONDS = 5.0


class OnBoard:
    """The steps on one board.

    Args:
        board: with the agent on it.
        plan: what it is to be.
        ledger: where what is done is written down.
        told: see `Told`.
        restart_seconds: for the restart with a startup script.
    """

    def __init__(
        self, board: Board, plan: BoardPlan, ledger: Ledger, told: Told, *, restart_seconds: float = RESET_TIMEOUT
    ) -> None:
        self._board, self._plan, self._ledger, self._tell = board, plan, ledger, told
        self._restart_seconds = restart_seconds
        self._missing: set[str] = set()

    async def run(self, left: list[Step]) -> None:
        """Do what is left, and check.

        Raises:
            ReplError: the board does not come back with its startup script; says which that is.
            NetError: it has no address, or does not reach a host; says why.
            AgentError: the board does not take something.
            LinkError, PortError: the link or the port failed.
        """
        plan, ledger = self._plan, self._ledger
        await self._find_missing(left)
        if Step.WIFI in left:
            await self._wifi()
        if Step.FILES in left:
            await self._put(dict(plan.files))
        if Step.LFS in left:
            await self._lfs()
        if plan.startup is not None:
            if Step.STARTUP in left and await self._put({STARTUP: plan.startup}):
                ledger.changed["startup"] = None
            if ledger.record.restart:
                # What runs is what was there before: files that were changed take effect now.
                self._tell("restarting", None)
                await self._coming_back(self._board.reset(seconds=self._restart_seconds))
                ledger.keep(restart=False)
        self._tell("checking", None)
        await self._check()

    async def _coming_back(self, restart: Awaitable[T]) -> T:
        try:
            return await restart
        except PortError:
            raise
        except BridgeError as error:
            raise not_back(error, self._plan) from error

    async def _wifi(self) -> None:
        board, plan = self._board, self._plan
        wish = plan.wifi
        assert wish is not None
        there = await board.wifi.sta.getdefaultconfig(True)
        password = None if wish.password is None else wish.password.reveal()
        same = (there.ssid, there.pwd or None) == (wish.ssid, password)
        same = same and await board.wifi.getdefaultmode() in (board.wifi.STATION, board.wifi.STATIONAP)
        if not same:
            # A run that is cut off from here on leaves another network than the one that was known.
            self._ledger.keep(ssid=None, wifi_mark=None)
        if not plan.needs_address:
            if not same:
                self._tell(f"configuring {wish.ssid}", None)
                await configure(board, wish)
        else:
            self._tell(f"joining {wish.ssid}", None)
            if not same or not await await_address(board, _ADDRESS_SECONDS):
                await join(board, wish)
        if not same:
            self._ledger.changed["wifi"] = None
        self._ledger.keep(ssid=wish.ssid, wifi_mark=wish.mark)

    async def _find_missing(self, left: list[Step]) -> None:
        """Find out which files are missing, and refuse them when one has no room, before the first one is replaced."""
        board, plan = self._board, self._plan
        wanted = {
            **(dict(sorted(plan.files.items())) if Step.FILES in left else {}),
            **({STARTUP: plan.startup} if Step.STARTUP in left and plan.startup is not None else {}),
        }
        missing = {name: data for name, data in wanted.items() if not await board.files.holds(name, data)}
        comes_lfs = Step.LFS in left and plan.lfs is not None and not await self._has_lfs()
        if comes_lfs and await board.file.exists(LFS_FILE):
            # A run that was cut off has left it, and beside it there may be no room for another.
            await board.files.rm(LFS_FILE)
        await board.files.check_room(missing)
        self._missing = set(missing)
        if comes_lfs and plan.lfs is not None:
            missing.pop(STARTUP, None)  # comes when the LFS image is in its place, and its file removed
            await board.files.check_room({**missing, LFS_FILE: plan.lfs})

    async def _has_lfs(self) -> bool:
        plan, record = self._plan, self._ledger.record
        if plan.lfs is None or record.lfs != digest(plan.lfs):
            return False
        return has_lfs(plan, record, await self._lfs_time(), await self._board.node.LFS.list())

    async def _put(self, files: dict[str, bytes]) -> bool:
        """Write files that are not there; True if any was not."""
        board, ledger = self._board, self._ledger
        written = False
        for number, (name, data) in enumerate(sorted(files.items())):
            self._tell(f"file {name}", number / len(files))
            if name in self._missing:
                if not written:
                    self._about_to_write(self._missing & files.keys())
                await board.files.put(name, data)
                ledger.files[name] = None
                if name != STARTUP:
                    ledger.changed["files"] = None
                written = True
        ledger.keep(files={**ledger.record.files, **{name: digest(data) for name, data in files.items()}})
        return written

    def _about_to_write(self, names: Collection[str]) -> None:
        """Remember, before the first byte, what a run may change that is cut off: the next one must know."""
        record = self._ledger.record
        files = {name: known for name, known in record.files.items() if name not in names}
        restart = record.restart or self._plan.startup is not None
        if record.ready is not None or (files, restart) != (record.files, record.restart):
            self._ledger.keep(files=files, restart=restart)

    async def _lfs(self) -> None:
        board, plan, ledger = self._board, self._plan, self._ledger
        assert plan.lfs is not None
        if await self._has_lfs():
            return
        self._tell("LFS image", None)
        ledger.keep(lfs=None, lfs_time=None)
        await board.files.put(LFS_FILE, plan.lfs)
        refused = await self._coming_back(board.node.LFS.reload(LFS_FILE))
        await board.files.rm(LFS_FILE)
        if refused is not None:
            raise AgentError(
                f"The board does not take the LFS image: {refused}",
                port=board.url,
                remedy="Build it for this firmware (luac.cross of the same release), and the firmware with an LFS.",
            )
        ledger.changed["lfs"] = None
        # The board has restarted to take it over, and so with all that was written before.
        ledger.keep(lfs=digest(plan.lfs), lfs_time=await self._lfs_time(), restart=False)

    async def _lfs_time(self) -> int | None:
        time = await self._board.eval("node.LFS and node.LFS.time")
        return int(time) if isinstance(time, int | float) and time else None

    async def _check(self) -> None:
        board, plan, ledger = self._board, self._plan, self._ledger
        assert ledger.look is not None
        if plan.needs_address:
            seconds = plan.wifi.seconds if plan.wifi is not None else 30.0
            address = await await_address(board, seconds)
            if address is None:
                raise NetError(
                    "The board has no address", port=board.url, remedy="Give it a network with `wifi`, or check it."
                )
            ledger.look = replace(ledger.look, ip=address)
            ledger.checks[f"wifi: {address}"] = None
        for check in plan.checks.connect:
            self._tell(f"checking {check.host}", None)
            ledger.checks[await check_connect(board, check)] = None
