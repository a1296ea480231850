from __future__ import annotations

import pprint

import pytest

from bridge.mirror.modules.wifi_config import (
    AccessPointConfig,
    AccessPointTuple,
    StationConfig,
    StationTuple,
    StoredAccessPoint,
)

SECRET = "opensesame"


@pytest.mark.parametrize(
    "holder",
    [
        StationConfig("home", SECRET, False, ""),
        StationTuple("home", SECRET, 0, ""),
        StoredAccessPoint("home", SECRET, None),
        AccessPointConfig("home", SECRET, 3, 6, False, 4, 100),
        AccessPointTuple("home", SECRET),
    ],
    ids=lambda holder: type(holder).__name__,
)
def test_a_password_is_there_and_not_shown(holder: object) -> None:
    shown = (
        repr(holder),
        str(holder),
        f"{holder}",
        f"{[holder]}",
        f"{ {1: holder} }",
        repr((holder,)),
    )
    assert all("home" in text and SECRET not in text for text in shown)
    assert SECRET in (getattr(holder, "pwd", None), getattr(holder, "password", None))
    assert SECRET not in pprint.pformat({"config": holder})
