from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bridge.errors import UsageError
from bridge.provision.claims import Claims
from bridge.provision.ledger import Ledger
from bridge.provision.place import Finder
from bridge.provision.plan import BoardPlan
from bridge.provision.record import Records
from tests.provision.plans import MAC, PLAN


def books(plan: BoardPlan, folder: Path) -> Ledger:
    records = Records(folder)
    return Ledger(Finder(plan, records, Claims([plan])), records)


def test_what_is_done_is_remembered_for_the_next_run(tmp_path: Path) -> None:
    ledger = books(PLAN, tmp_path)
    ledger.keep(ssid="before anybody knows which board it is")
    ledger.identify(MAC.upper(), "x")
    assert (ledger.mac, ledger.known, ledger.record.ssid) == (MAC, False, None)
    ledger.keep(lfs="digest", ready="plan")
    assert ledger.known
    again = books(PLAN, tmp_path)
    again.identify(MAC, "x")
    assert again.known and (again.record.lfs, again.record.ready) == ("digest", "plan")
    # Whatever is done after that, the plan is not finished again until it is said.
    again.keep(restart=True)
    third = books(PLAN, tmp_path)
    third.identify(MAC, "x")
    assert (third.record.lfs, third.record.restart, third.record.ready) == ("digest", True, None)


def test_a_board_that_does_not_say_which_it_is_leaves_nothing(tmp_path: Path) -> None:
    ledger = books(PLAN, tmp_path)
    ledger.identify(None, "x")
    ledger.keep(restart=True)
    assert ledger.record.restart and not ledger.known and not list(tmp_path.iterdir())


def test_another_board_than_the_file_says(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"has the MAC address {MAC}, and the file says 00:"):
        books(replace(PLAN, mac="00:00:00:00:00:00"), tmp_path).identify(MAC, "x")
