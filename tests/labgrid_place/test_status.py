from __future__ import annotations

import asyncio
import getpass
import json
import subprocess
import sys

import pytest

from bridge.child_python import module_command, module_environment
from bridge.labgrid_place.rack import LabgridRack, open_rack
from bridge.portal import portal
from bridge.rack.needs import Needs
from tests.labgrid_place.conftest import PATIENCE
from tests.labgrid_place.laboratory import Laboratory
from tests.labgrid_place.test_lease import holder

pytestmark = PATIENCE


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*module_command("bridge.cli"), "rack", *arguments],
        capture_output=True, text=True, env=module_environment(), timeout=120,
    )  # fmt: skip


def test_who_holds_and_who_waits_is_said(lab: Laboratory) -> None:
    rack = open_rack(lab.coordinator)

    async def wait_for_it(rack: LabgridRack) -> None:
        async with await rack.claim(Needs(place="shelf")):
            pass

    with holder(lab, "shelf", ttl=60):
        waiting = asyncio.run_coroutine_threadsafe(wait_for_it(rack), portal().loop)
        while not (status := rack.status()).waiting:
            assert not waiting.done()
        desk, shelf = status.places
        assert (desk.state, desk.holder) == ("free", None)
        assert shelf.state == "held" and shelf.holder is not None
        assert (shelf.holder.user, shelf.holder.ttl_s) == (getpass.getuser(), 60.0)
        assert shelf.holder.held_s is not None and shelf.holder.held_s < 100
        assert [(one.user, one.places) for one in status.waiting] == [(shelf_user(shelf), ["shelf"])]
        said = command("status", "--labgrid", lab.coordinator)
        assert said.returncode == 0 and "shelf  held" in said.stdout and "desk   free" in said.stdout, said
        assert f"  {shelf_user(shelf)} for " in said.stdout and "not written down" not in said.stdout
        assert shelf_user(shelf) in command("watch", "--once", "--labgrid", lab.coordinator).stdout
        assert f"waiting: {shelf_user(shelf)}: 1 of shelf\n" in said.stdout
    waiting.result(60)


def shelf_user(shelf: object) -> str:
    """host/user, as those who wait are named."""
    found = shelf.holder  # type: ignore[attr-defined]
    return f"{found.host}/{found.user}"


@pytest.mark.nightly
def test_the_commands_take_places_of_labgrid(lab: Laboratory) -> None:
    said = command("status", "--labgrid", str(lab.env_file("status.yaml", main="desk")), "--json")
    assert [place["name"] for place in json.loads(said.stdout)["places"]] == ["desk"]
    code = "import os; print(os.environ['NODEMCU_PLACE'], os.environ['NODEMCU_BOARD_URL'])"
    said = command("claim", "--labgrid", lab.coordinator, "--tag", "on-tty", "--", sys.executable, "-c", code)
    assert said.returncode == 0 and said.stdout.startswith("desk rfc2217://127.0.0.1:"), said
    assert "acquired: None" in lab.client("-p", "desk", "show")
