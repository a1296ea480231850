from __future__ import annotations

import functools
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.virtual.chip.image import checksum, find_facts, parse

IRAM, DRAM = 0x40100000, 0x3FFE8000


def build(*segments: tuple[int, bytes], size_nibble: int = 4) -> bytes:
    """An image as esptool writes it."""
    data = struct.pack("<BBBBI", 0xE9, len(segments), 2, size_nibble << 4, IRAM + 4)
    value = 0xEF
    for address, payload in segments:
        data += struct.pack("<II", address, len(payload)) + payload
        value = functools.reduce(lambda a, b: a ^ b, payload, value)
    return data + bytes(15 - len(data) % 16) + bytes([value])


@given(st.binary(max_size=300), st.integers(0, 255))
def test_checksum_xors_all_bytes(data: bytes, state: int) -> None:
    assert checksum(data, state) == functools.reduce(lambda a, b: a ^ b, data, state)


@given(st.lists(st.binary(min_size=1, max_size=200), min_size=1, max_size=5))
def test_a_built_image_reads_back(payloads: list[bytes]) -> None:
    data = build(*[(IRAM, payload) for payload in payloads])
    image = parse(data + b"\xff" * 100)
    assert image is not None and image.valid
    assert [segment.data for segment in image.segments] == payloads
    assert image.end == len(data) and image.size_nibble == 4 and image.mode == 2


def test_header_fields() -> None:
    image = parse(build((IRAM, b"code"), size_nibble=9))
    assert image is not None
    assert (image.count, image.entry, image.size_nibble, image.frequency_nibble) == (1, IRAM + 4, 9, 0)


@given(st.integers(16, 16 + 99), st.integers(1, 255))
def test_any_changed_payload_byte_is_found(at: int, change: int) -> None:
    data = bytearray(build((IRAM, bytes(range(100)))))
    data[at] ^= change
    image = parse(bytes(data))
    assert image is not None and not image.valid


@pytest.mark.parametrize("data", [b"", b"\xe9", b"\xff" * 64, b"\xea\x04" + bytes(62)])
def test_no_image(data: bytes) -> None:
    assert parse(data) is None


def test_segment_outside_of_ram_ends_the_reading() -> None:
    image = parse(build((IRAM, b"code"), (0x10000000, b"nowhere"), (DRAM, b"data")))
    assert image is not None and not image.valid
    assert len(image.segments) == 2


def test_cut_image_is_not_valid() -> None:
    data = build((IRAM, bytes(100)), (DRAM, bytes(100)))
    for n in range(8, len(data)):
        image = parse(data[:n])
        assert image is not None and not image.valid, n


RELEASE = (
    b"\nNodeMCU 3.0.0.0 built on nodemcu-build.com provided by frightanic.com\n\tbranch: release\n\tcommit: 64bbf006\n"
    b"\trelease: 3.0-master_20190907 +2\n\trelease DTS: 201909072210\n\tSSL: true\n\tbuild type: integer\n"
    b"\tLFS: 0x10000 bytes total capacity\n\tmodules: adc,file,net,node,tls,wifi\n"
    b" build 2019-09-08 20:22 powered by Lua 5.1.4 on SDK %s\n\0"
)


def test_facts_of_a_cloud_build() -> None:
    facts = find_facts(bytes(100) + RELEASE + bytes(50) + b"3.0.1-dev(fce080e)\0" + bytes(100))
    assert facts is not None
    assert facts.modules == ("adc", "file", "net", "node", "tls", "wifi")
    assert (facts.lua, facts.number, facts.ssl, facts.lfs_size) == ("5.1", "integer", True, 0x10000)
    assert (facts.version, facts.branch, facts.commit) == ("3.0.0.0", "release", "64bbf006")
    assert facts.prolog == "built on nodemcu-build.com provided by frightanic.com"
    assert (facts.release, facts.release_dts) == ("3.0-master_20190907 +2", "201909072210")
    assert (facts.build_date, facts.sdk) == ("2019-09-08 20:22", "3.0.1-dev(fce080e)")
    assert facts.banner.startswith("NodeMCU 3.0.0.0 built") and facts.banner.endswith("on SDK 3.0.1-dev(fce080e)")
    assert not facts.stand_in


def test_facts_of_an_old_build() -> None:
    text = (
        b"NodeMCU custom build by frightanic.com\n\tbranch: master\n\tcommit: 22e1adc4\n\tSSL: false\n"
        b"\tmodules: file,gpio,net\n build \tbuilt on: 2017-03-01 20:05\n"
        b" powered by Lua 5.1.4 on SDK 2.0.0(656edbf)\n\0"
    )
    facts = find_facts(b"\xff" * 9 + text)
    assert facts is not None
    assert facts.modules == ("file", "gpio", "net") and facts.number == "float"
    assert facts.build_date == "2017-03-01 20:05" and facts.sdk == "2.0.0(656edbf)"


def test_facts_of_a_bare_local_build() -> None:
    facts = find_facts(b"\0NodeMCU 2.2.1.0  build unspecified powered by Lua 5.1.4 on SDK %s\0\0" + b"2.2.1(6ab97e9)\0")
    assert facts is not None
    assert (facts.version, facts.modules, facts.sdk) == ("2.2.1.0", (), "2.2.1(6ab97e9)")
    facts = find_facts(b"\0\0\nNodeMCU 0.9.5 build 20150318  powered by Lua 5.1.4\0LUA_INIT\0")
    assert facts is not None
    assert (facts.version, facts.build_date, facts.prolog) == ("0.9.5", "20150318", "")


def test_lua_53_and_an_empty_module_list() -> None:
    data = RELEASE.replace(b"Lua 5.1.4", b"Lua 5.3.6").replace(b"adc,file,net,node,tls,wifi", b"-")
    facts = find_facts(data)
    assert facts is not None
    assert facts.lua == "5.3" and facts.lua_release == "Lua 5.3.6" and facts.modules == ()


@pytest.mark.parametrize("data", [b"", b"\xff" * 1000, b"MicroPython v1.20 on ESP8266\0", b"NodeMCU \0powered by Lua"])
def test_other_firmware_has_no_facts(data: bytes) -> None:
    assert find_facts(data) is None
