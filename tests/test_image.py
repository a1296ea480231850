from __future__ import annotations

from pathlib import Path

import pytest

from bridge.errors import ImageError
from bridge.image import ImagePart, check_image, find_facts, load_image
from tests.images import image, parts


def refused(data: bytes, words: str) -> None:
    with pytest.raises(ImageError, match=words) as caught:
        check_image(parts(data))
    assert caught.value.exit_code == 2 and "firmware.bin" in str(caught.value) and caught.value.remedy


def test_a_stock_shaped_image_and_what_it_says() -> None:
    facts = check_image(parts(image()))
    assert facts.modules == ("file", "gpio", "net", "node", "ow", "tmr", "uart", "wifi")
    assert (facts.lua, facts.number, facts.ssl) == ("5.1", "float", False)
    assert facts.version.startswith("3.0.0")
    assert check_image(parts(image(lua="5.3"))).lua == "5.3"


def test_lacks_net() -> None:
    refused(image("node,tmr,uart"), r"lacks the module net \(it has node, tmr, uart\)")


def test_one_flipped_byte_is_damage() -> None:
    data = bytearray(image())
    data[40] ^= 1
    refused(bytes(data), "damaged")


def test_cut_short() -> None:
    refused(image()[:100], "cut short|damaged")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty"),
        (b"\x7fELF" + bytes(100), "ELF file"),
        (b"PK\x03\x04" + bytes(100), "ZIP"),
        (b"\n<!DOCTYPE html><html>" + bytes(100), "web page"),
        (b"\xea\x04" + bytes(100), "second-stage"),
        (b"\xe9", "is not an image for ESP8266"),
        (bytes(100), "is not an image for ESP8266"),
        # The start of an ESP32 application: header, then pin, drive settings, chip number, …, "hash appended".
        (
            bytes.fromhex("e906021f7c110840ee000000000000000000000000000001200000 3f".replace(" ", "")) + bytes(99),
            "ESP32",
        ),
    ],
)
def test_what_people_hand_over_by_mistake(data: bytes, words: str) -> None:
    refused(data, words)


def test_another_firmware_for_esp8266() -> None:
    boot, rest = image()[:0x10000], image()[0x10000:]
    refused(boot + rest.replace(b"NodeMCU ", b"Another "), "holds no NodeMCU")


def test_two_files_named_after_their_offsets(tmp_path: Path) -> None:
    data = image()
    (tmp_path / "0x00000.bin").write_bytes(data[:0x10000])
    (tmp_path / "0x10000.bin").write_bytes(data[0x10000:])
    loaded = load_image(tmp_path / "0x10000.bin", tmp_path / "0x00000.bin")
    assert [part.offset for part in loaded] == [0, 0x10000]
    assert "net" in check_image(loaded).modules
    with pytest.raises(ImageError, match="No image is for offset 0"):
        check_image(loaded[1:])


def test_places_that_are_not_clear(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(b"x")
    (tmp_path / "b.bin").write_bytes(b"x")
    assert load_image(tmp_path / "a.bin") == [ImagePart(0, b"x", "a.bin")]
    with pytest.raises(ImageError, match="Where in the flash a.bin belongs"):
        load_image(tmp_path / "a.bin", tmp_path / "b.bin")
    with pytest.raises(ImageError, match="cannot be read"):
        load_image(tmp_path / "none.bin")


def test_old_banner_without_build_type() -> None:
    facts = find_facts(
        b"\0NodeMCU custom build by frightanic.com\n\tbranch: master\n\tSSL: true\n\tmodules: file,net\n"
        b" build \tbuilt on: 2018-01-01 10:00\n powered by Lua 5.1.4 on SDK %s\n\0"
    )
    assert facts is not None and facts.modules == ("file", "net") and facts.ssl and facts.number == "float"
