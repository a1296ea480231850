"""One board's way from whatever it is to what its plan says. Each step looks first, so it can be cut off anywhere."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from bridge.board import Board
from bridge.errors import AgentError, BridgeError, FlashError, LinkError, NotNodeMCU, PortBusy, PortError
from bridge.flash import FLASH_BAUD, flash_image
from bridge.flashing.output import FlashProgress
from bridge.flashing.start import await_prompt
from bridge.link.speed import LADDER
from bridge.opening import open_board
from bridge.ports.lock import hold_port
from bridge.ports.open import open_port
from bridge.provision.checks import check_connect, check_firmware
from bridge.provision.claims import Claims
from bridge.provision.look import look
from bridge.provision.place import Finder
from bridge.provision.plan import (
    LFS_FILE,
    STARTUP,
    BoardPlan,
    Look,
    Record,
    Step,
    asked_steps,
    digest,
    firmware_of,
    plan_digest,
    steps_left,
)
from bridge.provision.record import Records
from bridge.provision.report import BoardReport, Identity
from bridge.provision.wifi import await_address, join

T = TypeVar("T")

#: Told what a board is at: words, and a share of it or None.
Told = Callable[[str, float | None], None]
#: So often a board is begun with when its line or port fails in between.
TRIES = 3
#: Seconds for a port that is just being given back (a run that was killed), and for one that comes back.
PATIENCE = 6.0


class BoardRun:
    """One run on one board.

    Args:
        plan: what it is to be.
        records: what is known of boards.
        verify: compare the flash itself, whatever is known.
        logs: folder for esptool's output and traces, or None.
        told: see `Told`.
        claims: of the run, of which this board is one.
    """

    def __init__(
        self, plan: BoardPlan, records: Records, *, verify: bool = False, logs: Path | None = None, told: Told,
        claims: Claims,
    ) -> None:  # fmt: skip
        self._plan, self._records, self._verify, self._logs, self._tell = plan, records, verify, logs, told
        self._finder = Finder(plan, records, claims)
        self._url: str | None = None
        self._look: Look | None = None
        self._record: Record | None = None
        self._chip: str | None = None
        self._flash_size = 0
        self._mac: str | None = None
        self._changed: dict[str, None] = {}
        self._files: dict[str, None] = {}
        self._checks: list[str] = []
        self._missing: set[str] = set()
        self._files_lost = False

    async def run(self) -> BoardReport:
        """Make the board ready. What goes wrong is in the report."""
        began = time.monotonic()
        error = None
        try:
            await self._with_patience(self._once)
        except BridgeError as failure:
            error = str(failure)
            self._tell(f"failed: {failure.message}", None)
        return self._report(error, time.monotonic() - began)

    async def _with_patience(self, work: Callable[[], Awaitable[None]]) -> None:
        """Begin again when the line or the port failed: what is done stays done."""
        for attempt in range(1, TRIES + 1):
            try:
                return await work()
            except (LinkError, PortError) as error:
                if attempt == TRIES:
                    raise
                self._tell(f"once more: {error.message}", None)

    async def _once(self) -> None:
        url = await self._finder.find()
        # Also between the steps, of which each lets the port go: another run must not come between them.
        with hold_port(url):
            await self._make_ready(url)

    async def _make_ready(self, url: str) -> None:
        plan = self._plan
        self._url = url
        self._tell("looking", None)
        self._look, reason = await self._look_at(url)
        if self._look is not None:
            self._identify(self._look.mac)
        elif not plan.image:
            raise reason or NotNodeMCU("No NodeMCU answers", port=url)
        known = self._look if self._record is not None else None
        left = asked_steps(plan) if self._verify else steps_left(plan, known, self._record)
        if not left:
            self._keep(ready=plan_digest(plan))  # it may be at another place than before
            self._tell("ready; nothing to do", 1.0)
            self._checks += self._told_checks()
            return
        if Step.FIRMWARE in left:
            await self._firmware(url)
        assert self._look is not None
        if plan.facts is not None:
            self._checks.append(check_firmware(self._look, plan.facts, url))
        if set(left) - {Step.FIRMWARE}:
            self._tell("putting the agent on the board", None)
            trace = None if self._logs is None else self._logs / f"{plan.name}.trace"
            speeds = tuple(reversed(plan.profile.bauds)) if plan.profile is not None else LADDER
            async with open_board(url, speeds=speeds, trace=trace) as board:
                await self._on_board(board, left)
        self._keep(ready=plan_digest(plan))
        self._tell("ready", 1.0)

    async def _look_at(self, url: str) -> tuple[Look | None, BridgeError | None]:
        """What the board tells, or None and why. A port that is still being given back is waited for."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                port = await open_port(url)
                break
            except PortBusy:
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(0.2)
        try:
            return await look(port, self._plan.all_files), None
        except PortError:
            raise
        except BridgeError as error:
            return None, error
        finally:
            await port.close()

    def _identify(self, mac: str | None) -> None:
        """Now it is known which board this is."""
        if mac is None:
            return
        self._finder.recognise(mac.lower(), self._url)
        if self._mac != mac.lower():
            self._mac = mac.lower()
            self._record = self._records.read(self._mac)

    async def _firmware(self, url: str) -> None:
        plan = self._plan
        profile = plan.profile
        baud = plan.baud or (profile.flash.baud if profile is not None else FLASH_BAUD)

        def show(step: FlashProgress) -> None:
            self._tell(f"firmware: {step.stage}", step.fraction)

        done = await flash_image(
            url,
            plan.image,
            baud=baud,
            profile=profile,
            lose_files=plan.lose_files,
            erase=plan.erase and self._look is None,
            mac=plan.mac,
            progress=show,
            log=None if self._logs is None else self._logs / f"{plan.name}.esptool.log",
        )
        self._chip, self._flash_size = done.chip, done.flash_size
        if done.written:
            self._changed["firmware"] = None
        self._files_lost |= done.files_lost
        self._identify(done.mac)
        await await_prompt(url, lines=profile is None or profile.reset.lines != "none", progress=show)
        found, reason = await self._look_at(url)
        if found is None:
            raise reason or FlashError("The board does not tell what it is", port=url)
        self._look = found
        self._keep(image=plan.image_hash, firmware=firmware_of(found), **({"files": {}} if done.files_lost else {}))

    async def _on_board(self, board: Board, left: list[Step]) -> None:
        plan = self._plan
        await self._find_missing(board, left)
        if Step.WIFI in left:
            await self._wifi(board)
        if Step.FILES in left:
            await self._put(board, dict(plan.files))
        if Step.LFS in left:
            await self._lfs(board)
        if Step.STARTUP in left and plan.startup is not None and await self._put(board, {STARTUP: plan.startup}):
            self._changed["startup"] = None
            self._tell("restarting", None)
            await board.reset()
        self._tell("checking", None)
        await self._check(board)

    async def _wifi(self, board: Board) -> None:
        wish = self._plan.wifi
        assert wish is not None
        self._tell(f"joining {wish.ssid}", None)
        there = await board.wifi.sta.getdefaultconfig(True)
        password = None if wish.password is None else wish.password.reveal()
        if (there.ssid, there.pwd or None) != (wish.ssid, password) or not await await_address(board, 5.0):
            await join(board, wish)
            self._changed["wifi"] = None
        self._keep(ssid=wish.ssid, wifi_mark=wish.mark)

    async def _find_missing(self, board: Board, left: list[Step]) -> None:
        """Find out which files are missing, and refuse them when one has no room, before the first one is replaced."""
        plan = self._plan
        wanted = {
            **(dict(sorted(plan.files.items())) if Step.FILES in left else {}),
            **({STARTUP: plan.startup} if Step.STARTUP in left and plan.startup is not None else {}),
        }
        missing = {name: data for name, data in wanted.items() if not await board.files.holds(name, data)}
        await board.files.check_room(missing)
        self._missing = set(missing)
        if Step.LFS in left and plan.lfs is not None and not self._has_lfs(plan.lfs):
            missing.pop(STARTUP, None)  # comes when the LFS image is in its place, and its file removed
            await board.files.check_room({**missing, LFS_FILE: plan.lfs})

    def _has_lfs(self, image: bytes) -> bool:
        return self._record is not None and self._record.lfs == digest(image)

    async def _put(self, board: Board, files: dict[str, bytes]) -> bool:
        """Write files that are not there; True if any was not."""
        written = False
        for number, (name, data) in enumerate(sorted(files.items())):
            self._tell(f"file {name}", number / len(files))
            if name in self._missing:
                await board.files.put(name, data)
                self._files[name] = None
                if name != STARTUP:
                    self._changed["files"] = None
                written = True
        known = dict(self._record.files) if self._record is not None else {}
        self._keep(files={**known, **{name: digest(data) for name, data in files.items()}})
        return written

    async def _lfs(self, board: Board) -> None:
        plan = self._plan
        assert plan.lfs is not None
        if self._has_lfs(plan.lfs):
            return
        self._tell("LFS image", None)
        await board.files.put(LFS_FILE, plan.lfs)
        refused = await board.node.LFS.reload(LFS_FILE)
        await board.files.rm(LFS_FILE)
        if refused is not None:
            raise AgentError(
                f"The board does not take the LFS image: {refused}",
                port=board.url,
                remedy="Build it for this firmware (luac.cross of the same release), and the firmware with an LFS.",
            )
        self._changed["lfs"] = None
        self._keep(lfs=digest(plan.lfs))

    async def _check(self, board: Board) -> None:
        plan = self._plan
        assert self._look is not None
        if plan.needs_address:
            seconds = plan.wifi.seconds if plan.wifi is not None else 30.0
            address = await await_address(board, seconds)
            if address is None:
                raise LinkError(
                    "The board has no address", port=board.url, remedy="Give it a network with `wifi`, or check it."
                )
            self._look = replace(self._look, ip=address)
            self._checks.append(f"wifi: {address}")
        for check in plan.checks.connect:
            self._tell(f"checking {check.host}", None)
            self._checks.append(await check_connect(board, check))

    def _told_checks(self) -> list[str]:
        """What a board that is ready tells by itself."""
        assert self._look is not None
        told = [] if self._plan.facts is None else [check_firmware(self._look, self._plan.facts, self._url or "")]
        return told + ([f"wifi: {self._look.ip}"] if self._look.ip else [])

    def _keep(self, **changes: object) -> None:
        """Remember what is done now."""
        if self._mac is None:
            return
        self._record = replace(self._record or Record(self._mac), **{"ready": None, **self._finder.spot, **changes})  # type: ignore[arg-type]
        self._records.write(self._record)

    def _report(self, error: str | None, seconds: float) -> BoardReport:
        seen = self._look
        return BoardReport(
            name=self._plan.name,
            port=self._url,
            profile=self._plan.profile.name if self._plan.profile is not None else None,
            ready=error is None,
            changed=list(self._changed),
            files=list(self._files),
            verified=self._verify or "firmware" in self._changed,
            files_lost=self._files_lost,
            checks=list(dict.fromkeys(self._checks)),
            error=error,
            seconds=round(seconds, 3),
            identity=Identity(
                mac=self._mac,
                chip_id=seen.chip_id if seen else None,
                chip=self._chip,
                flash_bytes=self._flash_size or (seen.flash_bytes if seen else None),
                version=seen.version if seen else None,
                release=seen.release if seen else None,
                commit=seen.commit if seen else None,
                lua=seen.lua if seen else None,
                modules=sorted(seen.modules) if seen else [],
                ip=seen.ip if seen else None,
            ),
        )
