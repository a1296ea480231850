"""The user's images: copies in a folder, each with what is known of it.

`<folder>/<first 16 digits of the id>/` holds the files of one image, named after their
offsets, and `record.json`. A folder becomes visible whole,
by one rename, so that a program that is killed, or two that add the same at the same time, leave nothing half done.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from bridge.errors import ImageError, UsageError
from bridge.firmware.record import ImageRecord, Model, image_record, now_utc
from bridge.folders import firmware_folder
from bridge.image import ImagePart, load_image

_RECORD = "record.json"
#: Digits of an id that name a folder, and that a person must give at least.
_DIGITS, _FEWEST = 16, 4
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,79}")


class CatalogEntry(Model):
    """An image of the catalog. `added` is the time in UTC, `folder` where its files are."""

    name: str
    added: str
    folder: str
    image: ImageRecord


def load_images(names: Sequence[str | Path], *, folder: Path | None = None) -> list[ImagePart]:
    """An image by its files, or by its name in the user's catalog.

    Args:
        names: one or two files, or one name. What is a file counts as a file.
        folder: that names of files start from; the working folder by default.

    Raises:
        ImageError: a file cannot be read and no image has this name, or it is not what was added.
        UsageError: several images have this name.
    """
    paths = [(folder or Path()) / name for name in names]
    name = str(names[0]) if len(names) == 1 else ""
    if _NAME.fullmatch(name) and not paths[0].exists():
        catalog = Catalog()
        try:
            catalog.find(name)
        except UsageError as error:
            raise ImageError(
                f"{paths[0]} cannot be read (No such file), and no image of the catalog is called {name}",
                remedy=error.remedy,
            ) from error
        return catalog.load(name)
    return load_image(*paths)


class Catalog:
    """The images in a folder.

    Args:
        folder: where they are kept; the user's own by default. It is made when the first image is added.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder

    @property
    def folder(self) -> Path:
        """Where they are kept.

        Raises:
            UsageError: none was given, and the user has no home folder.
        """
        return self._folder or firmware_folder()

    def entries(self) -> tuple[list[CatalogEntry], list[str]]:
        """The images there are, by name, and a sentence for each folder that holds none.

        Raises:
            UsageError: the folder cannot be read.
        """
        found, mistakes = [], []
        try:
            folders = sorted(self.folder.iterdir())
        except (FileNotFoundError, NotADirectoryError):
            folders = []
        except UsageError:  # no home folder: nothing was ever added
            folders = []
        except OSError as error:
            raise UsageError(
                f"The folder of images {str(self.folder)[:200]} cannot be read ({error.strerror})",
                remedy="Say where else with NODEMCU_BRIDGE_FIRMWARE.",
            ) from error
        for folder in folders:
            if not folder.is_dir() or folder.name.startswith("."):
                continue
            try:
                found.append(_read_record(folder))
            except ImageError as error:
                mistakes.append(str(error))
        return sorted(found, key=lambda entry: (entry.name, entry.image.id)), mistakes

    def add(self, paths: Sequence[Path], name: str | None = None) -> tuple[CatalogEntry, bool]:
        """Check an image and keep a copy of it.

        Args:
            paths: its file, or the two of a local build.
            name: what to call it; made of its version, Lua and number type by default.

        Returns:
            The entry, and whether it is new: an image that is there already stays as it is.

        Raises:
            ImageError: it is no image that the bridge can work with; says why.
            UsageError: the name is taken, or cannot be one; the folder cannot be written.
        """
        parts = load_image(*paths)
        record = image_record(parts)
        if not record.suits:
            raise ImageError(record.notes[0])
        entries, _ = self.entries()
        there = next((entry for entry in entries if entry.image.id == record.id), None)
        if there is not None:
            return there, False
        folder = self.folder / record.id[:_DIGITS]
        chosen = _checked(name, entries) if name is not None else _name_for(record, entries)
        entry = CatalogEntry(name=chosen, added=now_utc(), folder=str(folder), image=record)
        try:
            self._keep(folder, parts, entry)
            kept = _read_record(folder)
        except OSError as error:
            raise UsageError(
                f"{self.folder} cannot be written ({error.strerror})",
                remedy="Say where else with NODEMCU_BRIDGE_FIRMWARE.",
            ) from error
        return kept, kept == entry

    def find(self, name: str) -> CatalogEntry:
        """The image of a name, or of the first digits of its id.

        Raises:
            UsageError: there is none, or more than one.
        """
        entries, _ = self.entries()
        found = [entry for entry in entries if entry.name == name]
        if not found and len(name) >= _FEWEST:
            found = [entry for entry in entries if entry.image.id.startswith(name.lower())]
        if len(found) == 1:
            return found[0]
        if found:
            raise UsageError(f"{name} may be {' or '.join(entry.image.id[:_DIGITS] for entry in found)}")
        known = ", ".join(entry.name for entry in entries)
        raise UsageError(
            f"There is no image {name} in the catalog",
            remedy=f"Known: {known}." if known else "Add one with `nodemcu-bridge firmware add FILE`.",
        )

    def load(self, name: str) -> list[ImagePart]:
        """The image of a name, ready for `bridge.flash.flash_image`.

        Raises:
            UsageError: there is none of this name.
            ImageError: its files are gone, or are not what was added.
        """
        entry = self.find(name)
        parts = []
        for file in entry.image.files:
            path = Path(entry.folder) / _stored(file.offset)
            try:
                data = path.read_bytes()
            except OSError as error:
                raise ImageError(f"{path} cannot be read ({error.strerror})", remedy="Add the image again.") from error
            part = ImagePart(file.offset, data, file.name)
            if part.sha256 != file.sha256:
                raise ImageError(
                    f"{path} is not what was added: its SHA-256 has changed",
                    remedy=f"Remove it with `nodemcu-bridge firmware remove {name}`, and add the image again.",
                )
            parts.append(part)
        return parts

    def remove(self, name: str) -> CatalogEntry:
        """Take an image out of the catalog; the file that it was added from is not touched.

        Raises:
            UsageError: there is none of this name, or the folder cannot be written.
        """
        entry = self.find(name)
        try:
            shutil.rmtree(entry.folder)
        except OSError as error:
            raise UsageError(f"{entry.folder} cannot be removed ({error.strerror})") from error
        return entry

    def _keep(self, folder: Path, parts: Sequence[ImagePart], entry: CatalogEntry) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(prefix=".", dir=self.folder))
        try:
            for part in parts:
                (fresh / _stored(part.offset)).write_bytes(part.data)
            (fresh / _RECORD).write_text(entry.model_dump_json(indent=2) + "\n", encoding="utf-8")
            fresh.chmod(0o755)
            _settle(fresh, folder)
        finally:
            with contextlib.suppress(OSError):
                shutil.rmtree(fresh)


def _settle(fresh: Path, folder: Path) -> None:
    """Give a whole folder its name. Another program may have added the same image meanwhile: then that stays."""
    try:
        os.rename(fresh, folder)
    except OSError:
        try:
            _read_record(folder)
        except ImageError:
            shutil.rmtree(folder)  # it holds no image: half of one, of a program that had no time to finish
            os.rename(fresh, folder)


def _read_record(folder: Path) -> CatalogEntry:
    path = folder / _RECORD
    try:
        entry = CatalogEntry.model_validate_json(path.read_bytes())
    except OSError as error:
        raise ImageError(f"{folder} holds no image ({error.strerror})", remedy="Remove the folder.") from error
    except ValidationError as error:
        raise ImageError(
            f"{path} is not a record of this version", remedy="Remove the folder and add the image again."
        ) from error
    # The catalog may have been moved, with what its records say.
    return entry.model_copy(update={"folder": str(folder)})


def _stored(offset: int) -> str:
    """A file's name in the catalog: by its place, whatever it was called before."""
    return f"{offset:#07x}.bin"


def _checked(name: str, entries: Sequence[CatalogEntry]) -> str:
    if not _NAME.fullmatch(name):
        raise UsageError(f"{name!r} cannot be the name of an image", remedy="Use letters, digits and . _ + -")
    if any(entry.name == name for entry in entries):
        raise UsageError(f"There is an image {name} in the catalog", remedy="Choose another --name, or remove it.")
    return name


def _name_for(record: ImageRecord, entries: Sequence[CatalogEntry]) -> str:
    build = record.build
    version = (build.version or "unknown").removesuffix(".0") or "unknown"
    name = f"nodemcu-{version}-lua{build.lua}-{build.number}" + ("-tls" if "tls" in build.modules else "")
    taken = {entry.name for entry in entries}
    return name if name not in taken else f"{name}-{record.id[:8]}"
