"""What is known of one board, and what a run has done to it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bridge.provision.place import Finder
from bridge.provision.plan import Look, Record
from bridge.provision.record import Records


class Ledger:
    """The books of one run on one board.

    Attributes:
        mac: of the board, once it is known.
        record: what is known of it; empty as long as nothing is.
        known: an earlier run has left a record of it, or this one has written one.
        look: what it told last.
        changed, files: what was written, in its order; see `BoardReport`.
        checks: those that passed.
        files_lost: files that were on it are gone.

    Args:
        finder: of its port.
        records: of all boards.
    """

    def __init__(self, finder: Finder, records: Records) -> None:
        self._finder, self._records = finder, records
        self.mac: str | None = None
        self.record = Record("")
        self.known = False
        self.look: Look | None = None
        self.changed: dict[str, None] = {}
        self.files: dict[str, None] = {}
        self.checks: dict[str, None] = {}
        self.files_lost = False

    def identify(self, mac: str | None, port: str) -> None:
        """Now it is known which board this is; None if it does not say.

        Raises:
            UsageError: another is to be there.
        """
        if mac is None:
            return
        self._finder.recognise(mac.lower(), port)
        if self.mac != mac.lower():
            self.mac = mac.lower()
            found = self._records.read(self.mac)
            self.known = found is not None
            self.record = found or Record(self.mac)

    def keep(self, **changes: Any) -> None:
        """Remember what is done now, or about to be; see `Record`. Without `ready` the plan is not finished."""
        self.record = replace(self.record, **{"ready": None, **self._finder.spot, **changes})
        if self.mac is not None:
            self._records.write(self.record)
            self.known = True
