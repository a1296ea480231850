from __future__ import annotations

import pytest

from bridge.errors import ImageError
from bridge.image import ImagePart, check_image, examine
from tests.image import stock_shape
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
        (b"\xe9", "ends within its header"),
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
    refused(boot + rest.replace(b"NodeMCU ", b"Another "), "is not what was built")
    stock = stock_shape.image()
    refused(stock[:0x10000] + stock[0x10000:].replace(b"NodeMCU ", b"Another "), "holds no NodeMCU")


def test_two_files_of_a_local_build() -> None:
    data = image()
    boot, rest = ImagePart(0, data[:0x10000], "0x00000.bin"), ImagePart(0x10000, data[0x10000:], "0x10000.bin")
    assert "net" in check_image([rest, boot]).modules
    with pytest.raises(ImageError, match="No image is for offset 0"):
        check_image([rest])
    with pytest.raises(ImageError, match=r"0x00000\.bin holds only what is loaded to RAM.*Give 0x10000\.bin too"):
        check_image([boot])
    with pytest.raises(ImageError, match=r"0x10000\.bin lies over the part before it"):
        check_image([ImagePart(0, data, "all.bin"), rest])


def test_what_is_in_an_image() -> None:
    examined = examine(parts(image()))
    assert (examined.boot.flash_size, examined.boot.mode, examined.boot.frequency) == (4 << 20, "dio", "40m")
    assert examined.boot.entry == 0x40100004
    assert [segment.memory for segment in examined.boot.segments] == ["instruction RAM", "data RAM"]
    assert examined.size == len(image()) and examined.code_end is not None
    assert examined.facts.stand_in and examined.facts.lfs_size == 0 and examined.facts.branch == "release"


def test_an_old_one_is_told_by_its_release() -> None:
    data = stock_shape.image().replace(b"NodeMCU 3.0.0.0", b"NodeMcu 0.9.5  ")
    with pytest.raises(
        ImageError, match=r"is NodeMCU 0\.9\.5 of 2024-02-25 01:33, and the bridge needs 2\.2\.1 or later"
    ):
        check_image(parts(data))


def test_a_build_that_lists_no_modules_is_looked_through() -> None:
    data = stock_shape.image(release=2)
    signs = b"createServer\0chipid\0wdclr\0uart\0"
    listless = data.replace(b"\tmodules:", b"\tnothing:")
    with pytest.raises(
        ImageError, match="does not list its modules, and nothing in it looks like the module net, node, tmr or uart"
    ):
        check_image(parts(listless))
    at = len(listless) - 200
    facts = check_image(parts(listless[:at] + signs + listless[at + len(signs) :]))
    assert facts.modules == ("net", "node", "tmr", "uart") and not facts.listed


def test_needs_can_be_others() -> None:
    with pytest.raises(ImageError, match=r"lacks the module mqtt and tls \(it has file, "):
        check_image(parts(image()), ("net", "mqtt", "tls"))
    assert check_image(parts(image("node")), ("node",)).modules == ("node",)
