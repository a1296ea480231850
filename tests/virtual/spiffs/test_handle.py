"""Small writes wait in RAM as SPIFFS keeps them (one page for each handle)."""

from __future__ import annotations

from bridge.virtual.chip.flash import FlashMemory
from bridge.virtual.spiffs import FileSystem, Handle, Whence, format_region, mount


def opened(mode: bytes = b"w+") -> tuple[FileSystem, Handle]:
    flash = FlashMemory(512 * 1024)
    format_region(flash, 0, 0x10000)
    fs = mount(flash, 0, 0x10000).fs
    handle = fs.open(b"f", mode)
    assert handle is not None
    return fs, handle


def test_writes_gather_until_a_page_is_full() -> None:
    fs, handle = opened()
    for _ in range(25):
        assert handle.write(b"0123456789") == 10
    assert fs.size(b"f") == 0
    handle.write(b"0123456789")
    assert fs.size(b"f") == 250
    handle.close()
    assert fs.read_file(b"f") == b"0123456789" * 26


def test_a_jump_flushes() -> None:
    fs, handle = opened()
    handle.write(b"abcdef")
    assert handle.seek(2, Whence.SET)
    assert fs.size(b"f") == 6
    handle.write(b"XY")
    handle.close()
    assert fs.read_file(b"f") == b"abXYef"


def test_overwriting_within_what_waits() -> None:
    fs, handle = opened()
    handle.write(b"abcdef")
    assert handle.seek(0, Whence.SET)
    handle.write(b"12")
    handle.write(b"34")
    assert handle.read(9) == b"ef"
    handle.close()
    assert fs.read_file(b"f") == b"1234ef"


def test_large_writes_go_through() -> None:
    fs, handle = opened()
    handle.write(b"small")
    handle.write(b"L" * 256)
    assert fs.size(b"f") == 261
    assert handle.tell() == 261


def test_appending_ignores_the_position() -> None:
    fs, handle = opened(b"a+")
    handle.write(b"one")
    handle.seek(0, Whence.SET)
    handle.write(b"two")
    handle.close()
    assert fs.read_file(b"f") == b"onetwo"


def test_a_closed_handle_fails() -> None:
    _, handle = opened()
    handle.close()
    assert handle.write(b"x") is None and handle.read(1) is None
    assert not handle.flush() and not handle.seek(0, Whence.SET)
