"""AES-GCM against tlslite's own."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.virtual.mbedtls.cipher import Gcm


@settings(max_examples=20, deadline=None)
@given(st.sampled_from((16, 32)), st.binary(min_size=12, max_size=12), st.binary(max_size=200), st.binary(max_size=20))
def test_it_does_what_tlslite_does(size: int, nonce: bytes, text: bytes, data: bytes) -> None:
    from tlslite.utils.cipherfactory import createAESGCM  # here, because bridge must have been imported before

    key = bytearray(range(size))
    ours, theirs = Gcm(key), createAESGCM(key, ["python"])
    arguments = [bytearray(each) for each in (nonce, text, data)]
    sealed = ours.seal(*arguments)
    assert sealed == theirs.seal(*arguments) and ours.name == theirs.name
    assert ours.open(bytearray(nonce), sealed, bytearray(data)) == text
    sealed[0] ^= 1
    assert ours.open(bytearray(nonce), sealed, bytearray(data)) is None
