from __future__ import annotations

import struct

from bridge.virtual.chip import slip
from bridge.virtual.chip.loader import Op, Request, parse_request


def test_request_is_read() -> None:
    frame = struct.pack("<BBHI", 0, Op.READ_REG, 4, 0x55) + b"\x01\x02\x03\x04"
    assert parse_request(frame) == Request(Op.READ_REG, b"\x01\x02\x03\x04", 0x55)


def test_what_is_no_request() -> None:
    assert parse_request(b"\0\x08") is None
    assert parse_request(struct.pack("<BBHI", 1, 8, 0, 0)) is None
    assert parse_request(struct.pack("<BBHI", 0, 8, 5, 0) + b"1234") is None


def test_words_that_are_missing_are_zero() -> None:
    assert Request(2, b"\x01\0\0\0\x02", 0).words(3) == (1, 2, 0)


def test_slip_is_the_frame_around_it() -> None:
    assert slip.Decoder().feed(slip.encode(b"\xc0\xdb")) == [b"\xc0\xdb"]
