"""The JSON reader: what it takes, and the names it gives to what it does not (app/sjson/jsonsl.c)."""

from __future__ import annotations

import pytest

from bridge.virtual.modules.sjson_parser import JsonFault, Parser, What, unescape


def events(*pieces: bytes, levels: int = 20) -> list[tuple[What, bytes]]:
    parser = Parser(levels)
    return [(event.what, event.text) for piece in pieces for event in parser.feed(piece)]


def test_a_document() -> None:
    assert events(b'{"a": [1, -2.5e3, true, null], "b" : "x\\"y"}') == [
        (What.OPEN, b"{"),
        (What.KEY, b"a"),
        (What.OPEN, b"["),
        (What.NUMBER, b"1"),
        (What.NUMBER, b"-2.5e3"),
        (What.WORD, b"true"),
        (What.WORD, b"null"),
        (What.CLOSE, b"]"),
        (What.KEY, b"b"),
        (What.STRING, b'x\\"y'),
        (What.CLOSE, b"}"),
    ]


def test_pieces_make_no_difference() -> None:
    text = b'{"key":[10,false,"\\u00e9"],"n":{}}'
    assert events(*(text[at : at + 1] for at in range(len(text)))) == events(text)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (b'{"a" 1}', "CANT_INSERT"),
        (b"[1,]", "TRAILING_COMMA"),
        (b"[1}", "BRACKET_MISMATCH"),
        (b'{"a"}', "VALUE_EXPECTED"),
        (b"{1:2}", "HKEY_EXPECTED"),
        (b"[tru]", "SPECIAL_INCOMPLETE"),
        (b"[trux]", "SPECIAL_EXPECTED"),
        (b"[01]", "INVALID_NUMBER"),
        (b"[1.2.3]", "INVALID_NUMBER"),
        (b"[-]", "INVALID_NUMBER"),
        (b"[1 2]", "CANT_INSERT"),
        (b"[x]", "SPECIAL_EXPECTED"),
        (b'"text"', "STRING_OUTSIDE_CONTAINER"),
        (b'["a\x01"]', "WEIRD_WHITESPACE"),
        (b'["\\x"]', "ESCAPE_INVALID"),
        (b"[\\]", "ESCAPE_OUTSIDE_STRING"),
        (b"[\x00]", "FOUND_NULL_BYTE"),
        (b"[\x01]", "WEIRD_WHITESPACE"),
        (b"[,1]", "STRAY_TOKEN"),
        (b"[" * 20, "LEVELS_EXCEEDED"),
    ],
)
def test_what_is_not_json(text: bytes, name: str) -> None:
    with pytest.raises(JsonFault, match=f"^{name}$"):
        events(text)


def test_escapes() -> None:
    assert unescape(rb"plain") == b"plain"
    assert unescape(rb"\b\f\n\r\t\"\\\/") == b'\x08\x0c\n\r\t"\\/'
    assert unescape(rb"\u0041\u00e9\u20AC") == "Aé€".encode()
    assert unescape(rb"\ud83d\ude00") == b"??"
