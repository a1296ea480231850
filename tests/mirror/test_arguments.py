from __future__ import annotations

import pytest

from bridge.errors import UsageError
from bridge.mirror.arguments import (
    as_address,
    as_bytes,
    as_datagram,
    as_integer,
    as_name,
    as_port,
    as_text,
)


def test_data() -> None:
    for data in (b"x\0", bytearray(b"x\0"), memoryview(b"x\0"), "x\0"):
        assert as_bytes(data) == b"x\0"
    assert as_bytes("grün") == "grün".encode() and as_bytes(b"") == b""
    assert as_datagram(bytes(1472)) == bytes(1472)


def test_what_is_no_data_is_left_to_the_board() -> None:
    for data in (5, None, [1], 1.5, True):
        assert as_bytes(data) == as_datagram(data) == data
    with pytest.raises(UsageError):
        as_bytes("\ud800")


def test_a_datagram_cannot_be_cut() -> None:
    with pytest.raises(UsageError, match="2000 bytes is too long"):
        as_datagram(bytes(2_000))


@pytest.mark.parametrize(("given", "port"), [(0, 0), (80, 80), (65535, 65535), ("80", 80), (80.0, 80)])
def test_ports(given: object, port: int) -> None:
    assert as_port(given) == port


@pytest.mark.parametrize("port", [-1, 65536, 65616, 2**40, "65536", 80.5, float("nan"), float("inf")])
def test_numbers_that_are_no_port(port: object) -> None:
    with pytest.raises(UsageError, match="is no port"):
        as_port(port)


def test_what_is_no_number_the_board_judges() -> None:
    assert [as_port(value) for value in (None, "http", b"80", [])] == [None, "http", b"80", []]
    assert as_integer(None, "index") is None and as_integer("x", "index") == "x"
    assert as_name(5) == 5 and as_name(None) is None


def test_names() -> None:
    assert as_name("host.test") == "host.test" and as_name(b"host.test") == b"host.test" and as_name("") == ""
    assert as_name("x" * 300) == "x" * 300, "the board says what is wrong with that"
    for wrong in ("10.0.0.1\0.evil", b"a\0", "x" * 1_001, "\ud800"):
        with pytest.raises(UsageError):
            as_name(wrong)


def test_whole_numbers() -> None:
    assert as_integer(255, "time to live", -1, 255) == 255 and as_integer(2.0, "count", 0) == 2
    for wrong in (256, -2, 1.5):
        with pytest.raises(UsageError, match="no time to live"):
            as_integer(wrong, "time to live", -1, 255)
    with pytest.raises(UsageError):
        as_integer(2**31, "index")


def test_what_comes_back() -> None:
    assert as_text(b"10.0.0.1") == "10.0.0.1" and as_text(None) is None and as_text(5) == 5
    assert as_address((80, b"10.0.0.1")) == (80, "10.0.0.1") and as_address(()) == (None, None)
