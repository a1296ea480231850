from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from bridge.errors import ImageError
from bridge.image.parts import LARGEST, ImagePart, flat, image_id, load_image


def test_two_files_named_after_their_offsets(tmp_path: Path) -> None:
    (tmp_path / "0x00000.bin").write_bytes(b"boot")
    (tmp_path / "0x10000.bin").write_bytes(b"code")
    loaded = load_image(tmp_path / "0x10000.bin", tmp_path / "0x00000.bin")
    assert [(part.offset, part.data) for part in loaded] == [(0, b"boot"), (0x10000, b"code")]
    assert flat(loaded) == b"boot" + b"\xff" * (0x10000 - 4) + b"code"


def test_places_that_are_not_clear(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(b"x")
    (tmp_path / "b.bin").write_bytes(b"x")
    assert load_image(tmp_path / "a.bin") == [ImagePart(0, b"x", "a.bin")]
    with pytest.raises(ImageError, match=r"Where in the flash a\.bin belongs"):
        load_image(tmp_path / "a.bin", tmp_path / "b.bin")
    with pytest.raises(ImageError, match=r"none\.bin cannot be read \(No such file"):
        load_image(tmp_path / "none.bin")
    with pytest.raises(ImageError, match="is a folder"):
        load_image(tmp_path)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ImageError, match="pipe is no plain file"):
        load_image(tmp_path / "pipe")


def test_files_that_no_flash_holds_are_not_read_whole(tmp_path: Path) -> None:
    huge = tmp_path / "huge.bin"
    with huge.open("wb") as file:
        file.truncate(1 << 40)  # no byte of it is on the disk
    with pytest.raises(ImageError, match="larger than any flash"):
        load_image(huge)
    far = ImagePart(0xFFFFFFFF, b"x", "0xffffffff.bin")
    with pytest.raises(ImageError, match=r"0xffffffff\.bin goes on to 0x100000000, behind the end"):
        flat([ImagePart(0, b"x"), far])
    assert len(flat([ImagePart(LARGEST - 1, b"x")])) == LARGEST


def test_an_image_is_known_by_all_of_its_bytes_and_places() -> None:
    one = ImagePart(0, b"abc", "a.bin")
    assert image_id([one]) == hashlib.sha256(b"abc").hexdigest() == one.sha256
    two = [ImagePart(0, b"abc"), ImagePart(0x10000, b"def")]
    assert image_id(two) == image_id(two[::-1])
    others = [[one], [ImagePart(0, b"abc"), ImagePart(0x11000, b"def")], [ImagePart(0, b"abd"), two[1]]]
    assert len({image_id(two), *map(image_id, others)}) == 4
