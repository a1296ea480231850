"""The chip's identity: MAC address and chip id, as they stand in its fuses (esptool/targets/esp8266.py)."""

from __future__ import annotations

import hashlib
import re

from bridge.errors import UsageError
from bridge.virtual.options import VirtualOptions

#: One of Espressif's own prefixes.
_VENDOR = bytes.fromhex("5ccf7f")


def mac_address(options: VirtualOptions) -> bytes:
    """Six bytes of the station's MAC address: the option's, or one that follows from seed and address.

    Raises:
        UsageError: the option is not a MAC address.
    """
    if options.mac is None:
        return _VENDOR + hashlib.sha256(f"{options.seed} {options.address}".encode()).digest()[:3]
    if not re.fullmatch(r"[0-9a-fA-F]{2}([:-][0-9a-fA-F]{2}){5}", options.mac):
        raise UsageError(f"mac={options.mac} is not a MAC address", remedy="Write it as 5c:cf:7f:01:02:03.")
    return bytes.fromhex(options.mac.replace(":", "").replace("-", ""))


def chip_id(mac: bytes) -> int:
    """What `node.chipid()` and esptool say: the last three bytes."""
    return int.from_bytes(mac[3:], "big")


def fuse_words(mac: bytes) -> tuple[int, int, int, int]:
    """The four words at 0x3FF00050. All flag bits of an ESP8285 are clear."""
    word0 = mac[5] << 24
    word1 = mac[3] << 8 | mac[4]
    return word0, 0x02000000 | word1, 0x00000000, int.from_bytes(mac[:3], "big")
