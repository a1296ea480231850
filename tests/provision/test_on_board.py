from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.errors import AgentError, NetError, ReplError, WifiRefused
from bridge.opening import open_board
from bridge.provision.claims import Claims
from bridge.provision.ledger import Ledger
from bridge.provision.model import Checks
from bridge.provision.on_board import OnBoard
from bridge.provision.place import Finder
from bridge.provision.plan import LFS_FILE, BoardPlan, Step, WifiWish, steps_left
from bridge.provision.record import Records
from bridge.provision.secret import Secret
from bridge.virtual import clock
from tests.provision.plans import LOOK, MAC, PLAN

BOARD = f"virtual:?clock=virtual&modules=file,net,node,ow,tmr,uart,wifi&mac={MAC}"
FILES = replace(
    PLAN, image=[], files={"blink.lua": b"return 1"}, lfs=None, startup=b"version = dofile('blink.lua')", wifi=None
)
EVERY = [Step.WIFI, Step.FILES, Step.STARTUP, Step.CHECKS]


def books(folder: Path, plan: BoardPlan = FILES) -> Ledger:
    records = Records(folder)
    ledger = Ledger(Finder(plan, records, Claims([plan])), records)
    ledger.identify(MAC, "x")
    ledger.look = LOOK
    return ledger


def test_files_take_effect_and_a_restart_that_is_due_is_known_before_the_first_byte(tmp_path: Path) -> None:
    async def scenario() -> None:
        seen: list[tuple[str, bool]] = []

        def tell(stage: str, _fraction: float | None) -> None:
            known = Records(tmp_path).read(MAC)
            seen.append((stage, known is not None and known.restart))

        async with open_board(BOARD) as board:
            ledger = books(tmp_path)
            await OnBoard(board, FILES, ledger, tell).run([Step.FILES, Step.STARTUP, Step.CHECKS])
            assert seen == [
                ("file blink.lua", False), ("file init.lua", True), ("restarting", True), ("checking", False),
            ]  # fmt: skip
            assert list(ledger.changed) == ["files", "startup"] and await board.eval("version") == 1
            assert ledger.record.files.keys() == {"blink.lua", "init.lua"}
            changed = replace(FILES, files={"blink.lua": b"return 2"})
            await OnBoard(board, changed, ledger, tell).run([Step.FILES, Step.CHECKS])
            assert await board.eval("version") == 2
            # Nothing differs: nothing is written, and nothing restarts.
            seen.clear()
            await OnBoard(board, changed, ledger, tell).run([Step.FILES, Step.STARTUP, Step.CHECKS])
            assert ("restarting", False) not in seen and not ledger.record.restart
            ledger.keep(restart=True)
            await OnBoard(board, changed, ledger, tell).run([Step.STARTUP, Step.CHECKS])
            assert ("restarting", True) in seen and not ledger.record.restart

    clock.run(scenario())


def test_a_script_with_which_the_board_does_not_come_back(tmp_path: Path) -> None:
    async def scenario() -> None:
        plan = replace(FILES, startup=b"node.restart()", startup_from="src/start.lua")
        async with open_board(BOARD) as board:
            with pytest.raises(ReplError, match="does not come back with src/start.lua as its init.lua"):
                await OnBoard(board, plan, books(tmp_path), lambda *_: None).run(EVERY[1:])
            known = Records(tmp_path).read(MAC)
            assert known is not None and known.restart and known.ready is None

    clock.run(scenario())


def test_no_address_is_no_failure_of_the_link_and_may_be_left_out(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with open_board(f"{BOARD}&wifi=elsewhere:x") as board:
            plan = replace(FILES, checks=Checks(address=True))
            with pytest.raises(NetError, match="The board has no address"):
                await OnBoard(board, plan, books(tmp_path), lambda *_: None).run([Step.CHECKS])
            plan = replace(FILES, wifi=PLAN.wifi, checks=Checks(address=False))
            ledger = books(tmp_path, plan)
            await OnBoard(board, plan, ledger, lambda *_: None).run([Step.WIFI, Step.CHECKS])
            assert list(ledger.changed) == ["wifi"] and ledger.record.ssid == "workshop"

    clock.run(scenario())


class _Cut(asyncio.CancelledError):
    """A run is cut off."""


def test_what_a_run_that_was_cut_off_has_written_is_not_taken_for_what_was_there_before(tmp_path: Path) -> None:
    async def scenario() -> None:
        plan = replace(FILES, files={"a.lua": b"return 1", "b.lua": b"return 1"}, startup=None)
        changed = replace(plan, files=dict.fromkeys(plan.files, b"return 2"))

        def cut(stage: str, _fraction: float | None) -> None:
            if stage == "file b.lua":
                raise _Cut

        async with open_board(BOARD) as board:
            await OnBoard(board, plan, books(tmp_path), lambda *_: None).run(EVERY[1:])
            with pytest.raises(_Cut):
                await OnBoard(board, changed, books(tmp_path), cut).run(EVERY[1:])
            assert await board.files.get("a.lua") == b"return 2"
        # The sizes are the same, and the file that is wanted is the old one again.
        seen = replace(LOOK, files=dict.fromkeys(plan.files, 8))
        assert Step.FILES in steps_left(plan, seen, Records(tmp_path).read(MAC))

    clock.run(scenario())


def test_a_password_that_was_tried_in_vain_is_not_taken_for_the_one_before(tmp_path: Path) -> None:
    async def scenario() -> None:
        right = WifiWish("workshop", Secret("correct-horse"), "right", 10)
        plan = replace(FILES, wifi=right, checks=Checks(address=False))
        wrong = replace(plan, wifi=replace(right, password=Secret("wrong-horse"), mark="wrong"), checks=Checks())
        async with open_board(f"{BOARD}&wifi=workshop:correct-horse") as board:
            await OnBoard(board, plan, books(tmp_path), lambda *_: None).run([Step.WIFI])
            with pytest.raises(WifiRefused):
                await OnBoard(board, wrong, books(tmp_path), lambda *_: None).run([Step.WIFI])
        assert Step.WIFI in steps_left(plan, LOOK, Records(tmp_path).read(MAC))

    clock.run(scenario())


def test_a_network_that_is_configured_already_is_no_change_and_one_that_is_not_joined_at_the_start_is(
    tmp_path: Path,
) -> None:
    async def scenario() -> None:
        plan = replace(FILES, wifi=WifiWish("workshop", Secret("correct-horse"), "mark", 20))
        async with open_board(f"{BOARD}&wifi=workshop:correct-horse") as board:
            for changed in (["wifi"], []):
                ledger = books(tmp_path)
                await OnBoard(board, plan, ledger, lambda *_: None).run([Step.WIFI, Step.CHECKS])
                assert list(ledger.changed) == changed and len(ledger.checks) == 1
                await board.wifi.sta.disconnect()  # as where an address takes its time
            # Configured, and yet no station after a restart.
            await board.wifi.setmode(board.wifi.SOFTAP, True)
            away = replace(plan, checks=Checks(address=False))
            for changed in (["wifi"], []):
                ledger = books(tmp_path)
                await OnBoard(board, away, ledger, lambda *_: None).run([Step.WIFI])
                assert list(ledger.changed) == changed
            assert await board.wifi.getdefaultmode() == board.wifi.STATION

    clock.run(scenario())


def test_an_lfs_image_that_a_cut_off_run_left_takes_no_room_from_the_next(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with open_board(f"{BOARD}&flash_size=1048576&cpu=0&flash=0&baud_pacing=0") as board:
            room = (await board.files.df()).largest
            plan = replace(FILES, lfs=bytes(room * 2 // 3), startup=None)
            await board.files.put(LFS_FILE, plan.lfs or b"")
            # This board has no LFS, and says so when all of the image is there.
            with pytest.raises(AgentError, match="does not take the LFS image"):
                await OnBoard(board, plan, books(tmp_path), lambda *_: None).run([Step.FILES, Step.LFS])
            assert list(await board.files.ls()) == ["blink.lua"]

    clock.run(scenario())
