"""What the commands of `nodemcu-bridge fs` print with `--json`. Sizes are bytes, times seconds.

Names that are no UTF-8 have their bytes written out, as in "caf\\\\xe9".
"""

from __future__ import annotations

from pydantic import Field

from bridge.cli.json_output import Output


class FsReport(Output):
    """What all of them print."""

    port: str = Field(description="The port's URL.")
    via: str = Field(description='Who did it: "agent" or "nodemcu-uploader".', pattern="^(agent|nodemcu-uploader)$")
    finished: list[str] = Field(description="Files whose upload was cut off and that are in their place now.")


class FileEntry(Output):
    """A file on the board."""

    name: str
    size: int


class FsList(FsReport):
    """`fs ls`."""

    files: list[FileEntry] = Field(description="Sorted by name.")


class SentFile(FileEntry):
    """A file that was sent."""

    path: str = Field(description="The file of this computer.")
    digest: str = Field(description='How it was compared: "sha256", "crc16", "sum", or "raw" by reading it back.')
    seconds: float


class FsPut(FsReport):
    """`fs put`."""

    files: list[SentFile]


class FetchedFile(FileEntry):
    """A file that was fetched."""

    path: str = Field(description="The file of this computer.")


class FsGet(FsReport):
    """`fs get`."""

    files: list[FetchedFile]


class FsRemove(FsReport):
    """`fs rm`."""

    removed: list[str]


class FsMove(FsReport):
    """`fs mv`."""

    old: str
    new: str


class FsCat(FsReport, FileEntry):
    """`fs cat`."""

    base64: str = Field(description="The contents.")


class FsSpace(FsReport):
    """`fs df`."""

    total: int
    used: int
    free: int
    largest: int = Field(description="The largest file that can be sent.")


class FsSync(FsReport):
    """`fs sync`."""

    folder: str
    dry_run: bool = Field(description="True if nothing was done, and the rest says what would be.")
    sent: list[str]
    same: list[str] = Field(description="Files that the board had already.")
    removed: list[str]
    others: list[str] = Field(description="Files on the board that the folder lacks, and that stay.")
    left_out: list[str] = Field(description="What begins with a dot, and links to folders: not sent.")


class FsFormat(FsReport):
    """`fs format`."""
