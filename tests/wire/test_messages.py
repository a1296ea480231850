import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import LocalProtocolError, RemoteProtocolError, ValueRefused
from bridge.wire import messages
from bridge.wire.messages import (
    MAX_CHUNK,
    MAX_MESSAGE,
    MESSAGES,
    OPCODES,
    Ask,
    Call,
    DirectCall,
    Direction,
    Event,
    Failure,
    Hello,
    Invoke,
    Message,
    Reply,
    Source,
    Tune,
    decode,
    describe,
    encode,
)  # fmt: skip
from bridge.wire.values import Handle

SAMPLES: list[Message] = [
    Call(0, 0), Call(253, 255, (Handle(1), b"data", 5)), DirectCall(63, 1, b"\0\1data"), Source(b"return 1"), Tune(100),
    Hello(b"12345678", (1, b"x")), Reply(1), Reply(255, (None, b"a")), Failure(3, (b"text",)),
    Event(65535, 4, (b"x",)), Invoke(1, 0, (2,)), Ask(1, 2, (3,)),
]  # fmt: skip


def test_every_message_has_a_sample() -> None:
    assert {type(sample) for sample in SAMPLES} == set(OPCODES)


@pytest.mark.parametrize("message", SAMPLES, ids=describe)
def test_messages_come_back(message: Message) -> None:
    assert decode(encode(message), OPCODES[type(message)][1].direction) == message


@pytest.mark.parametrize("message", SAMPLES, ids=describe)
def test_fields_of_the_table_are_those_of_the_class(message: Message) -> None:
    entry = OPCODES[type(message)][1]
    assert [name for name, _ in entry.fields] == list(vars(message))


@given(st.binary(max_size=40), st.sampled_from(list(Direction)))
def test_any_bytes_decode_or_are_refused(data: bytes, direction: Direction) -> None:
    try:
        message = decode(data, direction)
    except RemoteProtocolError:
        return
    assert OPCODES[type(message)][1].direction is direction


@pytest.mark.parametrize(
    "message",
    [
        Call(254, 1),
        Call(64, 256),
        Call(63, 1),
        DirectCall(64, 1),
        DirectCall(0, 1),
        Tune(300),
        Hello(b"short"),
        Source(bytes(MAX_MESSAGE)),
        Event(-1, 0),
    ],
)
def test_what_does_not_fit_is_refused(message: Message) -> None:
    with pytest.raises(LocalProtocolError):
        encode(message)


def test_a_chunk_fits_a_message_whatever_else_is_in_it() -> None:
    encode(Call(253, 255, (Handle(65535), b"x" * MAX_CHUNK, 2**53)))


@pytest.mark.parametrize("data", [b"", b"\x00", b"\x07x", b"\x04\0", b"\x01abc"])
def test_cut_messages_are_refused(data: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        decode(data, Direction.TO_HOST)


def test_the_two_directions_do_not_share_types() -> None:
    for (direction, _), entry in MESSAGES.items():
        assert entry.direction is direction


def test_descriptions_are_short() -> None:
    text = messages.describe(Call(73, 4, (b"x" * 5000,)))
    assert text.startswith("CALL 73 4 b'xxx") and len(text) < 100


@pytest.mark.parametrize(
    "message",
    [
        Call(73, 4, ({"ssid": "home", "pwd": "hunter22"},)),
        Call(73, 4, ({b"ssid": b"home", b"pwd": b"hunter22"},)),
        Reply(4, ({b"password": b"hunter22", b"ssid": b"home"},)),
        Source(b'wifi.sta.config{ssid="home",pwd="hunter22"}'),
        Source(b"wifi.sta.config({ssid='home', ['pwd'] = 'hunter22'})"),
        Source(b"c={ssid='home'} c.pwd=[[hunter22]]"),
        Source(b"c={ssid='home'} c.pwd='hunter\\'22hunter22'"),
        Call(73, 4, ({"ssid": "home", "pwd": "hunter22" + "x" * 100},)),
    ],
)
def test_logs_tell_no_wifi_key(message: Message) -> None:
    text = messages.describe(message, 200)
    assert "home" in text and "hunter" not in text and "22" not in text


def test_a_refusal_tells_no_values() -> None:
    with pytest.raises(LocalProtocolError) as caught:
        encode(Call(73, 4, ("hunter22", "\ud800")))
    assert "hunter22" not in str(caught.value) and "surrogate" in str(caught.value)


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ([1, None], "cannot hold None"),
        ({None: 1}, "cannot hold None"),
        ({float("nan"): 1}, "NaN"),
        ({"a": 1, b"a": 2}, "Two keys"),
        ("\ud800", "surrogate"),
        (object(), "object"),
    ],
)
def test_a_value_that_cannot_travel_is_refused_with_the_reason(value: object, why: str) -> None:
    with pytest.raises(ValueRefused, match=why):
        encode(Call(73, 4, (value,)))
