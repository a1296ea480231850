from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bridge.errors import NetError, ReplError
from bridge.opening import open_board
from bridge.provision.claims import Claims
from bridge.provision.ledger import Ledger
from bridge.provision.model import Checks
from bridge.provision.on_board import OnBoard
from bridge.provision.place import Finder
from bridge.provision.plan import BoardPlan, Step
from bridge.provision.record import Records
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
