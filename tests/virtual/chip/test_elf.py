from __future__ import annotations

import struct
import subprocess
import sys
from pathlib import Path

from bridge.virtual.chip.elf import Section, build
from bridge.virtual.chip.image import parse


def test_esptool_makes_an_image_of_it(tmp_path: Path) -> None:
    sections = [
        Section(".text", 0x40100000, b"code" * 5),
        Section(".data", 0x3FFE8000, b"data" * 3),
        Section(".irom0.text", 0x40210000, b"irom" * 7),
    ]
    (tmp_path / "a.elf").write_bytes(build(0x40100004, sections))
    command = [sys.executable, "-m", "esptool", "--chip", "esp8266", "elf2image", "-o", "a-", "a.elf"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    image = parse((tmp_path / "a-0x00000.bin").read_bytes())
    assert image is not None and image.valid and image.entry == 0x40100004
    assert [(segment.address, segment.data) for segment in image.segments] == [
        (0x40100000, b"code" * 5),
        (0x3FFE8000, b"data" * 3),
    ]
    assert (tmp_path / "a-0x10000.bin").read_bytes() == b"irom" * 7


def test_header_is_that_of_an_xtensa_program() -> None:
    data = build(0x40100004, [Section(".text", 0x40100000, b"1234")])
    assert data[:7] == b"\x7fELF\x01\x01\x01"
    assert struct.unpack_from("<HHI", data, 16) == (2, 0x5E, 1)
