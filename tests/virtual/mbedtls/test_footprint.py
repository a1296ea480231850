"""The formulas against what was measured on the firmware's own mbedTLS (bytes above the level before)."""

from __future__ import annotations

import pytest

from bridge.virtual.mbedtls.footprint import MBEDTLS_MSG, MBEDTLS_SESSION, SSL_SETUP, Key, certificate, exchange


def block(size: int) -> int:
    return (size + 8 + 7) // 8 * 8


def test_setup() -> None:
    assert block(MBEDTLS_MSG) + block(MBEDTLS_SESSION) == 1848
    assert 1848 + sum(map(block, SSL_SETUP)) == 12_512


@pytest.mark.parametrize(
    ("der", "key", "measured"),
    [
        (769, Key(True, 2048), 1576),
        (1283, Key(True, 4096), 2344),
        (372, Key(False, 256), 984),
    ],
)
def test_certificates(der: int, key: Key, measured: int) -> None:
    assert abs(certificate(der, key) - measured) <= 48


@pytest.mark.parametrize(
    ("curve", "dh", "key", "kept", "peak"),
    [
        (256, 0, Key(False, 256), 1968, 2456),
        (384, 0, Key(False, 256), 2128, 2616),
        (256, 0, Key(True, 2048), 2504, 4688),
        (256, 0, Key(True, 4096), 3016, 9040),
        (0, 2048, Key(True, 2048), 4288, 5352),
    ],
)
def test_exchanges(curve: int, dh: int, key: Key, kept: int, peak: int) -> None:
    found_kept, found_peak, _ = exchange(curve, dh, key)
    assert abs(found_kept - kept) <= 550 and abs(found_kept + found_peak - peak) <= 550


def test_how_the_parts_compare_in_time() -> None:
    rsa, ec = Key(True, 2048), Key(False, 256)
    seconds = {name: us / 2e6 for name, us in (("rsa", exchange(256, 0, rsa)[2]), ("ec", exchange(256, 0, ec)[2]))}
    assert seconds["rsa"] == pytest.approx(1.4, rel=0.01) and 2.4 < seconds["ec"] < 2.8
    assert exchange(0, 2048, rsa)[2] / 2e6 > 10 and 3 < rsa.sign_us() / 2e6 < 5
