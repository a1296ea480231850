"""Configuration tables of wifi."""

from __future__ import annotations

import pytest

from bridge.virtual.lua.api import Args, ArgumentFault
from bridge.virtual.modules.wifi_table import ConfigTable, check_mac, read_mac, string_of
from bridge.virtual.sdk.system import System
from tests.virtual.bench import Bench
from tests.virtual.modules.net_bench import on_network


def test_mac_addresses() -> None:
    assert read_mac(b"5C:cf:7f:01:02:03") == bytes.fromhex("5ccf7f010203")
    assert read_mac(b"5C-zz-7f-01-02-03") == bytes.fromhex("5c007f010203")
    with pytest.raises(ArgumentFault, match="MAC:FF"):
        check_mac(Args((b"5C:cf",)), 1)


def test_strings_and_numbers_are_strings_and_nothing_else_is() -> None:
    assert [string_of(value) for value in (b"x", 5, None, True)] == [b"x", b"5", None, None]


def test_fields_have_types_ranges_and_complaints() -> None:
    async def test(bench: Bench, _network: object) -> None:
        system: System = bench.firmware.system
        given = system.lua.table({"text": b"abc", "number": 7, "flag": True})
        table = ConfigTable(system, Args((given,)))  # type: ignore[arg-type]
        assert table.string("text", 1, 3, "length", "kind") == b"abc" and table.string("none", 1, 3, "", "") is None
        assert table.number("number", 1, 9, 0, "range", "kind") == 7 and table.number("none", 1, 9, 4, "", "") == 4
        assert table.boolean("flag", False, "kind") is True and table.boolean("none", True, "kind") is True
        for read, text in (
            (lambda: table.string("text", 4, 9, "length", "kind"), "length"),
            (lambda: table.string("flag", 1, 9, "length", "kind"), "kind"),
            (lambda: table.number("number", 8, 9, 0, "range", "kind"), "range"),
            (lambda: table.number("text", 8, 9, 0, "range", "kind"), "kind"),
            (lambda: table.boolean("number", True, "kind"), "kind"),
            (lambda: table.callback("text", lambda function: None, "kind"), "kind"),
        ):
            with pytest.raises(ArgumentFault, match=text):
                read()

    on_network(test)
