"""Text of byte strings."""

from __future__ import annotations

import pytest

from tests.virtual.asked import answers, error


def test_there_and_back() -> None:
    said = answers(
        r'=encoder.toHex("\1\255"),encoder.toBase64("abc"),encoder.toBase64("a"),encoder.toHex("")',
        r'=encoder.fromHex("01fF"):byte(1,-1)',
        r'=encoder.fromBase64("YWJj")..encoder.fromBase64("YQ==")..encoder.fromBase64("YWI=")..encoder.fromBase64("")',
    )
    assert said == ["01ff\tYWJj\tYQ==\t", "1\t255", "abcaab"]


@pytest.mark.parametrize("text", ["abc", "ab=c", "====", "a$cd"])
def test_what_is_not_base64(text: str) -> None:
    assert error(f'encoder.fromBase64("{text}")') == "Invalid base64 string"


@pytest.mark.parametrize("text", ["abc", "0g"])
def test_what_is_not_hex(text: str) -> None:
    assert error(f'encoder.fromHex("{text}")') == "Invalid hex string"


def test_nil_is_refused() -> None:
    assert error("encoder.toHex(nil)") == "bad argument #1 to 'toHex' (string expected, got nil)"
