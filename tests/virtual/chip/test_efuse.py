from __future__ import annotations

import pytest

from bridge.errors import UsageError
from bridge.virtual.chip.efuse import chip_id, fuse_words, mac_address
from bridge.virtual.options import VirtualOptions


def esptool_mac(words: tuple[int, int, int, int]) -> bytes:
    """As esptool/targets/esp8266.py puts a MAC address together."""
    mac0, mac1, _, mac3 = words
    assert mac3 != 0
    oui = [(mac3 >> 16) & 0xFF, (mac3 >> 8) & 0xFF, mac3 & 0xFF]
    return bytes([*oui, (mac1 >> 8) & 0xFF, mac1 & 0xFF, (mac0 >> 24) & 0xFF])


def test_fuses_hold_the_mac_address() -> None:
    mac = mac_address(VirtualOptions(mac="18:FE:34:0a:0b:0c"))
    assert mac == b"\x18\xfe\x34\x0a\x0b\x0c"
    words = fuse_words(mac)
    assert esptool_mac(words) == mac
    assert (words[0] >> 24) | (words[1] & 0xFFFFFF) << 8 == chip_id(mac) == 0x0A0B0C


def test_no_flag_of_an_esp8285_is_set() -> None:
    words = fuse_words(b"\xff" * 6)
    assert not words[0] & 1 << 4 and not words[2] & 1 << 16


def test_boards_have_addresses_of_their_own() -> None:
    macs = {mac_address(VirtualOptions(seed=seed, address=f"127.70.0.{seed}")) for seed in range(20)}
    assert len(macs) == 20
    assert mac_address(VirtualOptions(seed=3)) == mac_address(VirtualOptions(seed=3))


def test_a_wrong_address_is_refused() -> None:
    with pytest.raises(UsageError, match="not a MAC address"):
        mac_address(VirtualOptions(mac="18:FE:34"))
