from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bridge.provision.model import Checks, Connect
from bridge.provision.plan import BoardPlan, Step, WifiWish, asked_steps, digest, has_lfs, plan_digest, steps_left
from bridge.provision.secret import Secret
from tests.provision.plans import LOOK, PLAN, done

ALL = list(Step)


def test_a_board_of_which_nothing_is_known_gets_every_step() -> None:
    assert steps_left(PLAN, None, None) == ALL
    assert steps_left(PLAN, LOOK, None) == ALL
    assert steps_left(PLAN, None, done()) == ALL
    bare = replace(PLAN, image=[], files={}, lfs=None, startup=None, wifi=None)
    assert asked_steps(bare) == [Step.CHECKS]


def test_a_board_that_is_ready_gets_none() -> None:
    assert steps_left(PLAN, LOOK, done()) == []


@pytest.mark.parametrize(
    ("look", "record", "left"),
    [
        ({"version": "2.2.1"}, {}, ALL),
        ({"modules": frozenset({"net"})}, {}, ALL),
        ({"commit": "d"}, {}, ALL),
        ({}, {"image": "another"}, ALL),
        ({"files": {"a.lua": 8, "init.lua": 7}}, {}, [Step.FILES, Step.CHECKS]),
        ({"files": {**LOOK.files, "a.lua": 9}}, {}, [Step.FILES, Step.CHECKS]),
        ({"files": {**LOOK.files, "init.lua": 9}}, {}, [Step.STARTUP, Step.CHECKS]),
        ({}, {"files": {}}, [Step.FILES, Step.STARTUP, Step.CHECKS]),
        ({}, {"lfs": None}, [Step.LFS, Step.CHECKS]),
        ({"ssid": None}, {}, [Step.WIFI, Step.CHECKS]),
        ({}, {"wifi_mark": "of another password"}, [Step.WIFI, Step.CHECKS]),
        ({}, {"ready": None}, [Step.CHECKS]),
        ({"ip": None}, {}, [Step.WIFI, Step.CHECKS]),
        ({}, {"restart": True}, [Step.STARTUP, Step.CHECKS]),
        # An image that is gone, another one, the same one, and a firmware that does not tell.
        ({}, {"lfs_time": 1_700_000_000}, [Step.LFS, Step.CHECKS]),
        ({"lfs_time": 1_800_000_000}, {"lfs_time": 1_700_000_000}, [Step.LFS, Step.CHECKS]),
        ({"lfs_time": 1_700_000_000}, {"lfs_time": 1_700_000_000}, []),
        ({}, {"lfs_time": None}, []),
    ],
)  # fmt: skip
def test_what_differs_is_done_and_checked(look: dict[str, Any], record: dict[str, Any], left: list[Step]) -> None:
    assert steps_left(PLAN, replace(LOOK, **look), done(**record)) == left


@pytest.mark.parametrize(
    "other",
    [
        replace(PLAN, files={"a.lua": b"print(2)", "b.bin": b"\0"}),
        replace(PLAN, files={"a.lua": b"print(1)"}),
        replace(PLAN, startup=b"stop()"),
        replace(PLAN, lfs=None),
        replace(PLAN, wifi=replace(PLAN.wifi, mark="new") if PLAN.wifi else None),
        replace(PLAN, checks=Checks(connect=[Connect(host="a", tcp_port=80)])),
    ],
)
def test_a_plan_that_changed_is_another(other: BoardPlan) -> None:
    assert plan_digest(other) != plan_digest(PLAN)
    assert steps_left(other, LOOK, done()) != []


def test_an_address_is_wanted_where_there_is_wifi_unless_told_otherwise() -> None:
    assert PLAN.needs_address
    assert not replace(PLAN, wifi=None).needs_address
    assert not replace(PLAN, checks=Checks(address=False)).needs_address
    assert replace(PLAN, wifi=None, checks=Checks(address=True)).needs_address


def test_a_wish_does_not_show_its_password() -> None:
    wish = WifiWish("workshop", Secret("hunter2"), "m", 1)
    assert "hunter2" not in f"{wish} {wish!r} {PLAN!r} {PLAN.wifi!r}"


def test_an_address_without_wifi_in_the_file_is_only_waited_for() -> None:
    plan = replace(PLAN, wifi=None, checks=Checks(address=True))
    assert steps_left(plan, replace(LOOK, ip=None), done(plan)) == [Step.CHECKS]
    plan = replace(PLAN, checks=Checks(address=False))
    assert steps_left(plan, replace(LOOK, ip=None), done(plan)) == []


def test_a_restart_that_is_due_needs_a_startup_script() -> None:
    plan = replace(PLAN, startup=None)
    assert steps_left(plan, LOOK, done(plan, restart=True)) == []


@pytest.mark.parametrize(
    ("record", "time", "functions", "there"),
    [
        ({"lfs_time": 7}, 7, ["main"], True),
        ({"lfs_time": None}, 7, ["main"], True),
        ({"lfs_time": 7}, 8, ["main"], False),
        ({"lfs_time": 7}, None, ["main"], False),
        ({}, 7, None, False),
        ({"lfs": None}, 7, ["main"], False),
        ({"lfs": digest(b"another")}, 7, ["main"], False),
    ],
)
def test_an_lfs_image_is_there_if_the_board_says_so(
    record: dict[str, Any], time: int | None, functions: list[str] | None, there: bool
) -> None:
    assert has_lfs(PLAN, done(**record), time, functions) is there
    assert not has_lfs(replace(PLAN, lfs=None), done(**record), time, functions)
