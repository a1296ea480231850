from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import UsageError
from bridge.forward.specification import EVERYWHERE, LOOPBACK, Forward, Side, listening, local, remote

NAMES = st.from_regex(r"[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,40}", fullmatch=True).filter(lambda name: name != "udp")
IPV4 = st.ip_addresses(v=4).map(str)
IPV6 = st.ip_addresses(v=6).map(str)
PORTS = st.integers(1, 65_535)


@pytest.mark.parametrize(
    ("text", "forward"),
    [
        ("8080:example.com:80", Forward(Side.HERE, LOOPBACK, 8080, "example.com", 80)),
        ("0:10.0.0.1:80", Forward(Side.HERE, LOOPBACK, 0, "10.0.0.1", 80)),
        ("*:8080:a:80", Forward(Side.HERE, EVERYWHERE, 8080, "a", 80)),
        (":8080:a:80", Forward(Side.HERE, EVERYWHERE, 8080, "a", 80)),
        ("[::1]:8080:a:80", Forward(Side.HERE, "::1", 8080, "a", 80)),
        ("localhost:8080:a:80", Forward(Side.HERE, "localhost", 8080, "a", 80)),
        ("udp:53:8.8.8.8:53", Forward(Side.HERE, LOOPBACK, 53, "8.8.8.8", 53, udp=True)),
        ("udp:0.0.0.0:53:a:53", Forward(Side.HERE, EVERYWHERE, 53, "a", 53, udp=True)),
    ],
)
def test_what_listens_here(text: str, forward: Forward) -> None:
    assert local(text) == forward


@pytest.mark.parametrize(
    ("text", "forward"),
    [
        ("80:localhost:3000", Forward(Side.BOARD, EVERYWHERE, 80, "localhost", 3000)),
        ("10.0.0.9:80:[::1]:3000", Forward(Side.BOARD, "10.0.0.9", 80, "::1", 3000)),
        ("*:80:a:1", Forward(Side.BOARD, EVERYWHERE, 80, "a", 1)),
        ("udp:5000:a:1", Forward(Side.BOARD, EVERYWHERE, 5000, "a", 1, udp=True)),
    ],
)
def test_what_listens_on_the_board(text: str, forward: Forward) -> None:
    assert remote(text) == forward


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "is no forward"),
        ("80", "is no forward"),
        ("80:a", "is no forward"),
        ("1:2:3:4:5", "is no forward"),
        ("::1:80:a:80", "is no forward"),
        ("80:a:80x", "'80x' is no port"),
        ("80:a:0", "'0' is no port"),
        ("65536:a:80", "'65536' is no port"),
        ("-1:a:80", "'-1' is no port"),
        ("²:a:80", "'²' is no port"),
        ("1e3:a:80", "'1e3' is no port"),
        ("80::80", "'' is no host"),
        ("80:a b:80", "'a b' is no host"),
        ("80:http//a:80", "'http//a' is no host"),
        ("80:*:80", r"'\*' is no host"),
        ("[a]:80:b:80", r"\[a\] is no IPv6 address"),
        ("[::1]80:b:80", "is no forward"),
        ("80:[::1]:80", "the board's stack speaks IPv4"),
        ("80:[::1:80", "is no forward|is no host"),
        ("tcp:80:a:80:1", "is no forward"),
        ("udp:", "is no forward"),
    ],
)
def test_what_is_none_is_told_in_a_sentence(text: str, why: str) -> None:
    with pytest.raises(UsageError, match=why) as raised:
        local(text)
    assert str(raised.value).startswith(f"-L {text}") and "\n" not in str(raised.value)


@pytest.mark.parametrize("text", ["[::1]:80:a:80", "host:80:a:80"])
def test_the_board_listens_on_ipv4_alone(text: str) -> None:
    with pytest.raises(UsageError, match="no IPv4 address"):
        remote(text)


def test_a_place_to_listen_on() -> None:
    assert listening("1080", "-D") == (LOOPBACK, 1080)
    assert listening("*:0", "-D") == (EVERYWHERE, 0) and listening("[::1]:1", "-D") == ("::1", 1)
    for text in ("", "x", "a:b:1", "[1]:2"):
        with pytest.raises(UsageError, match="-D"):
            listening(text, "-D")


@given(NAMES | IPV4 | IPV6, st.integers(0, 65_535), NAMES | IPV4, PORTS, st.booleans())
def test_what_is_written_is_read_again_here(address: str, port: int, host: str, host_port: int, udp: bool) -> None:
    forward = Forward(Side.HERE, address, port, host, host_port, udp)
    assert local(str(forward)) == forward


@given(IPV4, st.integers(0, 65_535), NAMES | IPV4 | IPV6, PORTS, st.booleans())
def test_what_is_written_is_read_again_there(address: str, port: int, host: str, host_port: int, udp: bool) -> None:
    forward = Forward(Side.BOARD, address, port, host, host_port, udp)
    assert remote(str(forward)) == forward


@given(st.text() | st.text(alphabet="0123456789:[]*.udp ", max_size=30))
def test_any_text_is_a_forward_or_a_sentence(text: str) -> None:
    for read, side in ((local, Side.HERE), (remote, Side.BOARD)):
        try:
            found = read(text)
        except UsageError:
            continue
        assert found.side is side and 0 <= found.port <= 65_535 and 1 <= found.host_port <= 65_535
        assert read(str(found)) == found
