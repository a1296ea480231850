"""What rewriting puts into a chunk is told from what the program has."""

from __future__ import annotations

import pytest

from bridge.virtual.lua import chunk, integral, narrow, rewrite
from bridge.virtual.lua.hidden import (
    CONCAT_CHECK,
    INTEGRAL,
    NARROW,
    NARROW_MOD,
    NARROW_SHR,
    STALE,
    TEXTS,
    WRAP,
    keys_of,
    on_chip,
)
from bridge.virtual.lua.vm import Vm

ADD, MULTIPLY, DIVIDE, POWER = (INTEGRAL[op] for op in (12, 14, 15, 17))


def proto_of(source: bytes, version: str = "5.1") -> chunk.Proto:
    vm = Vm(version)
    dump, message = vm.compile(source, b"=x")
    assert dump is not None, message
    vm.close()
    return chunk.parse(dump, version)


@pytest.mark.parametrize(
    ("source", "keys"),
    [
        (b"local a, b = ... return a and b, a == b", []),
        (b"local a, b = ... return a + b, a * b", [ADD, MULTIPLY]),
        (b"return 1 / 0, -f, 1 / 0", [STALE[15], INTEGRAL[18], DIVIDE]),
        (b"for i = 1, 2147483647 do f() end", [WRAP]),
        (b"local a, b = ... return a .. b, a .. '' .. b .. 1, '', a", [CONCAT_CHECK]),
        (b"local a, b = ... return a / b, a / 2, 3 / b", [DIVIDE]),
        (b"local a, b = ... for i = 1, 9 do a = a ^ i / b .. a end return {a, b, x = '\\0concat'}", None),
        (b"local a, b = ... while a ^ 2 > b do a = a / b .. b .. '\\0a' end return a", [POWER, DIVIDE, CONCAT_CHECK]),
        (b"local a, b = ... return a ^ b .. '\\0/', '\\0a'", [POWER, CONCAT_CHECK]),
    ],
)
def test_the_chips_code_and_constants_are_what_the_compiler_made(source: bytes, keys: list[bytes] | None) -> None:
    before, after = proto_of(source), proto_of(source)
    integral.rewrite(after)
    rewrite.check_concats(after)
    _compare(before, after, keys)


@pytest.mark.parametrize(
    ("source", "keys"),
    [
        (b"local a, b = ... return a and b, a == b, a & b", []),
        (
            b"local a, b = ... while a + b < 9 do a = a % 3 .. b - 1 end return a >> 1",
            [NARROW, NARROW_MOD, NARROW_SHR, TEXTS[2]],
        ),
        (b"for i = 1, 2147483647 do f(a .. b .. c) if i then break end end", [WRAP, TEXTS[3]]),
    ],
)
def test_the_same_on_5_3(source: bytes, keys: list[bytes]) -> None:
    before, after = proto_of(source, "5.3"), proto_of(source, "5.3")
    narrow.rewrite(after)
    _compare(before, after, keys)


def _compare(before: chunk.Proto, after: chunk.Proto, keys: list[bytes] | None) -> None:
    constants = [constant.value for constant in after.constants]
    last: list[bytes] = []
    while constants and isinstance(constants[-1], bytes) and constants[-1].startswith(b"\0"):
        last.insert(0, constants.pop())  # type: ignore[arg-type]
    found = keys_of(last)
    if keys is not None:
        assert sorted(found) == sorted(keys)
        assert len(after.constants) - len(found) == len(before.constants) + (WRAP in keys)
    kept = on_chip(after.code, len(after.constants), found)
    assert len(kept) == len(before.code)
    assert [after.lines[pc] for pc in kept] == before.lines


def test_keys_are_at_the_end_and_once() -> None:
    assert keys_of([b"\0a", DIVIDE, CONCAT_CHECK]) == [DIVIDE, CONCAT_CHECK]
    assert keys_of([DIVIDE, b"\0a"]) == []
    assert keys_of([DIVIDE, DIVIDE]) == [DIVIDE]
