"""Tables that the firmware fills."""

from __future__ import annotations

import pytest

from bridge.virtual.lua.tables import Tables
from bridge.virtual.lua.vm import Vm
from tests.virtual.asked import answer

STAT = "size name is_dir is_rdonly is_hidden is_sys is_arch time".split()


@pytest.mark.parametrize("version", ["5.1", "5.3"])
def test_texts_lists_and_tables_within(version: str) -> None:
    vm = Vm(version)
    made = Tables(vm, lambda value: value.encode() if isinstance(value, str) else value).make(
        {"a": "text", "list": [1, 2], "gone": None, "within": {"x": b"y"}}
    )
    assert (made[b"a"], list(made[b"list"].values()), made[b"gone"], made[b"within"][b"x"]) == (
        b"text", [1, 2], None, b"y",
    )  # fmt: skip
    vm.close()


def test_a_table_with_room_comes_in_the_order_of_one_written_with_all_its_keys() -> None:
    # lua_createtable(L, 0, 7) and eight fields: app/modules/file.c file_stat.
    fields = ",".join(f"{name}=1" for name in STAT)
    show = "for k in pairs(%s) do print(k) end "
    keys = answer("file.putcontents('f','x') " + show % "file.stat('f')" + show % f"{{{fields}}}").split("\r\n")
    assert sorted(keys[:8]) == sorted(STAT) and keys[:8] == keys[8:]
