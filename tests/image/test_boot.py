from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bridge.errors import ImageError
from bridge.image.boot import loaded_bytes, read_boot
from bridge.image.parts import ImagePart
from tests.image import stock_shape
from tests.images import image


def test_header_and_segments() -> None:
    segments = [(stock_shape.IRAM, bytes(range(8))), (stock_shape.DRAM, b"data")]
    part = ImagePart(0, stock_shape.boot(segments, head=b"\x00\x9f") + b"what follows")
    boot = read_boot(part)
    assert (boot.mode, boot.flash_size, boot.frequency, boot.entry) == ("qio", 16 << 20, "80m", stock_shape.IRAM + 4)
    assert [(one.address, one.length, one.memory) for one in boot.segments] == [
        (stock_shape.IRAM, 8, "instruction RAM"), (stock_shape.DRAM, 4, "data RAM"),
    ]  # fmt: skip
    assert loaded_bytes(part, boot) == [bytes(range(8)), b"data"]
    assert boot.end == len(part.data) - len(b"what follows")


@pytest.mark.parametrize("length", [0, 4, 8, 12, 16, 20])
def test_the_checksum_closes_the_line_in_which_the_segments_end(length: int) -> None:
    part = ImagePart(0, stock_shape.boot([(stock_shape.IRAM, bytes(8)), (stock_shape.DRAM, b"x" * length)]))
    assert read_boot(part).end == len(part.data)


def test_a_boot_part_that_reaches_into_the_code() -> None:
    segments = [(stock_shape.IRAM, bytes(0x8000)), (stock_shape.DRAM, bytes(0x9000))]
    with pytest.raises(ImageError, match="its boot part ends at 0x11020, within the code that begins at 0x10000"):
        read_boot(ImagePart(0, stock_shape.boot(segments)))


def test_esptool_reads_the_same(tmp_path: Path) -> None:
    path = tmp_path / "firmware.bin"
    path.write_bytes(image())
    command = [sys.executable, "-m", "esptool", "--chip", "esp8266", "image-info", str(path)]
    said = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=True).stdout
    boot = read_boot(ImagePart(0, image()))
    assert f"Entry point: {boot.entry:#x}" in said
    assert f"Flash mode: {boot.mode.upper()}" in said and f"Flash freq: {boot.frequency}" in said
    assert f"Checksum: {boot.checksum:#04x} (valid)" in said and "Flash size: 4MB" in said
    for segment in boot.segments:
        assert f"{segment.address:#010x}" in said and f"{segment.length:#07x}" in said
