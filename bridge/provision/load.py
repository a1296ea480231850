"""Reads a provisioning file and all that it names; nothing of a board is touched."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from bridge.errors import ProfileError, UsageError
from bridge.files.folder import read_folder
from bridge.files.host import read_file
from bridge.files.names import check_name
from bridge.firmware.catalog import load_images
from bridge.flash import NEEDED
from bridge.flashing.header import check_fits
from bridge.image import ImageFacts, ImagePart, check_image
from bridge.ports.open import check_options
from bridge.profile import Profile, load_profile
from bridge.provision.claims import port_key
from bridge.provision.model import BoardEntry, Checks, ShelfFile, Wifi
from bridge.provision.plan import LFS_FILE, STARTUP, BoardPlan, Place, WifiWish
from bridge.provision.secret import fingerprint, read_secret
from bridge.yaml_file import read_yaml

#: Longest name of a network and password, in bytes ("ssid: length:0-32", "pwd: length:0-64" of the firmware).
_SSID, _PASSWORD = 32, 64
#: Keys that say nothing without an image.
_OF_FIRMWARE = ("baud", "lose_files", "erase")
_NO_IMAGE = "Give an image, or leave it out."


def load_shelf(file: Path, key: bytes, only: Iterable[str] = ()) -> list[BoardPlan]:
    """Read a provisioning file, and everything that it names.

    Args:
        file: the YAML file.
        key: for fingerprints of secrets; see `bridge.provision.record`.
        only: names of boards; none for all.

    Returns:
        The boards' plans, in the file's order.

    Raises:
        ProfileError: the file is wrong; names file, line and key.
        ImageError: an image cannot be used.
        UsageError: something that it names cannot be read, or a secret is not where it says.
    """
    shelf = read_yaml(file, ShelfFile, "a provisioning file")
    wanted = tuple(only)
    unknown = [name for name in wanted if name not in [board.name for board in shelf.boards]]
    if unknown:
        known = ", ".join(board.name for board in shelf.boards)
        raise UsageError(f"{file} has no board {unknown[0]}", remedy=f"It has {known}.")
    _check_ports(file, shelf.boards)
    about = next((key for key in _OF_FIRMWARE if getattr(shelf, key)), None)
    if about is not None and not any(entry.image is not None for entry in (shelf, *shelf.boards)):
        raise ProfileError(
            f"{file}: {about} is about writing the firmware, and no board has an image", remedy=_NO_IMAGE
        )
    reader = _Reader(file, key)
    return [reader.board(shelf, board) for board in shelf.boards if not wanted or board.name in wanted]


def _place(board: BoardEntry) -> Place:
    return Place(board.port, board.usb_path, board.serial_number)


def _check_ports(file: Path, boards: Iterable[BoardEntry]) -> None:
    """Refuse what is no port, and one port for two boards, in however different words."""
    names: dict[str, str] = {}
    for board in boards:
        if board.port is None:
            continue
        try:
            check_options(board.port)
        except UsageError as error:
            raise ProfileError(f"{file}: {board.name}: {error.message}", remedy=error.remedy) from error
        other = names.setdefault(port_key(board.port), board.name)
        if other != board.name:
            raise ProfileError(f"{file}: {other} and {board.name} are on one port, {board.port}")


class _Reader:
    """Reads each thing once, however many boards name it."""

    def __init__(self, file: Path, key: bytes) -> None:
        self._file, self._folder, self._key = file, file.parent, key
        self._image: Callable[..., tuple[list[ImagePart], ImageFacts]] = cache(self._read_image)
        self._bytes: Callable[[str], bytes] = cache(lambda name: read_file(self._folder / name))
        self._profile: Callable[[str], Profile] = cache(self._read_profile)
        self._tree: Callable[[str], dict[str, bytes]] = cache(lambda name: dict(read_folder(self._folder / name).files))
        self._wifi: Callable[[Wifi], WifiWish] = cache(self._read_wifi)

    def board(self, shelf: ShelfFile, board: BoardEntry) -> BoardPlan:
        """All about one board."""

        def said(key: str) -> Any:
            own = getattr(board, key)
            return own if own is not None else getattr(shelf, key)

        try:
            elsewhere = tuple(_place(other) for other in shelf.boards if other.name != board.name)
            return replace(self._board(board, said), elsewhere=elsewhere)
        except ProfileError:
            raise
        except UsageError as error:
            raise type(error)(f"{self._file}: {board.name}: {error.message}", remedy=error.remedy) from error

    def _board(self, board: BoardEntry, said: Callable[[str], Any]) -> BoardPlan:
        profile = self._profile(said("profile")) if said("profile") is not None else None
        names = said("image")
        about = next((key for key in _OF_FIRMWARE if getattr(board, key)), None)
        if names is None and about is not None:
            raise UsageError(f"{about} is about writing the firmware, and there is no image", remedy=_NO_IMAGE)
        image: list[ImagePart] = []
        facts = None
        if names is not None:
            image, facts = self._image(*([names] if isinstance(names, str) else names))
            if profile is not None:
                check_fits(image, facts, profile.flash.size, f"the profile {profile.name}'s")
        files = dict(self._tree(said("folder"))) if said("folder") is not None else {}
        files |= {name: self._bytes(path) for name, path in (said("files") or {}).items()}
        startup = self._bytes(said("startup")) if said("startup") is not None else files.pop(STARTUP, None)
        if said("startup") is not None and STARTUP in files:
            raise UsageError(f"{STARTUP} is among the files, and startup gives another", remedy="Leave one out.")
        for name in files:
            check_name(name)
            if name == LFS_FILE and said("lfs") is not None:
                raise UsageError(f"{LFS_FILE} is the name of the LFS image", remedy="Give the file another name.")
        return BoardPlan(
            name=board.name,
            place=_place(board),
            mac=board.mac,
            profile=profile,
            image=image,
            facts=facts,
            baud=said("baud"),
            lose_files=bool(said("lose_files")),
            erase=bool(said("erase")),
            files=files,
            lfs=self._bytes(said("lfs")) if said("lfs") is not None else None,
            startup=startup,
            wifi=self._wifi(said("wifi")) if said("wifi") is not None else None,
            checks=said("checks") or Checks(),
            startup_from=said("startup") or (said("files") or {}).get(STARTUP) or f"{said('folder')}/{STARTUP}",
        )

    def _read_image(self, *names: str) -> tuple[list[ImagePart], ImageFacts]:
        parts = load_images(names, folder=self._folder)
        return parts, check_image(parts, (*NEEDED, "file", "node", "tmr", "uart", "wifi"))

    def _read_profile(self, name: str) -> Profile:
        is_path = name.endswith((".yaml", ".yml")) or "/" in name or "\\" in name
        return load_profile(str(self._folder / name) if is_path else name)

    def _read_wifi(self, wifi: Wifi) -> WifiWish:
        secret = None
        if wifi.password is not None:
            secret = read_secret(wifi.password, self._folder, f"the password of {wifi.ssid}")
            if len(secret.reveal().encode()) > _PASSWORD:
                raise UsageError(f"the password of {wifi.ssid} is longer than {_PASSWORD} bytes")
        if len(wifi.ssid.encode()) > _SSID:
            raise UsageError(f"{wifi.ssid} is longer than {_SSID} bytes, as no network's name is")
        return WifiWish(wifi.ssid, secret, fingerprint(secret, self._key), wifi.seconds)
