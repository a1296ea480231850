"""Heads of requests to an HTTP proxy."""

from __future__ import annotations

import base64
from http import HTTPStatus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.proxy.http_head import END, HttpRefused, HttpRequest, answer, read_head


def head(*lines: str) -> bytes:
    return "\r\n".join(lines).encode("latin-1") + END


def basic(text: str) -> str:
    return "Proxy-Authorization: Basic " + base64.b64encode(text.encode()).decode()


def test_connect() -> None:
    request = read_head(head("CONNECT example.com:443 HTTP/1.1", "Host: example.com:443", "User-Agent: x"))
    assert request == HttpRequest(True, "example.com", 443, b"", 0, None)


def test_connect_to_an_ipv6_address_is_understood() -> None:
    assert read_head(head("CONNECT [2001:db8::1]:443 HTTP/1.1")).host == "2001:db8::1"


@pytest.mark.parametrize(
    ("uri", "host", "port", "path", "authority"),
    [
        ("http://example.com", "example.com", 80, "/", "example.com"),
        ("http://example.com/", "example.com", 80, "/", "example.com"),
        ("HTTP://Example.com:8080/a/b?c=d&e", "Example.com", 8080, "/a/b?c=d&e", "Example.com:8080"),
        ("http://example.com:/x", "example.com", 80, "/x", "example.com:"),
        ("http://me:secret@example.com/x", "example.com", 80, "/x", "example.com"),
        ("http://10.0.0.7:81?q", "10.0.0.7", 81, "/?q", "10.0.0.7:81"),
        ("http://[::1]/", "::1", 80, "/", "[::1]"),
        ("http://[::1]:81/", "::1", 81, "/", "[::1]:81"),
    ],
)
def test_a_whole_uri_becomes_the_servers_own_form(uri: str, host: str, port: int, path: str, authority: str) -> None:
    request = read_head(head(f"GET {uri} HTTP/1.1", "Host: elsewhere", "Accept: */*"))
    assert (request.tunnel, request.host, request.tcp_port, request.body) == (False, host, port, 0)
    assert request.head == head(f"GET {path} HTTP/1.1", f"Host: {authority}", "Accept: */*", "Connection: close")


def test_what_concerns_the_proxy_alone_does_not_go_on() -> None:
    request = read_head(
        head(
            "POST http://example.com/x HTTP/1.0",
            basic("me:hunter2"),
            "Proxy-Connection: keep-alive",
            "Connection: keep-alive, X-Mine",
            "X-Mine: y",
            "Keep-Alive: 5",
            "Upgrade: websocket",
            "Content-Length: 12",
            "Authorization: Basic for-the-server",
            "X-Odd:  spaced\t",
        )
    )
    assert request.body == 12 and request.login == (b"me", b"hunter2")
    assert request.head == head(
        "POST /x HTTP/1.0",
        "Host: example.com",
        "Content-Length: 12",
        "Authorization: Basic for-the-server",
        "X-Odd: spaced",
        "Connection: close",
    )
    assert "hunter2" not in repr(request) and "for-the-server" not in repr(request)


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        (["GET / HTTP/1.1", "Host: example.com"], 400),
        (["GET example.com HTTP/1.1"], 400),
        (["GET http:///x HTTP/1.1"], 400),
        (["GET http://exa mple.com/ HTTP/1.1"], 400),
        (["GET http://a:b:c/ HTTP/1.1"], 400),
        (["GET http://a:65536/ HTTP/1.1"], 400),
        (["GET http://a:0/ HTTP/1.1"], 400),
        (["GET http://[::1/ HTTP/1.1"], 400),
        (["GET http://a/ HTTP/2.0"], 400),
        (["GET http://a/"], 400),
        (["hello"], 400),
        (["GET https://example.com/ HTTP/1.1"], 501),
        (["GET ftp://example.com/ HTTP/1.1"], 501),
        (["CONNECT example.com HTTP/1.1"], 400),
        (["CONNECT example.com: HTTP/1.1"], 400),
        (["CONNECT :443 HTTP/1.1"], 400),
        (["CONNECT a@b:443 HTTP/1.1"], 400),
        (["CONNECT http://example.com:443 HTTP/1.1"], 400),
        (["CONNECT example.com:443 HTTP/1.1", "no field"], 400),
        (["CONNECT example.com:443 HTTP/1.1", " folded: x"], 400),
        (["CONNECT example.com:443 HTTP/1.1", "a: \0"], 400),
        (["POST http://a/ HTTP/1.1", "Transfer-Encoding: chunked"], 411),
        (["POST http://a/ HTTP/1.1", "Content-Length: 1", "Content-Length: 2"], 400),
        (["POST http://a/ HTTP/1.1", "Content-Length: -1"], 400),
        (["POST http://a/ HTTP/1.1", "Content-Length: 1 2"], 400),
    ],
)
def test_what_is_refused(lines: list[str], status: int) -> None:
    with pytest.raises(HttpRefused) as refused:
        read_head(head(*lines))
    assert refused.value.status == status


@pytest.mark.parametrize(
    ("line", "login"),
    [
        (basic("me:hunter2"), (b"me", b"hunter2")),
        (basic("me:a:b").replace("Basic", "bAsIc"), (b"me", b"a:b")),
        (basic("no colon"), None),
        ("Proxy-Authorization: Basic !!!!", None),
        ("Proxy-Authorization: Digest abc", None),
        ("Proxy-Authorization:", None),
        ("Authorization: Basic bWU6aHVudGVyMg==", None),
    ],
)
def test_logins(line: str, login: tuple[bytes, bytes] | None) -> None:
    assert read_head(head("CONNECT a:1 HTTP/1.1", line)).login == login


def test_a_long_field_is_read_in_no_time() -> None:
    with pytest.raises(HttpRefused):
        read_head(b"GET http://a/ HTTP/1.1\r\na:" + b" " * 16_000 + b"\0" + END)


def test_an_answer_is_one_of_http() -> None:
    said = answer(HTTPStatus.BAD_GATEWAY, "No.")
    assert said.startswith(b"HTTP/1.1 502 Bad Gateway\r\n") and said.endswith(b"\r\n\r\nNo.\n")
    assert b"Content-Length: 4\r\n" in said and b"Proxy-Authenticate" not in said
    assert b"\r\nProxy-Authenticate: Basic realm=" in answer(HTTPStatus.PROXY_AUTHENTICATION_REQUIRED, "Who?")


@given(st.binary(max_size=400) | st.binary(max_size=200).map(lambda raw: b"GET http://a/ HTTP/1.1\r\n" + raw))
def test_nonsense_is_refused_or_read(raw: bytes) -> None:
    try:
        request = read_head(raw + END)
    except HttpRefused as refused:
        assert refused.status >= 400
    else:
        # Nothing that a client writes becomes a line more for the server.
        assert request.head.count(b"\r\n") <= raw.count(b"\r\n") + 4
        assert 0 < request.tcp_port < 65_536
