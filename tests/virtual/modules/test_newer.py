from __future__ import annotations

from bridge.virtual.lua.api import Module
from bridge.virtual.modules.newer import NEWER, without_newer
from tests.virtual.asked import answer


def test_what_221_lacks_is_left_out_and_the_rest_keeps_its_order() -> None:
    module = Module("tmr", {"now": 1, "ccount": 2, "create": 3})
    assert list(without_newer(module).entries) == ["now", "create"]
    assert without_newer(Module("bit", {"band": 1})).entries == {"band": 1}


def test_each_name_is_one_that_a_board_with_300_has_and_one_with_221_has_not() -> None:
    modules = {"modules": ",".join(NEWER)}
    for module, names in NEWER.items():
        if module == "net":  # needs a network; tests/hil asks a whole board
            continue
        for name in names:
            assert answer(f"={module}.{name}~=nil", **modules) == "true", f"{module}.{name}"
            assert answer(f"={module}.{name}~=nil", firmware="2.2.1", **modules) == "false", f"{module}.{name}"
