from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.trace.secrets import (
    Known,
    Scanner,
    blanked,
    discreet_text,
    fill,
    find_secrets,
    is_secret_name,
    literals,
    merge,
    reads_secret,
    takes_secret,
)

KEY = b"QXZJVWK#"


@pytest.mark.parametrize(
    "text",
    [
        b"pwd='%s'", b'["pwd"] = "%s"', b"password=[[%s]]", b"pwd=[==[%s]==]", b'{"password": "%s"}',
        b"{\\\"token\\\":\\\"%s\\\"}", b"psk = '%s'",  b"local wifi_key = \"%s\"",
        b"secret: %s\r\n", b"a=1&passwd=%s&b=2",
        b"PASSWORD = '%s'", b"pwd = 'a' .. '%s'", b"\"pwd=\"..\"%s\"", b"b'pwd': b'%s'", b"pwd\t%s\r\n",
        b"Authorization: Bearer %s\r\n", b"mqtt://me:%s@broker", b"crypto.hmac('sha1', d, '%s')",
        b"mqtt.Client('id', 120, 'me', '%s')", b"wifi.sta.config('home', '%s')", b"wifi.ap.config{ssid='x', pwd='%s'}",
        b"-----BEGIN RSA PRIVATE KEY-----\\n%s\\n-----END RSA PRIVATE KEY-----", b"pwd=\\034%s\\034",
        b"api_key='%s'", b"('password', '%s')", b"if pass == '%s' then", b"pwd='%s", b"pw = '%s'",
        b"virtual:?wifi=home:%s&cpu=0", b"rfc2217://me:%s@host:4001",
    ],
)  # fmt: skip
def test_where_a_secret_stands(text: bytes) -> None:
    whole = text % KEY
    assert blanked(whole, find_secrets(whole)).count(b"*" * len(KEY)) == 1, find_secrets(whole)
    assert KEY[:3] not in blanked(whole, find_secrets(whole))


@pytest.mark.parametrize(
    "text",
    [
        b"print('hello')", b"for key, value in pairs(t) do print(key, value) end", b"key = other", b"pwd = nil",
        b"wifi.sta.config: pwd: length:8-64", b"-----BEGIN CERTIFICATE-----\nQXZJVWK#", b"http://host:80/path",
        b"local keyboard = 5",
        b'return wifi.sta.config or error("there is no wifi.sta.config on this board",0)',
        b"the password is wrong", b"monkeys and pins",
    ],
)  # fmt: skip
def test_where_none_stands(text: bytes) -> None:
    assert find_secrets(text) == []


@pytest.mark.parametrize("name", [b"pwd", b"password", b"wifi_psk", b"TOKEN", b"key", b"apiKey", b"secret", b"pass"])
def test_names_of_secrets(name: bytes) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize("name", [b"ssid", b"keyboard", b"user", b"n", b"compass_x"])
def test_other_names(name: bytes) -> None:
    assert not is_secret_name(name)


TEXT = b"local c = {ssid='home', pwd='" + KEY + b'\', auto=true} print("token", "' + KEY + b'")\r\n'
PEM = b"x = [[-----BEGIN PRIVATE KEY-----\n" + KEY * 200 + b"\n-----END PRIVATE KEY-----]] print(1)"


@given(st.sampled_from([TEXT, PEM]), st.lists(st.integers(1, 60), min_size=1))
def test_any_cut_finds_the_same(text: bytes, sizes: list[int]) -> None:
    scanner = Scanner()
    out = b""
    at = turn = 0
    while at < len(text):
        piece = text[at : at + sizes[turn % len(sizes)]]
        out += blanked(piece, scanner.spans(piece))
        at, turn = at + len(piece), turn + 1
    assert len(out) == len(text) and KEY[:4] not in out and (b"QXZ" not in out)
    assert out.startswith(text[:9]) and out.endswith(text[-3:])


def test_a_private_key_that_never_ends_ends_somewhere() -> None:
    scanner = Scanner()
    scanner.spans(b"-----BEGIN PRIVATE KEY-----\n")
    assert scanner.spans(b"A" * 16_000) == [(0, 16_000)]
    scanner.spans(b"A" * 1_000)
    assert scanner.spans(b"and now something else") == []


def test_functions_that_take_or_return_secrets() -> None:
    assert (
        takes_secret(b"wifi.sta.config(c)") and takes_secret(b"tls.cert.auth(a, b)") and takes_secret(b"mqtt.Client()")
    )
    assert reads_secret(b"print(wifi.sta.getconfig())") and reads_secret(b"wifi.ap.getdefaultconfig(true)")
    assert not takes_secret(b"wifi.sta.getconfig()") and not reads_secret(b"wifi.sta.config()")
    assert reads_secret(b"local s = wifi.sta print(s.getconfig())") and not reads_secret(b"uart.getconfig(0)")
    assert not takes_secret(b"myconfig()") and not takes_secret(b"crypto.hash('sha1', x)")


def test_literals_of_lua() -> None:
    source = b"""f("a\\"b", 'c', [[d]], [==[e]]]==], "there is no wifi.sta.config") -- it's"""
    assert [source[a:b] for a, b in literals(source)] == [b'a\\"b', b"c", b"d", b"e]]"] + [b"s"]


@given(st.one_of(st.binary(max_size=40), st.text(max_size=20).map(str.encode)))
def test_what_is_filled_is_as_long_and_as_much_text(data: bytes) -> None:
    filled = fill(data)
    assert len(filled) == len(data) and b"\0" not in filled

    for at in range(len(data) + 1):
        assert printable(filled[:at]) == printable(data[:at]) and printable(filled[at:]) == printable(data[at:])
    assert fill(filled) == filled


def printable(raw: bytes) -> list[bool]:
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        text = raw.decode("ascii", "replace").replace("\ufffd", "\0")
    return [c.isprintable() or c in "\t\r\n\x1b" for c in text]


@given(st.one_of(st.binary(max_size=40), st.text(max_size=30).map(str.encode)), st.integers(0, 40), st.integers(0, 40))
def test_what_is_filled_in_part_is_as_much_text(data: bytes, start: int, size: int) -> None:
    stop = min(start + size, len(data))
    kept = blanked(data, [(start, stop)] if start < stop else [])
    assert len(kept) == len(data) and printable(kept) == printable(data)
    assert kept[start:stop] == fill(data)[start:stop]


def test_known_secrets_are_found_again_as_lua_reads_them_and_in_pieces() -> None:
    known = Known()
    known.add(b'QX\\"ZJ\\087K')
    assert known.spans(b'say QX"ZJWK!') == [(4, 11)]
    assert known.near(b'say QX"Z and JWK!') == [(4, 8)]
    known.add(b"abc")
    known.add(b"*****")
    assert known.spans(b"abc *****") == [] and known.near(b"abc *****") == []
    for n in range(100):
        known.add(b"secret %d" % n)
    assert known.spans(b"secret 10 secret 99") == [(10, 19)]


def test_merge() -> None:
    assert merge([(5, 7), (1, 3), (2, 4), (7, 9), (9, 9)]) == [(1, 4), (5, 9)]


def test_a_text_that_others_read_is_as_long_without_its_secrets() -> None:
    assert discreet_text("joining “home”, pwd='hünter2'\n") == "joining “home”, pwd='*·*****'\n"
    assert discreet_text("there is no \udcff in it") == "there is no \udcff in it"
    assert discreet_text("\udcff pwd='hunter2'").endswith(" pwd='*******'")
