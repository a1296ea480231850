"""The pure half of SOCKS5: every message, however it is cut, and every kind of nonsense."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import LocalProtocolError
from bridge.proxy.socks5 import Command, Rejected, Reply, Request, Socks5, address_length, packed, unpacked

HELLO = b"\x05\x01\x00"
NAMED = b"\x05\x01\x00\x03\x0bexample.com\x00\x50"
FAILED = bytes((0, 1, 0, 0, 0, 0, 0, 0))


def login(user: bytes, password: bytes) -> bytes:
    return bytes((1, len(user))) + user + bytes((len(password),)) + password


def right(user: bytes, password: bytes) -> bool:
    return (user, password) == (b"me", b"hunter2")


def refusal(reply: int) -> bytes:
    return bytes((5, reply, 0, 1, 0, 0, 0, 0, 0, 0))


def test_a_name_is_asked_for_and_got() -> None:
    socks = Socks5()
    assert socks.receive(HELLO) is None
    assert socks.data_to_send() == b"\x05\x00"
    assert socks.receive(NAMED) == Request(Command.CONNECT, "example.com", 80)
    assert socks.wanted == 0
    socks.reply(Reply.SUCCEEDED, "10.0.0.7", 4097)
    assert socks.data_to_send() == b"\x05\x00\x00\x01\x0a\x00\x00\x07\x10\x01"
    assert socks.data_to_send() == b""


@pytest.mark.parametrize(
    ("address", "host"),
    [
        (b"\x01\x0a\x00\x00\x07\x00\x50", "10.0.0.7"),
        (b"\x04" + bytes(15) + b"\x01\x00\x50", "::1"),
        (b"\x03\x01a\x00\x50", "a"),
        (b"\x03\xff" + b"a" * 255 + b"\x00\x50", "a" * 255),
    ],
)
@pytest.mark.parametrize("command", list(Command))
def test_each_command_and_kind_of_address(command: Command, address: bytes, host: str) -> None:
    socks = Socks5()
    assert socks.receive(HELLO + bytes((5, command, 0)) + address) == Request(command, host, 80)


def test_bind_has_two_replies_and_no_third() -> None:
    socks = Socks5()
    socks.receive(HELLO + b"\x05\x02\x00\x01\x00\x00\x00\x00\x00\x00")
    socks.reply(Reply.SUCCEEDED, "10.0.0.7", 4097)
    socks.reply(Reply.SUCCEEDED, "10.0.0.8", 5)
    with pytest.raises(LocalProtocolError):
        socks.reply(Reply.SUCCEEDED)


def test_bind_that_failed_has_one_reply() -> None:
    socks = Socks5()
    socks.receive(HELLO + b"\x05\x02\x00\x01\x00\x00\x00\x00\x00\x00")
    socks.reply(Reply.FAILED)
    with pytest.raises(LocalProtocolError):
        socks.reply(Reply.SUCCEEDED)


def test_nothing_is_replied_before_a_request() -> None:
    socks = Socks5()
    with pytest.raises(LocalProtocolError):
        socks.reply(Reply.SUCCEEDED)
    socks.receive(HELLO)
    with pytest.raises(LocalProtocolError):
        socks.reply(Reply.SUCCEEDED)


def test_a_login_that_is_right() -> None:
    socks = Socks5(right)
    assert socks.receive(b"\x05\x02\x00\x02") is None
    assert socks.data_to_send() == b"\x05\x02"
    assert socks.receive(login(b"me", b"hunter2")) is None
    assert socks.data_to_send() == b"\x01\x00"
    assert isinstance(socks.receive(NAMED), Request)


@pytest.mark.parametrize(
    ("user", "password"), [(b"me", b"hunter3"), (b"you", b"hunter2"), (b"", b""), (b"x" * 255, b"y" * 255)]
)
def test_a_login_that_is_wrong(user: bytes, password: bytes) -> None:
    socks = Socks5(right)
    socks.receive(b"\x05\x01\x02")
    result = socks.receive(login(user, password) + NAMED)
    assert result == Rejected("user or password is wrong")
    assert socks.data_to_send() == b"\x05\x02\x01\x01"


def test_a_password_stands_in_no_text() -> None:
    socks = Socks5(right)
    socks.receive(b"\x05\x01\x02" + login(b"me", b"sesame")[:-1])
    result = socks.receive(b"e")
    assert "sesam" not in f"{socks!r} {result!r}"


@pytest.mark.parametrize(
    ("said", "answered"),
    [
        (b"\x04\x01\x00\x50\x0a\x00\x00\x07\x00", b"\x00\x5b" + bytes(6)),
        (b"\x06\x01\x00", b""),
        (b"\x05\x00", b"\x05\xff"),
        (b"\x05\x02\x01\x02", b"\x05\xff"),
        (HELLO + b"\x04\x01\x00\x01", b"\x05\x00" + refusal(1)),
        (HELLO + b"\x05\x01\x00\x07aaaaaa", b"\x05\x00" + refusal(8)),
        (HELLO + b"\x05\x00\x00\x01" + bytes(6), b"\x05\x00" + refusal(7)),
        (HELLO + b"\x05\x09\x00\x01" + bytes(6), b"\x05\x00" + refusal(7)),
        (HELLO + b"\x05\x01\x00\x03\x00\x00\x50", b"\x05\x00" + refusal(4)),
        (HELLO + b"\x05\x01\x00\x03\x03a b\x00\x50", b"\x05\x00" + refusal(4)),
        (HELLO + b"\x05\x01\x00\x03\x03a\x00b\x00\x50", b"\x05\x00" + refusal(4)),
        (HELLO + b"\x05\x01\x00\x03\x02\xff\xfe\x00\x50", b"\x05\x00" + refusal(4)),
    ],
)
def test_what_breaks_the_rules_is_rejected_in_the_words_there_are(said: bytes, answered: bytes) -> None:
    for step in (1, len(said)):
        socks = Socks5()
        results = [socks.receive(said[at : at + step]) for at in range(0, len(said), step)]
        assert [type(each) for each in results if each is not None] == [Rejected]
        assert socks.data_to_send() == answered
        assert socks.wanted == 0
        with pytest.raises(LocalProtocolError):
            socks.reply(Reply.SUCCEEDED)


def test_whoever_must_log_in_is_not_let_in_without() -> None:
    socks = Socks5(right)
    assert isinstance(socks.receive(HELLO + NAMED), Rejected)
    assert socks.data_to_send() == b"\x05\xff"


addresses = st.one_of(
    st.binary(min_size=4, max_size=4).map(lambda raw: b"\x01" + raw),
    st.binary(min_size=16, max_size=16).map(lambda raw: b"\x04" + raw),
    st.binary(min_size=1, max_size=255).map(lambda raw: b"\x03" + bytes((len(raw),)) + raw),
)
conversations = st.builds(
    lambda methods, user, password, command, address, port, rest: (
        bytes((5, len(methods) + 1, 2))
        + methods
        + login(user, password)
        + bytes((5, command, 0))
        + address
        + port
        + rest
    ),
    st.binary(max_size=254),
    st.sampled_from([b"me", b"you"]) | st.binary(max_size=255),
    st.just(b"hunter2") | st.binary(max_size=255),
    st.integers(0, 255),
    addresses,
    st.binary(min_size=2, max_size=2),
    st.binary(max_size=40),
)


@given(conversations | st.binary(max_size=600), st.lists(st.integers(1, 300), max_size=40))
def test_however_it_is_cut_it_means_the_same(said: bytes, cuts: list[int]) -> None:
    whole, pieces = Socks5(right), Socks5(right)
    meant = whole.receive(said)
    results, at = [], 0
    for size in [*cuts, len(said)]:
        results.append(pieces.receive(said[at : at + size]))
        at += size
    assert [each for each in results if each is not None] == ([] if meant is None else [meant])
    assert pieces.data_to_send() == whole.data_to_send()
    assert (pieces.wanted, pieces.unread) == (whole.wanted, whole.unread)


@given(conversations | st.binary(max_size=600))
def test_who_reads_no_more_than_is_wanted_takes_nothing_of_what_follows(said: bytes) -> None:
    greedy, modest = Socks5(right), Socks5(right)
    meant, got, at = greedy.receive(said), None, 0
    while got is None and modest.wanted and at < len(said):
        size = modest.wanted
        got = modest.receive(said[at : at + size])
        at += size
    assert got == meant and modest.unread == b""
    assert said[at:] == greedy.unread


@given(conversations)
def test_nobody_asks_who_has_not_logged_in(said: bytes) -> None:
    def nobody(user: bytes, password: bytes) -> bool:
        return False

    assert not isinstance(Socks5(nobody).receive(said), Request)


def test_ten_thousand_pieces_of_nonsense() -> None:
    """Also what is almost right: bytes of a conversation that are changed, left out, or doubled."""
    rng = Random(20261126)
    model = b"\x05\x02\x00\x02" + login(b"me", b"hunter2") + NAMED
    for _ in range(10_000):
        said = bytearray(model if rng.random() < 0.8 else rng.randbytes(rng.randrange(600)))
        for _ in range(rng.randrange(4)):
            at = rng.randrange(len(said) + 1)
            match rng.randrange(3):
                case 0:
                    said[at : at + 1] = rng.randbytes(1)
                case 1:
                    del said[at : at + rng.randrange(4)]
                case 2:
                    said[at:at] = said[at : at + 4]
        socks = Socks5(right if rng.random() < 0.7 else None)
        out = b""
        while said:
            size = rng.randrange(1, 64)
            result = socks.receive(bytes(said[:size]))
            del said[:size]
            out += socks.data_to_send()
            assert result is None or isinstance(result, Request | Rejected)
            if result is not None:
                assert socks.wanted == 0
                break
            assert 0 < socks.wanted <= 513
        assert len(out) <= 14


@given(st.ip_addresses() | st.from_regex(r"[!-~]{1,255}", fullmatch=True), st.integers(0, 65_535))
def test_addresses_are_read_as_they_are_written(host: object, port: int) -> None:
    text = str(host)
    message = (
        b"\x03" + bytes((len(text),)) + text.encode() + port.to_bytes(2, "big")
        if isinstance(host, str)
        else packed(text, port)
    )
    assert address_length(message + b"data") == len(message)
    assert unpacked(message) == (text, port)
    assert all(address_length(message[:size]) is None for size in range(len(message)))
