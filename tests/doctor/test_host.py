"""A computer made of files: what it has plugged in and runs is not for a test to decide."""

from __future__ import annotations

import grp
import os
import pwd
import subprocess
import sys
from pathlib import Path

import pytest

from bridge.doctor.host import adapters_without_port, look_at_port, programs, refused, who_has_open
from tests.ports.test_discover import Listed, plug
from tests.ports.test_serial import Master


def usb(system: Path, name: str, vendor: str, product: str, tty: str | None = None) -> None:
    device = system / "sys/bus/usb/devices" / name
    device.mkdir(parents=True)
    (device / "idVendor").write_text(f"{vendor}\n")
    (device / "idProduct").write_text(f"{product}\n")
    if tty is not None:
        (device / f"{name}:1.0" / tty).mkdir(parents=True)


def running(system: Path, *names: str) -> None:
    for pid, name in enumerate(names, 10):
        (system / f"proc/{pid}").mkdir(parents=True)
        (system / f"proc/{pid}/comm").write_text(f"{name}\n")


def serving(system: Path, port: str, driver: str) -> None:
    device = system / "sys/class/tty" / Path(port).name / "device"
    device.mkdir(parents=True)
    (system / "drivers" / driver).mkdir(parents=True)
    (device / "driver").symlink_to(system / "drivers" / driver)


def test_adapters_that_have_no_port(tmp_path: Path) -> None:
    usb(tmp_path, "1-1", "10c4", "ea60", "ttyUSB0")
    usb(tmp_path, "1-2", "1a86", "7523")
    usb(tmp_path, "1-3", "1a86", "55d4", "tty/ttyACM0")
    usb(tmp_path, "1-4", "046d", "c077")
    (tmp_path / "sys/bus/usb/devices/usb1").mkdir()
    [finding] = adapters_without_port(tmp_path)
    assert finding.what == "A CH340 adapter (1a86:7523) is plugged in at USB 1-2 and has no port."
    assert "sudo modprobe ch341" in str(finding)
    running(tmp_path, "bash", "brltty")
    assert "apt remove brltty" in str(next(adapters_without_port(tmp_path))) and programs(tmp_path) == {
        "bash",
        "brltty",
    }


def test_a_port_that_is_not_there_and_an_adapter_that_has_none(tmp_path: Path) -> None:
    usb(tmp_path, "1-2", "1a86", "7523")
    port, driver = look_at_port("/dev/nosuchport", tmp_path)
    assert (port.check, port.status, driver.check, driver.status) == ("port", "fail", "driver", "fail")


def test_a_name_that_no_port_can_have(tmp_path: Path) -> None:
    assert [finding.what for finding in look_at_port("x" * 300, tmp_path)] == [f"There is no port {'x' * 300}."]


def test_a_port_as_it_should_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    port = Master()
    serving(tmp_path, port.path, "cp210x")
    plug(monkeypatch, Listed(port.path, 0x10C4, 0xEA60, "CP2102 USB to UART", "0001", "1-2"), Listed("/dev/b", 1, 1))
    permission, driver, adapter = look_at_port(port.path, tmp_path)
    assert {each.status for each in (permission, driver, adapter)} == {"ok"}
    assert driver.what == "The driver cp210x serves it."
    assert "CP2102 USB to UART (10c4:ea60, serial number 0001, USB 1-2" in adapter.what
    running(tmp_path, "ModemManager")
    *_, intruder = look_at_port(port.path, tmp_path)
    assert intruder.status == "warn" and "systemctl disable --now ModemManager" in str(intruder)
    port.close()


@pytest.mark.parametrize("url", ["rfc2217://host:1", "socket://host:1", "virtual:", "virtual:?lua=5.3"])
def test_of_ports_elsewhere_nothing_is_known(url: str, tmp_path: Path) -> None:
    assert [*look_at_port(url, tmp_path)] == []


def test_who_may_not_open_a_port(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "port"
    path.write_text("")
    user, group = pwd.getpwuid(os.getuid()).pw_name, grp.getgrgid(path.stat().st_gid)
    finding = refused(path, os.getuid(), [])
    assert f"for the group {group.gr_name}" in finding.what and f"usermod -aG {group.gr_name} {user}" in str(finding)
    stranger = refused(path, 54_321, [])  # of whom this system knows no name, as in a container
    assert stranger.what.startswith("User 54321 may not open") and f"--group-add {group.gr_gid}" in str(stranger)
    joined = grp.struct_group((group.gr_name, "x", group.gr_gid, [user]))
    monkeypatch.setattr(grp, "getgrgid", lambda gid: joined)
    assert "log out and in again" in str(refused(path, os.getuid(), []))

    def nobody(gid: int) -> None:
        raise KeyError(gid)

    monkeypatch.setattr(grp, "getgrgid", nobody)
    assert "administers" in str(refused(path, os.getuid(), []))


def test_who_has_a_port_open() -> None:
    port = Master()
    assert who_has_open(port.path) is None, "this program does not count"
    source = "import sys; file = open(sys.argv[1], 'r+b', buffering=0); print(flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", source, port.path], stdin=-1, stdout=-1) as process:
        assert process.stdout is not None and process.stdout.readline()
        assert who_has_open(port.path) == f"PID {process.pid} ({Path(f'/proc/{process.pid}/comm').read_text().strip()})"
        process.kill()
    port.close()


def test_a_port_that_is_listed_and_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As COM5 of Windows."""
    plug(monkeypatch, Listed("COM5", 0x10C4, 0xEA60, "Silicon Labs CP210x (COM5)"), Listed("COM1"))
    for name in ("COM5", "com5"):
        findings = list(look_at_port(name, tmp_path))
        assert all(finding.status == "ok" for finding in findings)
    assert [finding.check for finding in look_at_port("COM5", tmp_path)] == ["adapter"]
    assert list(look_at_port("COM1", tmp_path)) == []
    [finding] = look_at_port("COM7", tmp_path)
    assert "There is no port COM7" in finding.what
