from __future__ import annotations

import pytest

from bridge import sync
from bridge.errors import LuaError, UsageError


def test_the_chip(shared: sync.Board) -> None:
    node = shared.node
    assert node.info("hw")["chip_id"] == node.chipid() and node.heap() > 10_000
    assert node.setcpufreq(node.CPU160MHZ) == 160 and node.bootreason()[1] == 0
    assert node.startup()["banner"] is True
    with pytest.raises(LuaError, match="invalid option"):
        node.info("other")
    with pytest.raises(UsageError, match=r"board\.exec"):
        node.input("print(1)")


def test_functions_of_the_flash_store_are_objects(shared: sync.Board) -> None:
    assert shared.node.LFS.list() is None and shared.node.LFS.get("init") is None
