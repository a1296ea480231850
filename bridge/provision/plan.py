"""What a board is to be, and what is left to do: pure comparison of wish, look and record."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from bridge.image import ImageFacts, ImagePart
from bridge.profile import Profile
from bridge.provision.model import Checks
from bridge.provision.secret import Secret

#: The firmware runs this at each start.
STARTUP = "init.lua"
#: Name under which an LFS image lies on the board until it is taken over.
LFS_FILE = "lfs.img"


class Step(Enum):
    """A step of provisioning, in the order in which they are done."""

    FIRMWARE = "firmware"
    WIFI = "wifi"
    FILES = "files"
    LFS = "lfs"
    STARTUP = "startup"
    CHECKS = "checks"


@dataclass(frozen=True)
class WifiWish:
    """The network to join."""

    ssid: str
    password: Secret | None = field(repr=False)
    mark: str
    """Fingerprint of the password."""
    seconds: float


@dataclass(frozen=True)
class Place:
    """Where a board is: one of the three, or none for one that is known by its MAC address."""

    port: str | None = None
    usb_path: str | None = None
    serial_number: str | None = None

    @property
    def is_open(self) -> bool:
        """Nothing says where it is."""
        return self.port is None and self.usb_path is None and self.serial_number is None

    def __str__(self) -> str:
        return self.port or self.usb_path or self.serial_number or ""


@dataclass(frozen=True)
class BoardPlan:
    """Everything about one board; files are read, secrets fetched."""

    name: str
    place: Place
    mac: str | None
    profile: Profile | None
    image: Sequence[ImagePart]
    facts: ImageFacts | None
    baud: int | None
    lose_files: bool
    erase: bool
    """A board whose prompt does not answer."""
    files: Mapping[str, bytes]
    """Name on the board → contents, the startup script left out."""
    lfs: bytes | None
    startup: bytes | None
    wifi: WifiWish | None
    checks: Checks
    startup_from: str = STARTUP
    """Where the startup script is, as the file says it."""
    elsewhere: tuple[Place, ...] = ()
    """Where the other boards of the file are, those among them that this run leaves out."""

    @property
    def image_hash(self) -> str | None:
        """SHA-256 of the firmware, or None without one."""
        if not self.image:
            return None
        total = hashlib.sha256()
        for part in self.image:
            total.update(f"{part.offset} {len(part.data)} ".encode() + part.data)
        return total.hexdigest()

    @property
    def all_files(self) -> dict[str, bytes]:
        """Files with the startup script."""
        return {**self.files, **({STARTUP: self.startup} if self.startup is not None else {})}

    @property
    def needs_address(self) -> bool:
        """The board must have an address at the end."""
        return self.wifi is not None if self.checks.address is None else self.checks.address


@dataclass(frozen=True)
class Look:
    """What a board told at its prompt. None where its firmware does not say."""

    mac: str | None
    chip_id: str | None
    version: str | None
    release: str | None
    commit: str | None
    lua: str | None
    modules: frozenset[str]
    flash_bytes: int | None
    heap: int | None
    ssid: str | None
    status: int | None
    ip: str | None
    files: Mapping[str, int]
    """Sizes in bytes of those files that were asked for and are there."""
    lfs_time: int | None = None
    """When the LFS image that is in use was made, in seconds since the epoch; None without one."""


@dataclass(frozen=True)
class Record:
    """What the last run that finished a step knew of a board."""

    mac: str
    image: str | None = None
    firmware: tuple[str | None, ...] = ()
    """Version, release, commit and sorted modules, as the board told after that image was written."""
    files: Mapping[str, str] = field(default_factory=dict)
    """Name → SHA-256."""
    lfs: str | None = None
    """SHA-256 of the LFS image that was taken over."""
    lfs_time: int | None = None
    """What the board told of it then, as `Look.lfs_time`."""
    ssid: str | None = None
    wifi_mark: str | None = None
    ready: str | None = None
    """Digest of the plan that was finished, checks among it."""
    name: str | None = None
    """What its file called it; with `port`, which port that said, and where its adapter was."""
    port: str | None = None
    usb_path: str | None = None
    serial_number: str | None = None
    restart: bool = False
    """Something was written, or was about to be, since the board was last restarted with its startup script."""


def firmware_of(look: Look) -> tuple[str | None, ...]:
    """What tells one firmware from another at the prompt."""
    return (look.version, look.release, look.commit, look.lua, ",".join(sorted(look.modules)))


def digest(data: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def plan_digest(plan: BoardPlan) -> str:
    """What tells whether anything of a plan has changed since it was finished."""
    parts = [
        plan.image_hash or "",
        *(f"{name}={digest(data)}" for name, data in sorted(plan.all_files.items())),
        digest(plan.lfs) if plan.lfs is not None else "",
        f"{plan.wifi.ssid} {plan.wifi.mark}" if plan.wifi is not None else "",
        plan.checks.model_dump_json(),
    ]
    return digest("\0".join(parts).encode())


def steps_left(plan: BoardPlan, look: Look | None, record: Record | None) -> list[Step]:
    """What is to be done to a board, by what it tells at its prompt and what is known of it.

    Args:
        plan: what it is to be.
        look: None if no NodeMCU answered at its prompt.
        record: None if nothing is known.

    Returns:
        Steps in their order; none for a board that is ready.
    """
    if look is None or record is None:
        return asked_steps(plan)
    left = set()
    if plan.image and (record.image != plan.image_hash or record.firmware != firmware_of(look)):
        return asked_steps(plan)
    for name, data in plan.all_files.items():
        if record.files.get(name) != digest(data) or look.files.get(name) != len(data):
            left.add(Step.STARTUP if name == STARTUP else Step.FILES)
    if plan.startup is not None and record.restart:
        left.add(Step.STARTUP)
    # A firmware that did not tell the image's time after it was taken over cannot say that it is gone.
    if plan.lfs is not None and (record.lfs != digest(plan.lfs) or record.lfs_time not in (None, look.lfs_time)):
        left.add(Step.LFS)
    if plan.wifi is not None and (
        record.ssid != plan.wifi.ssid or record.wifi_mark != plan.wifi.mark or look.ssid != plan.wifi.ssid
    ):
        left.add(Step.WIFI)
    if plan.needs_address and not look.ip:
        # Its network may take another password now, or be gone: joining it tells which.
        left |= {Step.CHECKS} if plan.wifi is None else {Step.CHECKS, Step.WIFI}
    if left or record.ready != plan_digest(plan):
        left.add(Step.CHECKS)
    return [step for step in Step if step in left]


def has_lfs(plan: BoardPlan, record: Record, time: int | None, functions: Sequence[str] | None) -> bool:
    """True if the plan's LFS image is in use on a board.

    Args:
        plan: it has one.
        record: what is known of the board.
        time: as `Look.lfs_time`, now.
        functions: what `node.LFS.list` says; None without an image (stock: luaL_pushlfsmodules).
    """
    if plan.lfs is None or functions is None or record.lfs != digest(plan.lfs):
        return False
    return record.lfs_time in (None, time)


def asked_steps(plan: BoardPlan) -> list[Step]:
    """Every step that a plan asks for."""
    asked = {
        Step.FIRMWARE: bool(plan.image),
        Step.WIFI: plan.wifi is not None,
        Step.FILES: bool(plan.files),
        Step.LFS: plan.lfs is not None,
        Step.STARTUP: plan.startup is not None,
        Step.CHECKS: True,
    }
    return [step for step in Step if asked[step]]
