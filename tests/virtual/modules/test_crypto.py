"""Digests and ciphers, against Python's own and published vectors."""

from __future__ import annotations

import hashlib
import hmac

import pytest

from tests.virtual.asked import answer, answers, error

BYTES = r'("\0\1\2..bytes"):rep(50)'
DATA = b"\x00\x01\x02..bytes" * 50


@pytest.mark.parametrize("name", ["MD5", "sha1", "SHA256", "sha384", "SHA512"])
def test_digests(name: str) -> None:
    said = answers(
        f'=encoder.toHex(crypto.hash("{name}",{BYTES}))',
        f'h=crypto.new_hash("{name}") for i=1,50 do h:update("\\0\\1\\2..bytes") end d=h:finalize()'
        " print(encoder.toHex(d))",
        f'=encoder.toHex(crypto.hmac("{name}",{BYTES},"key"))',
        f'h=crypto.new_hmac("{name}","key") h:update({BYTES}) print(encoder.toHex(h:finalize()))',
        f'file.putcontents("f",{BYTES}) print(encoder.toHex(crypto.fhash("{name}","f")))',
    )
    digest = hashlib.new(name, DATA).hexdigest()
    keyed = hmac.new(b"key", DATA, name).hexdigest()
    assert said == [digest, digest, keyed, keyed, digest]


def test_sha1_and_mask() -> None:
    assert answer('=encoder.toHex(crypto.sha1("abc"))') == "a9993e364706816aba3e25717850c26c9cd0d89d"
    assert answer('=encoder.toHex(crypto.mask("abcd","\\1\\2"))') == "60606266"


def test_aes() -> None:
    # FIPS 197 appendix C.1.
    key = r'encoder.fromHex("000102030405060708090a0b0c0d0e0f")'
    plain = 'encoder.fromHex("00112233445566778899aabbccddeeff")'
    assert answer(f'=encoder.toHex(crypto.encrypt("AES-ECB",{key},{plain}))') == "69c4e0d86a7b0430d8cdb78070b4c55a"
    text = "Hi, I'm secret! And longer than one block."
    said = answer(
        f'k="1234567890abcdef" c=crypto.encrypt("aes-cbc",k,"{text}","iv") '
        f'print(#c,(crypto.decrypt("AES-CBC",k,c,"iv"):gsub("%z*$","")))'
    )
    assert said == f"48\t{text}"


def test_wrong_arguments() -> None:
    assert error('crypto.hash("md4","x")') == "unknown hash mech"
    assert error('crypto.fhash("md5","missing")') == "file does not exist"
    assert error('crypto.mask("x","")') == "invalid argument: mask"
    assert error('crypto.encrypt("DES","k","d")') == "unknown cipher: DES"
    assert error('crypto.encrypt("AES-ECB","short","d")') == "crypto op failed"
    assert error('crypto.hash("md5")') == "bad argument #2 to 'hash' (string expected, got no value)"
