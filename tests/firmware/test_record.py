from __future__ import annotations

import hashlib

import pytest

from bridge.errors import ImageError
from bridge.firmware.record import image_record
from bridge.image import ImagePart
from tests.image import stock_shape
from tests.image.mutations import byte
from tests.images import image, parts


def test_a_stand_in() -> None:
    record = image_record(parts(image()))
    assert record.suits and record.id == hashlib.sha256(image()).hexdigest() == record.files[0].sha256
    assert (record.size, record.boot.flash_size, record.boot.entry) == (len(image()), 4 << 20, 0x40100004)
    assert record.build.modules == ["file", "gpio", "net", "node", "ow", "tmr", "uart", "wifi"]
    assert (record.build.lua, record.build.number, record.build.ssl) == ("5.1", "float", False)
    assert record.lacks == ["tls", "adc"]
    assert record.notes == ["It is a stand-in for virtual boards; a real board would not run it."]


def test_two_files_are_one_image() -> None:
    data = stock_shape.image()
    record = image_record(parts(data[:0x10000], "0x00000.bin") + [ImagePart(0x10000, data[0x10000:], "0x10000.bin")])
    assert [(file.name, file.offset, file.size) for file in record.files] == [
        ("0x00000.bin", 0, 0x10000), ("0x10000.bin", 0x10000, 0x40000),
    ]  # fmt: skip
    assert record.suits and record.size == len(data) and record.notes == []


def test_what_a_person_should_know() -> None:
    small = image_record(parts(byte(stock_shape.image(), 3, 0)))
    assert small.suits and small.boot.flash_size == 512 << 10
    assert small.notes == [
        "Its header says 512 KB of flash, with which release 3.x does not start; flash writes the chip's own size."
    ]
    torn = image_record(parts(stock_shape.image(modules="net,node,tls,tmr,uart").replace(b"SSL: true", b"SSL: no  ")))
    assert torn.suits and "not of one piece" in torn.notes[0]
    old = image_record(parts(stock_shape.image(release=2)))
    assert old.suits and "whole is not certain" in old.notes[0]


def test_one_that_does_not_suit_is_told_all_the_same() -> None:
    record = image_record(parts(stock_shape.image(modules="file,net")))
    assert not record.suits and record.build.version == "3.0.0.0"
    assert record.notes[0].startswith("firmware.bin lacks the module node, uart and tmr (it has file, net)")
    assert record.lacks[:3] == ["node", "uart", "tmr"]


def test_one_that_lists_nothing_is_not_said_to_lack_what_cannot_be_seen() -> None:
    record = image_record(parts(stock_shape.image(release=2).replace(b"\tmodules:", b"\tnothing:")))
    assert not record.suits and not record.build.modules_listed
    assert set(record.lacks) == {"node", "uart", "tmr", "net"}


def test_no_image() -> None:
    with pytest.raises(ImageError, match="cut short"):
        image_record(parts(image()[:1000]))
