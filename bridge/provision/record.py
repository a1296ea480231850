"""What is known of boards, a file for each by its MAC address, in the user's state folder; readable by its owner only.

It holds hashes, no contents and no secrets: a Wi-Fi password is there as a fingerprint under a key that lies beside.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bridge.errors import UsageError
from bridge.folders import state_folder
from bridge.provision.plan import Record
from bridge.provision.secret import new_key

_VERSION = 1


def default_folder() -> Path:
    """The user's folder, by the XDG rules for state.

    Raises:
        UsageError: there is no home folder.
    """
    return state_folder() / "boards"


class Records:
    """Records of boards.

    Args:
        folder: where they are; made when the first one is written.

    Raises:
        UsageError: none is given, and there is no home folder.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or default_folder()

    def key(self) -> bytes:
        """The key for fingerprints; made at the first use.

        Raises:
            UsageError: the folder cannot be used.
        """
        path = self.folder / "key"
        for _ in range(2):
            with contextlib.suppress(OSError):
                found = path.read_bytes()
                if len(found) == 32:
                    return found
            # Another run may make one at the same moment: who comes first counts.
            self._write(path, new_key(), replace=False)
        raise UsageError(f"{path} cannot be read", remedy="Remove it; all boards are then looked at anew.")

    def read(self, mac: str) -> Record | None:
        """What is known of a board; None if nothing is, or the file is not whole."""
        record = self._read(self._path(mac))
        return record if record is not None and record.mac == mac else None

    def named(self, name: str, port: str) -> Record | None:
        """The board that a file called so, on that port, the last time; None if there was none."""
        return next((record for record in self.latest() if (record.name, record.port) == (name, port)), None)

    def latest(self) -> Iterator[Record]:
        """All that is known, what was written last comes first."""
        try:
            paths = sorted(self.folder.glob("*.json"), key=lambda path: path.stat().st_mtime_ns, reverse=True)
        except OSError:
            return
        yield from (record for path in paths if (record := self._read(path)) is not None)

    def _read(self, path: Path) -> Record | None:
        try:
            said: Any = json.loads(path.read_text(encoding="utf-8"))
            if said.pop("version") != _VERSION:
                return None
            said["firmware"] = tuple(said["firmware"])
            record = Record(**said)
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return None
        return record if isinstance(record.files, dict) else None

    def write(self, record: Record) -> None:
        """Keep what is known; the file before is there until this one is whole.

        Raises:
            UsageError: the folder cannot be used.
        """
        text = json.dumps({"version": _VERSION, **asdict(record)}, indent=1)
        self._write(self._path(record.mac), text.encode(), replace=True)

    def _path(self, mac: str) -> Path:
        return self.folder / f"{re.sub('[^0-9a-f]', '', mac.lower())}.json"

    def _write(self, path: Path, data: bytes, *, replace: bool) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle, name = tempfile.mkstemp(dir=self.folder, prefix=".new-")  # mode 0600
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                if replace:
                    os.replace(name, path)
                else:
                    with contextlib.suppress(FileExistsError):
                        os.link(name, path)
            finally:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(name)
        except OSError as error:
            raise UsageError(
                f"{self.folder} cannot be written ({error.strerror})", remedy="Set XDG_STATE_HOME to another folder."
            ) from error
