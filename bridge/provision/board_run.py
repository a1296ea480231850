"""One board's way from whatever it is to what its plan says. Each step looks first, so it can be cut off anywhere."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from bridge.board import RESET_TIMEOUT
from bridge.errors import (
    BootLoop,
    BridgeError,
    FilesWouldBeLost,
    FlashError,
    LinkError,
    PortBusy,
    PortError,
    PortLost,
    PortNotFound,
)
from bridge.flash import FLASH_BAUD, flash_image
from bridge.flashing.output import FlashProgress
from bridge.flashing.start import PROMPT_SECONDS, await_prompt
from bridge.link.speed import LADDER
from bridge.opening import open_board
from bridge.ports.base import Port
from bridge.ports.lock import PortLock, take_port
from bridge.ports.open import open_port
from bridge.provision.checks import check_firmware
from bridge.provision.claims import Claims
from bridge.provision.first_look import ASK_SECONDS, RESET_SECONDS, FirstLook, look_after_reset, look_for
from bridge.provision.ledger import Ledger
from bridge.provision.on_board import OnBoard, Told
from bridge.provision.place import Finder
from bridge.provision.plan import BoardPlan, Look, Step, asked_steps, firmware_of, plan_digest, steps_left
from bridge.provision.record import Records
from bridge.provision.report import BoardReport, Identity
from bridge.provision.startup import no_look, unreachable
from bridge.trace.secrets import Known, blanked, merge

T = TypeVar("T")

#: So often a board is begun with when its line or port fails in between.
TRIES = 3
#: Seconds for a port that somebody is about to give back, and for one that comes back; and between two tries.
PATIENCE, PAUSE = 10.0, 0.2
#: What passes by waiting.
_PASSING = (PortBusy, PortNotFound, PortLost)
#: What flashing is at when the firmware that was there is not there any more.
_WRITING = ("erasing", "writing")
#: What the file and its user can do about files that would be lost.
_KEEP_OR_LOSE = (
    "Set `lose_files: true` in the file, or flash this board by hand with `nodemcu-bridge flash --keep-files`."
)
#: What is cited of a board's console (`bridge.repl`).
_CITED = re.compile(rb"it says (['\"].*?['\"])")
#: What to press where no reset lines are wired and the profile does not say it.
BY_HAND = "hold FLASH (GPIO0 to ground), press RESET, and let go of FLASH"


@dataclass(frozen=True)
class Waits:
    """How long a board that says nothing is waited for, in seconds."""

    port: float = PATIENCE
    """For a port that is not there, or that another program has."""
    ask: float = ASK_SECONDS
    """Until it counts as one without a prompt."""
    after_reset: float = RESET_SECONDS
    """The same after it was reset for that."""
    prompt: float = PROMPT_SECONDS
    """For the start of what was flashed."""
    restart: float = RESET_TIMEOUT
    """For the restart with the startup script."""


#: What boards have that are not waited for by somebody impatient.
USUAL = Waits()


class BoardRun:
    """One run on one board.

    Args:
        plan: what it is to be.
        records: what is known of boards.
        verify: compare the flash itself, whatever is known.
        logs: folder for esptool's output and traces, or None.
        told: see `Told`.
        claims: of the run, of which this board is one.
        waits: for boards that say nothing.
    """

    def __init__(
        self, plan: BoardPlan, records: Records, *, verify: bool = False, logs: Path | None = None, told: Told,
        claims: Claims, waits: Waits = USUAL,
    ) -> None:  # fmt: skip
        self._waits = waits
        self._plan, self._verify, self._logs, self._told = plan, verify, logs, told
        self._known = Known()
        if plan.wifi is not None and plan.wifi.password is not None:
            self._known.add(plan.wifi.password.reveal().encode())
        self._finder = Finder(plan, records, claims)
        self._ledger = Ledger(self._finder, records)
        self._url: str | None = None
        self._chip: str | None = None
        self._flash_size = 0

    async def run(self) -> BoardReport:
        """Make the board ready. What goes wrong is in the report."""
        began = time.monotonic()
        error = None
        try:
            await self._with_patience()
        except BridgeError as failure:
            error = self._discreet(str(failure))
            self._tell(f"failed: {failure.message}", None)
        return self._report(error, time.monotonic() - began)

    def _tell(self, stage: str, share: float | None) -> None:
        self._told(self._discreet(stage), share)

    def _discreet(self, text: str) -> str:
        """Without the password: an error may cite what the board prints, and its program may print that."""
        data = text.encode("utf-8", "backslashreplace")
        spans = self._known.spans(data)
        for cited in _CITED.finditer(data):  # from the middle of it, perhaps
            start = cited.start(1)
            spans += [(start + at, start + end) for at, end in self._known.near(cited[1])]
        return blanked(data, merge(spans)).decode("utf-8", "replace") if spans else text

    async def _with_patience(self) -> None:
        """Begin again when the line or the port failed: what is done stays done."""
        lost: PortError | None = None
        for attempt in range(1, TRIES + 1):
            # Another run must not come between the steps, of which each lets the port go: the lock is kept meanwhile.
            try:
                lock, port = await self._waiting_for(self._take)
            except PortError as error:
                if lost is None:
                    raise
                # How the port went away says more than that it is not there: what is half done, and what to do.
                raise lost from error
            try:
                return await self._make_ready(port)
            except BootLoop as error:
                raise unreachable(error, self._plan) from error
            except (LinkError, PortError) as error:
                if attempt == TRIES:
                    raise
                lost = error if isinstance(error, PortError) else None
                self._tell(f"once more: {error.message}", None)
            finally:
                lock.release()

    async def _waiting_for(self, opening: Callable[[], Awaitable[T]]) -> T:
        """Open a port that is there and free, or will be within some seconds."""
        deadline = time.monotonic() + self._waits.port
        while True:
            try:
                return await opening()
            except _PASSING as error:
                if time.monotonic() > deadline:
                    raise
                self._tell(f"waiting: {error.message}", None)
            await asyncio.sleep(PAUSE)

    async def _take(self) -> tuple[PortLock, Port]:
        url = self._url = await self._finder.find()
        lock = take_port(url)
        try:
            return lock, await open_port(url)
        except BaseException:
            lock.release()
            raise

    async def _make_ready(self, port: Port) -> None:
        plan, ledger, url = self._plan, self._ledger, port.url
        self._tell("looking", None)
        # Writing firmware does no harm to a board that was only busy; erasing it does, and without firmware nothing can
        # be done for one that does not answer.
        seconds = self._waits.ask if plan.erase or not plan.image else 0.0
        first = await self._look_at(port, seconds, may_reset=plan.erase)
        ledger.look = first.look
        if first.look is not None:
            ledger.identify(first.look.mac, url)
        elif not plan.image:
            raise no_look(first, plan)
        known = first.look if ledger.known else None
        left = asked_steps(plan) if self._verify else steps_left(plan, known, ledger.record)
        if first.look is not None and not left:
            ledger.keep(ready=plan_digest(plan))  # it may be at another place than before
            self._tell("ready; nothing to do", 1.0)
            self._check_firmware(first.look)
            if first.look.ip:
                ledger.checks[f"wifi: {first.look.ip}"] = None
            return
        if Step.FIRMWARE in left:
            await self._firmware(url, erase=plan.erase and first.no_prompt)
        assert ledger.look is not None
        self._check_firmware(ledger.look)
        if set(left) - {Step.FIRMWARE}:
            self._tell("putting the agent on the board", None)
            trace = None if self._logs is None else self._logs / f"{plan.name}.trace"
            speeds = tuple(reversed(plan.profile.bauds)) if plan.profile is not None else LADDER
            mhz = plan.profile.cpu_mhz if plan.profile is not None else 160
            async with open_board(url, speeds=speeds, mhz=mhz, trace=trace) as board:
                on_board = OnBoard(board, plan, ledger, self._tell, restart_seconds=self._waits.restart)
                await on_board.run(left)
        ledger.keep(ready=plan_digest(plan))
        self._tell("ready", 1.0)

    async def _look_at(self, port: Port, seconds: float, *, may_reset: bool = False) -> FirstLook:
        """What the board tells; closes the port.

        Args:
            port: open.
            seconds: how long it is asked; 0 for one try.
            may_reset: a board that had no prompt in all that time is reset and asked once more.
        """
        names = self._plan.all_files
        try:
            found = await look_for(port, seconds, names)
            if found.no_prompt and may_reset:
                found = await look_after_reset(
                    port, lines=self._has_lines, told=lambda what: self._tell(what, None), names=names,
                    seconds=self._waits.after_reset,
                )  # fmt: skip
            return found
        finally:
            await port.close()

    @property
    def _has_lines(self) -> bool:
        """The board is reset by lines of its adapter, and not by hand."""
        profile = self._plan.profile
        return profile is None or profile.reset.lines != "none"

    async def _firmware(self, url: str, *, erase: bool) -> None:
        plan, ledger = self._plan, self._ledger
        profile = plan.profile
        baud = plan.baud or (profile.flash.baud if profile is not None else FLASH_BAUD)
        by_hand = "" if self._has_lines else (profile.reset.by_hand if profile is not None else "") or BY_HAND

        def show(step: FlashProgress) -> None:
            hint = f"; {by_hand}" if by_hand and step.stage.startswith("connecting") else ""
            self._tell(f"firmware: {step.stage}{hint}", step.fraction)
            if step.stage in _WRITING and ledger.record.image is not None:
                # A run that is cut off from here on leaves another firmware, which may say the same of itself.
                ledger.keep(image=None, firmware=())

        if by_hand:
            self._tell(f"firmware: {by_hand}", None)
        try:
            done = await flash_image(
                url,
                plan.image,
                baud=baud,
                profile=profile,
                lose_files=plan.lose_files,
                erase=erase,
                mac=self._finder.mac,
                progress=show,
                log=None if self._logs is None else self._logs / f"{plan.name}.esptool.log",
            )
        except FilesWouldBeLost as error:
            raise FilesWouldBeLost(error.message, port=error.port, remedy=_KEEP_OR_LOSE) from error
        except FlashError as error:
            if error.remedy is not None:
                error.remedy = error.remedy.replace("a lower --baud", "a lower `baud` in the file")
            raise
        self._chip, self._flash_size = done.chip, done.flash_size
        if done.written:
            ledger.changed["firmware"] = None
        ledger.files_lost |= done.files_lost
        ledger.identify(done.mac, url)
        gone: dict[str, Any] = {"files": {}} if done.files_lost else {}
        if done.written or ledger.record.image != plan.image_hash:
            # Another firmware, or none, was here: it takes over no LFS image that was made for the one before.
            gone |= {"image": None, "firmware": (), "lfs": None, "lfs_time": None}
        ledger.keep(**gone)
        try:
            await await_prompt(url, lines=self._has_lines, progress=show, seconds=self._waits.prompt)
        except (FlashError, BootLoop) as error:
            if erase:
                raise
            raise unreachable(error, plan) from error
        again = await self._look_at(await self._waiting_for(lambda: open_port(url)), self._waits.ask)
        if again.look is None:
            raise no_look(again, plan)
        ledger.look = again.look
        ledger.keep(image=plan.image_hash, firmware=firmware_of(again.look))

    def _check_firmware(self, look: Look) -> None:
        plan = self._plan
        if plan.facts is not None and plan.checks.node_info:
            self._ledger.checks[check_firmware(look, plan.facts, self._url or "")] = None

    def _report(self, error: str | None, seconds: float) -> BoardReport:
        ledger = self._ledger
        seen = ledger.look
        return BoardReport(
            name=self._plan.name,
            port=self._url,
            profile=self._plan.profile.name if self._plan.profile is not None else None,
            ready=error is None,
            changed=list(ledger.changed),
            files=list(ledger.files),
            verified=self._verify or "firmware" in ledger.changed,
            files_lost=ledger.files_lost,
            checks=list(ledger.checks),
            error=error,
            seconds=round(seconds, 3),
            identity=Identity(
                mac=ledger.mac,
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
