from __future__ import annotations

import os
import pty
from pathlib import Path

import pytest
import serial

from bridge.ports.latency import advice, latency_ms, lower


def test_the_timer_is_read_where_the_system_tells_it(tmp_path: Path) -> None:
    device = tmp_path / "class/tty/ttyUSB7/device"
    device.mkdir(parents=True)
    assert latency_ms("/dev/ttyUSB7", tmp_path) is None
    (device / "latency_timer").write_text("16\n")
    assert latency_ms("/dev/ttyUSB7", tmp_path) == 16
    (device / "latency_timer").write_text("what\n")
    assert latency_ms("/dev/ttyUSB7", tmp_path) is None
    assert latency_ms("rfc2217://localhost:1", tmp_path) is None


def test_a_link_to_a_port_is_followed(tmp_path: Path) -> None:
    device = tmp_path / "class/tty/ttyUSB7/device"
    device.mkdir(parents=True)
    (device / "latency_timer").write_text("1")
    (tmp_path / "by-id").symlink_to(tmp_path / "ttyUSB7")
    (tmp_path / "ttyUSB7").touch()
    assert latency_ms(str(tmp_path / "by-id"), tmp_path) == 1


def test_the_advice_names_the_file_and_the_time() -> None:
    text = advice("/dev/ttyUSB7", 16)
    assert "16 ms" in text and "/sys/class/tty/ttyUSB7/device/latency_timer" in text


def test_a_port_that_has_no_timer_is_left_as_it_is() -> None:
    master, slave = pty.openpty()
    try:
        with serial.Serial(os.ttyname(slave)) as device:
            lower(device)
            assert device.is_open
    finally:
        os.close(master)
        os.close(slave)


@pytest.mark.parametrize("error", [OSError(25, "no"), ValueError("no"), NotImplementedError()])
def test_a_refusal_is_no_error(error: Exception) -> None:
    class Refusing:
        def set_low_latency_mode(self, low_latency_settings: bool) -> None:
            raise error

    lower(Refusing())
