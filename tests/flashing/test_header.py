from __future__ import annotations

import pytest

from bridge.errors import ImageError
from bridge.flashing.header import check_fits, corrected, lasting
from bridge.image import ImagePart, check_image
from bridge.profile import load_profile
from tests.images import image, parts


@pytest.mark.parametrize(("size", "nibble"), [(512 << 10, 0), (1 << 20, 2), (4 << 20, 4), (16 << 20, 9)])
def test_the_size_in_the_header(size: int, nibble: int) -> None:
    data = image()
    (part,) = corrected(parts(data), size)
    assert part.data[3] >> 4 == nibble and part.data[:3] == data[:3] and part.data[4:] == data[4:]


def test_a_size_that_is_not_known_and_a_second_part_stay() -> None:
    data = image()
    two = [ImagePart(0, data[:0x10000]), ImagePart(0x10000, data[0x10000:])]
    assert [part.data for part in corrected(two, 0)] == [part.data for part in two]


def test_mode_and_frequency_of_a_profile() -> None:
    profile = load_profile("virtual")
    profile = profile.model_copy(
        update={"flash": profile.flash.model_copy(update={"mode": "dout", "frequency": "80m"})}
    )
    (part,) = corrected(parts(image()), 4 << 20, profile)
    assert (part.data[2], part.data[3]) == (3, 0x4F)


def test_what_the_firmware_writes_is_left_out() -> None:
    data = image()
    stretches = lasting(parts(data), check_image(parts(data)))
    assert [(at, at + len(part)) for at, part in stretches] == [(0, 0xB000), (0x11000, len(data))]
    assert all(part == data[at : at + len(part)] for at, part in stretches)
    with_tls = parts(image("net,node,tls,tmr,uart"))
    assert [at for at, _ in lasting(with_tls, check_image(with_tls))] == [0, 0x13000]
    two = [ImagePart(0, data[:0x8000]), ImagePart(0x10000, data[0x10000:])]
    assert [(at, len(part)) for at, part in lasting(two, check_image(parts(data)))] == [
        (0, 0x8000), (0x11000, len(data) - 0x11000),
    ]  # fmt: skip


def test_an_image_that_does_not_fit() -> None:
    facts = check_image(parts(image()))
    check_fits(parts(image()), facts, 4 << 20, "the board")
    with pytest.raises(ImageError, match="needs 458752 bytes of flash, the board has 262144"):
        check_fits(parts(image()), facts, 256 << 10, "the board")
    with pytest.raises(ImageError, match="needs 1 MB of flash; the board has 512 KB"):
        check_fits(parts(image()), facts, 512 << 10, "the board")
