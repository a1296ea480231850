"""Binary records as the 32-bit chip packs them (app/modules/struct.c)."""

from __future__ import annotations

import pytest

from tests.virtual.asked import answer, answers, error


@pytest.mark.parametrize(
    ("call", "packed"),
    [
        ('">HBI4",258,3,16909060', "1 2 3 1 2 3 4"),
        ('"<HBI4",258,3,16909060', "2 1 3 4 3 2 1"),
        ('"hlL",-2,-1,1', "254 255 255 255 255 255 1 0 0 0"),
        ('"!4BI4",1,2', "1 0 0 0 2 0 0 0"),
        ('"!bd",1,1', "1 0 0 0 0 0 0 0 0 0 0 0 0 0 240 63"),
        ('">f",1.5', "63 192 0 0"),
        ('"sx",("ab")', "97 98 0 0"),
        ('"c0c2","ab","xyz"', "97 98 120 121"),
        ('">i3",-2', "255 255 254"),
        ('"<i8",-2', "254 255 255 255 0 0 0 0"),
        ('"B b H",1,2,3', "1 2 3 0"),
        ('"f",1e300', "0 0 128 127"),
    ],
)
def test_pack(call: str, packed: str) -> None:
    assert answer(f"=struct.pack({call}):byte(1,-1)").split("\t") == packed.split()


def test_unpack() -> None:
    said = answers(
        r'=struct.unpack(">BHI4","\1\0\2\0\0\0\3")',
        r'=struct.unpack("<I4","\255\255\255\255")',
        r'=struct.unpack("<i4i2b","\255\255\255\255\254\255\128")',
        r'=struct.unpack("Bc0s","\2abcd\0e")',
        r'=struct.unpack("<I2","\1\2\3\4",3)',
        r'=struct.unpack("<i8","\255\255\255\255\255\255\255\255")',
        r'=struct.unpack(">d",struct.pack(">d",0.1))',
    )
    assert said == ["1\t2\t3\t8", "4294967295\t5", "-1\t-2\t-128\t8", "ab\tcd\t7", "1027\t5", "-1\t9", "0.1\t9"]


def test_wide_numbers_are_floats_on_5_3() -> None:
    said = answer(
        r'a=struct.unpack("<I4","\255\255\255\255") print(math.type(a),struct.unpack("<i4","\0\0\0\64"))', "5.3"
    )
    assert said == "float\t1073741824\t5"


def test_size() -> None:
    assert answer('=struct.size("!4BI4h"),struct.size("c5i3"),struct.size("")') == "10\t8\t0"


def test_wrong_arguments() -> None:
    assert error('struct.pack("y",1)') == "bad argument #1 to 'pack' (invalid format option 'y')"
    assert error('struct.pack("i33",1)') == "integral size 33 is larger than limit of 32"
    assert error('struct.pack("i99999999999",1)') == "integral size overflow"
    assert error('struct.pack("!3",1)') == "alignment 3 is not a power of 2"
    assert error('struct.pack("c4","abc")') == "bad argument #3 to 'pack' (string too short)"
    assert error('struct.pack("B")') == "bad argument #2 to 'pack' (number expected, got nil)"
    assert error('struct.unpack("I4","abc")') == "bad argument #2 to 'unpack' (data string too short)"
    assert error('struct.unpack("B","abc",5)') == "bad argument #2 to 'unpack' (data string too short)"
    assert error('struct.unpack("s","abc")') == "unfinished string in data"
    assert error('struct.unpack("c0","abc")') == "format `c0' needs a previous size"
    assert error('struct.size("s")') == "bad argument #1 to 'size' (option 's' has no fixed size)"
    assert error('struct.size("c0")') == "bad argument #1 to 'size' (option 'c0' has no fixed size)"


def test_the_integer_build_has_no_decimals() -> None:
    assert error('struct.pack("f",1)', number="integer") == "bad argument #1 to 'pack' (invalid format option 'f')"
    assert error('struct.pack("i5",1)', number="integer") == "integral size 5 is larger than limit of 4"
