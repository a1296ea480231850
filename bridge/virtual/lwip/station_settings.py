"""The SDK's saved Wi-Fi settings, in the last three sectors of the flash (the system parameter area).

As the SDK does, two sectors take turns and a third says which one counts, so that a power cut leaves one of them.
What is inside a sector is not documented by Espressif; the layout here is this project's own.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

from bridge.virtual.chip import rcr
from bridge.virtual.chip.flash import FlashMemory, erase_seconds, program_seconds
from bridge.virtual.chip.layout import SECTOR, SYSTEM_PARAMETER_SIZE, PartitionType, find

_RECORD = struct.Struct("<4sBBB B32sB64sB6s B32sB64sBBBBH")
_MAGIC = b"WIFI"
NULL_MODE, STATION_MODE, SOFTAP_MODE, STATIONAP_MODE = range(4)


@dataclass(frozen=True)
class StationConfig:
    """`struct station_config`, as far as it is used."""

    ssid: bytes = b""
    password: bytes = b""
    bssid: bytes | None = None


@dataclass(frozen=True)
class AccessPointConfig:
    """`struct softap_config`."""

    ssid: bytes = b""
    password: bytes = b""
    auth: int = 0
    channel: int = 1
    hidden: int = 0
    most: int = 4
    beacon: int = 100


@dataclass(frozen=True)
class Settings:
    """Everything that survives a restart."""

    mode: int = STATION_MODE
    auto_connect: bool = True
    phy_mode: int = 3
    station: StationConfig = StationConfig()
    access_point: AccessPointConfig = AccessPointConfig()


def _area(flash: FlashMemory) -> int:
    table = rcr.partition_table(flash)
    partition = find(table, PartitionType.SYSTEM_PARAMETER) if table else None
    address = partition.address if partition is not None else 0
    fits = address > 0 and address + SYSTEM_PARAMETER_SIZE <= flash.size
    return address if fits else flash.size - SYSTEM_PARAMETER_SIZE


def load(flash: FlashMemory) -> Settings | None:
    """What is saved, or None on a chip where nothing was."""
    area = _area(flash)
    which = flash.read(area + 2 * SECTOR, 1)[0] & 1
    for sector in (which, 1 - which):
        data = flash.read(area + sector * SECTOR, _RECORD.size + 4)
        record, check = data[: _RECORD.size], int.from_bytes(data[_RECORD.size :], "little")
        if record.startswith(_MAGIC) and zlib.crc32(record) == check:
            return _unpack(record)
    return None


def save(flash: FlashMemory, settings: Settings) -> float:
    """Write the settings; returns the seconds the flash was busy."""
    area = _area(flash)
    which = 1 - (flash.read(area + 2 * SECTOR, 1)[0] & 1)
    record = _pack(settings)
    data = record + zlib.crc32(record).to_bytes(4, "little")
    for address, content in ((area + which * SECTOR, data), (area + 2 * SECTOR, bytes([0xFE | which]))):
        flash.erase(address, SECTOR)
        flash.program(address, content)
    return 2 * erase_seconds(SECTOR) + program_seconds(len(data)) + program_seconds(1)


def _pack(settings: Settings) -> bytes:
    station, point = settings.station, settings.access_point
    return _RECORD.pack(
        _MAGIC,
        settings.mode,
        settings.auto_connect,
        settings.phy_mode,
        len(station.ssid),
        station.ssid,
        len(station.password),
        station.password,
        station.bssid is not None,
        station.bssid or bytes(6),
        len(point.ssid),
        point.ssid,
        len(point.password),
        point.password,
        point.auth,
        point.channel,
        point.hidden,
        point.most,
        point.beacon,
    )


def _unpack(record: bytes) -> Settings:
    (_, mode, auto, phy, n, ssid, m, password, bssid_set, bssid, k, ap_ssid, j, ap_password, *rest) = _RECORD.unpack(
        record
    )
    return Settings(
        mode,
        bool(auto),
        phy,
        StationConfig(ssid[:n], password[:m], bssid if bssid_set else None),
        AccessPointConfig(ap_ssid[:k], ap_password[:j], *rest),
    )
