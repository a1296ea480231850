from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bridge.virtual.telnet import (
    COM_PORT,
    DO,
    IAC,
    WILL,
    Data,
    Decoder,
    Event,
    Negotiation,
    Subnegotiation,
    escape,
    negotiate,
    subnegotiate,
)


def joined(events: list[Event]) -> list[Event]:
    """Pieces of data that follow each other, as one."""
    found: list[Event] = []
    for event in events:
        if isinstance(event, Data) and found and isinstance(found[-1], Data):
            found[-1] = Data(found[-1].data + event.data)
        else:
            found.append(event)
    return found


EVENTS = st.one_of(
    st.builds(Data, st.binary(min_size=1, max_size=20)),
    st.builds(Negotiation, st.integers(251, 254), st.integers(0, 255)),
    st.builds(Subnegotiation, st.binary(max_size=20)),
)


def encode(event: Event) -> bytes:
    match event:
        case Data(data):
            return escape(data)
        case Negotiation(verb, option):
            return negotiate(verb, option)
        case Subnegotiation(data):
            return subnegotiate(data)


@given(st.lists(EVENTS), st.integers(1, 9))
def test_everything_survives_any_cutting(events: list[Event], step: int) -> None:
    wire = b"".join(map(encode, events))
    decoder = Decoder()
    found = [event for at in range(0, len(wire), step) for event in decoder.feed(wire[at : at + step])]
    assert joined(found) == joined(events)


def test_bytes_on_the_wire() -> None:
    assert negotiate(WILL, COM_PORT) == b"\xff\xfb\x2c"
    assert subnegotiate(b"\x2c\x01\x00\xff") == b"\xff\xfa\x2c\x01\x00\xff\xff\xff\xf0"
    assert escape(b"a\xffb") == b"a\xff\xffb"


def test_other_commands_mean_nothing() -> None:
    assert Decoder().feed(bytes([IAC, 241]) + b"a" + bytes([IAC, 246]) + b"b") == [Data(b"ab")]


def test_order_is_kept() -> None:
    wire = b"before" + negotiate(DO, 3) + b"after"
    assert Decoder().feed(wire) == [Data(b"before"), Negotiation(DO, 3), Data(b"after")]


def test_an_endless_subnegotiation_is_cut() -> None:
    (event,) = Decoder().feed(subnegotiate(bytes(100_000)))
    assert isinstance(event, Subnegotiation) and len(event.data) < 1000
