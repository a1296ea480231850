import pytest

from bridge.errors import ValueRefused
from bridge.link.sources import chunk_name, source_messages
from bridge.wire.messages import MAX_SOURCE


def test_source_travels_in_pieces() -> None:
    text = bytes(range(1, 256)) * 9
    pieces = source_messages(text)
    assert b"".join(piece.text for piece in pieces) == text
    assert max(len(piece.text) for piece in pieces) == MAX_SOURCE
    assert [piece.text for piece in source_messages(b"")] == [b" "]


def test_no_piece_but_the_name_begins_with_nul() -> None:
    text = b"x" * 999 + b"\0\0" + b"y" * 1500
    name, *pieces = [piece.text for piece in source_messages(text, "foo.lua")]
    assert name == b"\0=foo.lua"
    assert b"".join(pieces) == text and all(piece[0] for piece in pieces)
    for wrong in (b"\0return 1", b"--" + b"\0" * 2000):
        with pytest.raises(ValueRefused):
            source_messages(wrong)


def test_names_are_no_longer_than_the_board_shows() -> None:
    assert chunk_name("a" * 80 + ".lua") == b"a" * 55 + b".lua" and chunk_name("a\0b") == b"a?b"
