"""What is known of an image: read from the image itself, kept beside it in the catalog, and shown."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from bridge.errors import ImageError
from bridge.firmware.needs import read_needs
from bridge.image import Examined, ImageFacts, ImagePart, check_image, examine, image_id

#: Release 3.x starts from no header that says less than this (app/user/user_main.c).
_SMALLEST = 1 << 20


class Model(BaseModel):
    """What is kept and printed: every field is always there, and there is no other."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_serialization_defaults_required=True)


class FilePart(Model):
    """A file of an image. Sizes and offsets in bytes."""

    name: str
    offset: int
    size: int
    sha256: str


class SegmentInfo(Model):
    """A piece that the boot ROM copies to RAM. Addresses and lengths in bytes of the chip."""

    address: int
    length: int
    memory: str


class BootInfo(Model):
    """The header and the segments that the boot ROM reads."""

    flash_mode: str
    flash_size: int
    flash_frequency: str
    entry: int
    checksum: int
    segments: list[SegmentInfo]


class BuildInfo(Model):
    """What the build says of itself. Texts that it does not carry are null."""

    version: str | None
    release: str | None
    branch: str | None
    commit: str | None
    build_date: str | None
    sdk: str | None
    lua: str
    number: str
    modules: list[str]
    modules_listed: bool
    ssl: bool
    lfs_size: int | None
    stand_in: bool


class ImageRecord(Model):
    """An image. `id` is the SHA-256 of a combined image's bytes; of two files, of their hashes and places."""

    id: str
    files: list[FilePart]
    size: int
    boot: BootInfo
    build: BuildInfo
    suits: bool
    lacks: list[str]
    """Modules that the bridge can use and the build does not have."""
    notes: list[str]


def _text(name: str) -> str:
    """A name of a file that JSON takes: bytes that are no UTF-8 are written out, as in "caf\\xe9"."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def image_record(parts: Sequence[ImagePart]) -> ImageRecord:
    """Take an image apart.

    Args:
        parts: from `bridge.image.load_image`.

    Raises:
        ImageError: it is not a whole NodeMCU image; says what is wrong.
    """
    examined = examine(parts)
    facts = examined.facts
    try:
        check_image(parts, read_needs().needed)
        refusal = None
    except ImageError as error:
        refusal = str(error)
    return ImageRecord(
        id=image_id(parts),
        files=[
            FilePart(name=_text(part.name), offset=part.offset, size=len(part.data), sha256=part.sha256)
            for part in parts
        ],
        size=examined.size,
        boot=_boot(examined),
        build=_build(facts),
        suits=refusal is None,
        lacks=[need.name for need in read_needs().lacking(facts.modules) if facts.listed or need.needed],
        notes=([refusal] if refusal is not None else []) + _notes(examined),
    )


def _boot(examined: Examined) -> BootInfo:
    boot = examined.boot
    return BootInfo(
        flash_mode=boot.mode,
        flash_size=boot.flash_size,
        flash_frequency=boot.frequency,
        entry=boot.entry,
        checksum=boot.checksum,
        segments=[SegmentInfo(address=one.address, length=one.length, memory=one.memory) for one in boot.segments],
    )


def _build(facts: ImageFacts) -> BuildInfo:
    return BuildInfo(
        version=facts.version or None,
        release=facts.release or None,
        branch=facts.branch or None,
        commit=facts.commit or None,
        build_date=facts.build_date or None,
        sdk=facts.sdk or None,
        lua=facts.lua,
        number=facts.number,
        modules=list(facts.modules),
        modules_listed=facts.listed,
        ssl=facts.ssl,
        lfs_size=facts.lfs_size,
        stand_in=facts.stand_in,
    )


def _notes(examined: Examined) -> list[str]:
    """What a person should know, in sentences."""
    facts, boot = examined.facts, examined.boot
    notes = []
    if boot.flash_size < _SMALLEST:
        notes.append(
            f"Its header says {boot.flash_size >> 10} KB of flash, with which release 3.x does not start; "
            "flash writes the chip's own size."
        )
    if "tls" in facts.modules and not facts.ssl:
        notes.append("It has the module tls and says that TLS is off: the build is not of one piece.")
    if not facts.listed:
        notes.append("It does not list its modules; those named are told by the functions in it.")
    if facts.stand_in:
        notes.append("It is a stand-in for virtual boards; a real board would not run it.")
    if examined.code_end is None:
        notes.append("It does not say where its code ends: that it is whole is not certain.")
    return notes


def now_utc() -> str:
    """The time, in seconds, as ISO 8601 writes it."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
