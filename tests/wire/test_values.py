import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import RemoteProtocolError, ValueRefused
from bridge.wire.values import Aside, Callback, Handle, Opaque, Tag, decode_values, encode_values

plain = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**53), 2**53),
    st.floats(allow_nan=False),
    st.binary(max_size=300),
    st.builds(Handle, st.integers(0, 0xFFFF)),
    st.builds(Callback, st.integers(0, 0xFFFF)),
)
keys = st.one_of(st.integers(-9, 9), st.binary(max_size=8), st.booleans())
tables = st.recursive(
    plain.filter(lambda value: value is not None),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(keys, inner, max_size=4)),
    max_leaves=12,
)


def same(one: object, other: object) -> bool:
    """Equal, and numbers of the same kind; an empty table and a dict of 1…n come back as lists."""
    if isinstance(one, dict):
        whole = {key: value for key, value in one.items() if type(key) is int}
        if len(whole) == len(one) and set(whole) == set(range(1, len(one) + 1)):
            one = [whole[number] for number in range(1, len(one) + 1)]
        else:
            return isinstance(other, dict) and len(one) == len(other) and all(same(one[k], other[k]) for k in one)
    if isinstance(one, list):
        return isinstance(other, list) and len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and one == other and repr(one) == repr(other)


@given(st.lists(plain))
def test_values_come_back(values: list[object]) -> None:
    got = decode_values(encode_values(values))
    assert len(got) == len(values) and all(map(same, values, got))


@given(tables)
def test_tables_come_back(value: object) -> None:
    (got,) = decode_values(encode_values([value]))
    assert same(value, got)


@pytest.mark.parametrize(
    ("value", "data"),
    [
        (0, "72000130"), (63, "7200023633"), (-1, "7200022d31"), (0.5, "720003302e35"), (3.0, "720003332e30"),
        (b"", "670000"), (b"a", "67000161"), ("ü", "670002c3bc"), (b"x" * 300, "67012c" + "78" * 300),
        (None, "6c0000"), (False, "6e000566616c7365"), (True, "6e000474727565"), (Handle(258), "610102"),
        (Callback(258), "630102"), ([], "650000"), ({b"k": 1}, "6500016700016b72000131"),
    ],
)  # fmt: skip
def test_bytes_of_values(value: object, data: str) -> None:
    assert encode_values([value]).hex() == data


@pytest.mark.parametrize(
    "value",
    [
        object(),
        [None],
        {None: 1},
        {1: None},
        b"x" * 65536,
        1 << 300_000,
        [[[[[[[[[1]]]]]]]]],
        {math.nan: 1},
        {"a": 1, b"a": 2},
        "\ud800",
    ],
    ids=["object", "list of None", "None key", "None value", "long", "huge", "deep", "NaN key", "same", "half"],
)
def test_what_has_no_form_is_refused(value: object) -> None:
    with pytest.raises(ValueRefused):
        encode_values([value])


@given(st.binary(max_size=60))
def test_any_bytes_decode_or_are_refused(data: bytes) -> None:
    try:
        decode_values(data)
    except RemoteProtocolError:
        pass


@pytest.mark.parametrize(
    "data",
    [
        b"g", b"g\0", b"g\0\x05abc", b"r\0\x01x", b"z\0\0", b"e\0\x01r\0\x011", b"e\0\x01" * 9 + b"l\0\0", b"a\0",
    ],
)  # fmt: skip
def test_cut_or_unknown_values_are_refused(data: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        decode_values(data)


def test_numbers_as_the_board_writes_them() -> None:
    def number(text: bytes) -> object:
        return decode_values(bytes((Tag.NUMBER,)) + len(text).to_bytes(2, "big") + text)[0]

    assert number(b"1e+15") == 1e15
    assert number(b"-nan") != number(b"-nan")
    assert number(b"inf") == math.inf and number(b"-inf") == -math.inf
    assert type(number(b"-70")) is int
    assert math.copysign(1, number(b"-0")) == -1  # type: ignore[arg-type]
    assert number(b"4503599627370496p1") == 2**53 and type(number(b"4503599627370496p1")) is int
    assert type(number(b"4503599627370496.p1")) is float


def test_tables_that_are_keys_stay_different_keys() -> None:
    one = b"e\0\0"
    (got,) = decode_values(b"e\0\x02" + (one + b"n\0\x04true") * 2)
    assert len(got) == 2


def test_opaque_values_carry_their_text() -> None:
    assert decode_values(b"d\0\x06thread") == (Opaque(b"thread"),)
    assert decode_values(b"s\0\x02") == (Aside(2),)
