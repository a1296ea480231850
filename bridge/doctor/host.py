"""What this computer tells of a port without opening it: permissions, drivers, other programs, the adapter.

All of it is read from what Linux shows under /sys and /proc. On other systems, and for ports of other computers, there
is nothing to find.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from bridge.doctor.finding import Finding
from bridge.ports.discover import is_listed, list_boards
from bridge.profile import matching_profiles

if sys.platform != "win32":
    import grp
    import pwd

#: Adapters of boards by their USB ids: what they are called, and the driver of Linux that serves them.
ADAPTERS = {
    (0x10C4, 0xEA60): ("CP210x", "cp210x"),
    (0x1A86, 0x7523): ("CH340", "ch341"),
    (0x1A86, 0x5523): ("CH341", "ch341"),
    (0x1A86, 0x55D4): ("CH9102", "cdc_acm"),
    (0x0403, 0x6001): ("FT232R", "ftdi_sio"),
    (0x0403, 0x6015): ("FT231X", "ftdi_sio"),
    (0x067B, 0x2303): ("PL2303", "pl2303"),
}
#: Programs that take a serial port from whoever wants it: what they do with it, and how that is ended.
INTRUDERS = {
    "ModemManager": (
        "ModemManager runs: it talks to a serial port for some seconds after it was plugged in.",
        "Wait half a minute after plugging a board in, or end it: sudo systemctl disable --now ModemManager",
    ),
    "brltty": (
        "brltty runs: it takes CH340 and CP210x adapters for Braille terminals, and their ports away.",
        "Unless you read Braille, remove it: sudo apt remove brltty",
    ),
}


def look_at_port(url: str, system: Path = Path("/")) -> Iterator[Finding]:
    """What is to be said of a port of this computer; nothing of others.

    Args:
        url: path of the port, or any other URL.
        system: where /sys and /proc are.
    """
    if "://" in url or url.startswith("virtual:"):
        return
    path = Path(url)
    # Ports of Windows are no files: COM5 is only listed.
    # Not path.exists(), which raises of a name that is too long.
    if not os.path.exists(path) and not is_listed(url):
        yield Finding(
            "port", "fail", f"There is no port {url}.", "Plug the board in, or name another: `nodemcu-bridge boards`."
        )
        yield from adapters_without_port(system)
        return
    if os.path.exists(path):
        yield from _permission(path)
    name = Path(os.path.realpath(path)).name
    driver = system / "sys/class/tty" / name / "device/driver"
    if driver.exists():
        yield Finding("driver", "ok", f"The driver {driver.resolve().name} serves it.")
    yield from _adapter(url)
    if driver.exists():
        running = programs(system)
        yield from (Finding("programs", "warn", *said) for program, said in INTRUDERS.items() if program in running)


def adapters_without_port(system: Path = Path("/")) -> Iterator[Finding]:
    """Adapters that are plugged in and have no port: their driver is missing, or another program took them.

    Args:
        system: where /sys and /proc are.
    """
    for device in sorted((system / "sys/bus/usb/devices").glob("*")):
        try:
            ids = int((device / "idVendor").read_text(), 16), int((device / "idProduct").read_text(), 16)
        except (OSError, ValueError):
            continue
        if ids not in ADAPTERS or [*device.glob(f"{device.name}:*/tty*"), *device.glob(f"{device.name}:*/*/tty*")]:
            continue
        name, driver = ADAPTERS[ids]
        what = f"A {name} adapter ({ids[0]:04x}:{ids[1]:04x}) is plugged in at USB {device.name} and has no port."
        if "brltty" in programs(system):
            yield Finding("driver", "fail", what, INTRUDERS["brltty"][1] + " and plug the board in again.")
        else:
            yield Finding(
                "driver", "fail", what,
                f"Load its driver: sudo modprobe {driver}. If there is none, install it: on Ubuntu "
                "sudo apt install linux-modules-extra-$(uname -r)",
            )  # fmt: skip


def programs(system: Path = Path("/")) -> set[str]:
    """Names of the programs that run."""
    found = set()
    for comm in (system / "proc").glob("[0-9]*/comm"):
        with contextlib.suppress(OSError):
            found.add(comm.read_text().strip())
    return found


def who_has_open(url: str, system: Path = Path("/")) -> str | None:
    """The program that has a port open, as "PID 17 (minicom)"; None if none is seen (those of other users are not).

    Args:
        url: path of the port.
        system: where /proc is.
    """
    path = os.path.realpath(url)
    for link in (system / "proc").glob("[0-9]*/fd/*"):
        with contextlib.suppress(OSError):
            if os.readlink(link) == path and (pid := int(link.parts[-3])) != os.getpid():
                return f"PID {pid} ({(link.parents[1] / 'comm').read_text().strip()})"
    return None


def _permission(path: Path) -> Iterator[Finding]:
    if os.access(path, os.R_OK | os.W_OK):
        yield Finding("permission", "ok", f"This user may read and write {path}.")
    elif sys.platform != "win32":
        yield refused(path, os.getuid(), os.getgroups())


def refused(path: Path, uid: int, groups: list[int]) -> Finding:
    """Why a user may not open a port, and what to do.

    Args:
        path: of the port.
        uid: of the user.
        groups: that this process is in.
    """
    if sys.platform == "win32":
        return Finding("permission", "fail", f"This user may not open {path}.", "Ask who administers this computer.")
    try:
        user = pwd.getpwuid(uid).pw_name
    except KeyError:
        user = ""
    who = user or f"User {uid}"
    try:
        group = grp.getgrgid(path.stat().st_gid)
    except KeyError:
        return Finding("permission", "fail", f"{who} may not open {path}.", "Ask who administers this computer.")
    what = f"{who} may not open {path}, which is for the group {group.gr_name}."
    if not user:  # in a container, nearly always
        remedy = f"Start what runs this with that group; docker and podman take --group-add {group.gr_gid}."
        return Finding("permission", "fail", what, remedy)
    if group.gr_gid not in groups and user in group.gr_mem:
        return Finding("permission", "fail", what, f"{user} has joined it since the last login: log out and in again.")
    remedy = f"Join it: sudo usermod -aG {group.gr_name} {user}, then log out and in again."
    return Finding("permission", "fail", what, remedy)


def _adapter(url: str) -> Iterator[Finding]:
    for info in list_boards():
        if os.path.realpath(info.url) != os.path.realpath(url):
            continue
        profiles = " or ".join(profile.name for profile in matching_profiles(info))
        parts = [
            f"{info.usb_vendor or 0:04x}:{info.usb_product or 0:04x}",
            info.serial_number and f"serial number {info.serial_number}",
            info.usb_path and f"USB {info.usb_path}",
            profiles and f"profile {profiles}",
        ]
        what = f"The adapter is {info.description or 'of no name'} ({', '.join(part for part in parts if part)})."
        yield Finding("adapter", "ok", what)
